"""What a run's metrics may ask of models: likelihoods of a local model, judgements of a judge."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from workbench.engine.likelihood import LikelihoodDesk
from workbench.engine.plan import Plan
from workbench.engine.workspace import Workspace
from workbench.errors import MetricError, RunCancelled
from workbench.metrics import CellOutputs, Judgement, Likelihood
from workbench.models.catalog import Catalog

if TYPE_CHECKING:
    from workbench.engine.execute import OnProgress
    from workbench.engine.judging import JudgeDesk
    from workbench.storage import RunRecord


class RunServices:
    """Asks models for the metrics of one run; satisfies `metrics.ModelServices`.

    Calls go through the cache, keep to the run's budget, and stop when the run is cancelled. A judge's
    model stays open from cell to cell: use it in a `with` block.
    """

    def __init__(
        self, workspace: Workspace, run: RunRecord, plan: Plan, on_progress: OnProgress | None = None
    ) -> None:
        self.workspace, self.run, self.plan = workspace, run, plan
        self._on_progress = on_progress
        self._judges: JudgeDesk | None = None
        self._texts = LikelihoodDesk(workspace.models, self._note_texts)

    def __enter__(self) -> RunServices:
        return self

    def __exit__(self, *ending: object) -> None:
        if self._judges is not None:
            self._judges.close()
            self._judges = None
        self._texts.close()

    def likelihoods(self, model: str, texts: Sequence[str]) -> list[Likelihood | str]:
        """Each text under a local model, or why it cannot be told."""
        return self._texts.likelihoods(model, texts)

    def judgements(
        self, judge: str, model: str, outputs: CellOutputs, settings: Mapping[str, Any]
    ) -> list[Judgement]:
        """Each output as the judge prompt sees it, asked on this model."""
        from workbench.engine.judging import JudgeDesk

        if self._judges is None:
            self._judges = JudgeDesk(self.workspace, self.run, self.plan, self._on_progress)
        return self._judges.judge(judge, model, outputs, settings)

    def _note_texts(self, model: str, done: int, total: int) -> None:
        runs = self.workspace.store.runs
        if runs.cancel_requested(self.run.id):
            raise RunCancelled("Cancelled; `resume` goes on from here.")
        if done:
            runs.set(self.run.id, message=f"Model '{model}' has read {done:,} of {total:,} texts")


class FileServices:
    """Asks models for the metrics of a file that was made elsewhere: likelihoods alone."""

    def __init__(self, models: Catalog) -> None:
        self._texts = LikelihoodDesk(models)

    def __enter__(self) -> FileServices:
        return self

    def __exit__(self, *ending: object) -> None:
        self._texts.close()

    def likelihoods(self, model: str, texts: Sequence[str]) -> list[Likelihood | str]:
        """Each text under a local model, or why it cannot be told."""
        return self._texts.likelihoods(model, texts)

    def judgements(
        self, judge: str, model: str, outputs: CellOutputs, settings: Mapping[str, Any]
    ) -> list[Judgement]:
        """Never: raises MetricError."""
        raise MetricError(
            f"Judge '{judge}' asks a model about a run's outputs, and a file has no run; import the file as "
            "finished outputs and add the judge to that run's metrics."
        )
