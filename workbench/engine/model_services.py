"""What a run's metrics may ask of models: likelihoods of a local model, judgements of a judge."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from workbench.engine.plan import Plan
from workbench.engine.workspace import Workspace
from workbench.metrics import CellOutputs, Judgement, Likelihood

if TYPE_CHECKING:
    from workbench.storage import RunRecord


class RunServices:
    """Asks models for the metrics of one run; satisfies `metrics.ModelServices`.

    Calls go through the cache, keep to the run's budget, and stop when the run is cancelled.
    """

    def __init__(self, workspace: Workspace, run: RunRecord, plan: Plan) -> None:
        self.workspace, self.run, self.plan = workspace, run, plan

    def likelihoods(self, model: str, texts: Sequence[str]) -> list[Likelihood | str]:
        """Each text under a local model, or why it cannot be told."""
        from workbench.engine.likelihood import text_likelihoods

        return text_likelihoods(self.workspace, model, texts)

    def judgements(
        self, judge: str, model: str, outputs: CellOutputs, settings: Mapping[str, Any]
    ) -> list[Judgement]:
        """Each output as the judge prompt sees it, asked on this model."""
        from workbench.engine.judging import judge_outputs

        return judge_outputs(self.workspace, self.run, self.plan, judge, model, outputs, settings)
