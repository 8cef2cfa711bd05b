"""A judge as a metric: a prompt with a rubric, asked on a model what it makes of each output.

    metrics: [exact_match, {judge: judge-score, model: small, as: quality}]

Scores are in the judge's own scale; of a checklist the share of yes; of a pairwise judge 1 where the
output is better than the baseline's in both orders, 0 where it is worse, 0.5 for everything else. A
reply without a verdict leaves its row unscored.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from pydantic import ValidationError

from workbench.core.prompt import Sampling
from workbench.core.rubric import Rubric
from workbench.errors import MetricError
from workbench.metrics.base import UNBOUNDED, Metric
from workbench.metrics.cell_outputs import CellOutputs
from workbench.metrics.scores import Scores

MOST_SAMPLES = 100
LEAST_CHARACTERS = 200
MOST_CHARACTERS = 500_000
BETTER, WORSE, TIE = "Better in both orders.", "Worse in both orders.", "A tie in both orders."
FLIP = "Changes with the order"
"""How the reason of a pairwise judgement begins."""


class Judge(Metric):
    """What a judge prompt makes of each output, as a mean of its scores.

    Args:
        judge: name of a prompt with a `rubric`.
        model: which model is asked.
        samples: times that it is asked about each output; the score is their mean.
        sampling: temperature and the like, over the prompt's own.
        max_characters: a longer output is cut in its middle before it is shown to the judge.
        rubric: the prompt's rubric as it was when the run was planned; written by the engine.
    """

    name = "judge"
    description = "What a judge prompt makes of each output."
    range = UNBOUNDED
    source = "Zheng et al., NeurIPS 2023; weighting by tokens: Liu et al., EMNLP 2023."
    needs_reference = False
    needs_outputs = True
    asks_models = True

    def __init__(
        self,
        judge: str,
        model: str | None = None,
        samples: int = 1,
        sampling: Mapping[str, Any] | None = None,
        max_characters: int = 20_000,
        rubric: Mapping[str, Any] | None = None,
    ) -> None:
        if not (isinstance(judge, str) and isinstance(model, str) and judge and model):
            raise MetricError("A judge needs a prompt and a model: {judge: judge-score, model: small}.")
        self.name = f"judge:{judge}"
        self.judge, self.model = judge, model
        self.samples = _whole("samples", samples, 1, MOST_SAMPLES)
        most = _whole("max_characters", max_characters, LEAST_CHARACTERS, MOST_CHARACTERS)
        try:
            self.sampling = Sampling.model_validate(sampling or {})
        except ValidationError as problem:
            what = problem.errors(include_url=False)[0]
            key = ".".join(str(part) for part in what["loc"])
            raise MetricError(f"Judge '{judge}': `sampling.{key}`: {what['msg'].lower()}.") from None
        if rubric is not None:
            known = Rubric.model_validate(rubric)
            self.range = known.range
            self.kind = "proportion" if len(known.questions) == self.samples == 1 else "mean"
        self.settings = {"samples": self.samples, "sampling": self.sampling, "max_characters": most}

    def score_outputs(self, outputs: CellOutputs) -> Scores:
        """Asks the judge about every output. Raises MetricError where no calls are allowed."""
        if outputs.models is None:
            raise MetricError(f"Judge '{self.judge}' asks a model, which only happens in a run.")
        found = outputs.models.judgements(self.judge, self.model, outputs, self.settings)
        values = [np.nan if one.score is None else one.score for one in found]
        reasons = {place: one.reason for place, one in enumerate(found) if one.reason}
        failed = {place: one.failed for place, one in enumerate(found) if one.failed}
        return Scores(np.array(values, dtype=np.float64), reasons=reasons, failed=failed)

    def score_rows(self, predictions: list[str], references: list[list[str]]) -> Scores:
        """Never: a judge sees whole outputs and asks a model."""
        raise MetricError(f"Judge '{self.judge}' asks a model, which only happens in a run.")


def flip_rate(reasons: Iterable[str]) -> float | None:
    """Of a pairwise judge's judgements, the share that changed when the texts changed places (0 to 1).

    None where no judgement was made in both orders. A judge that often flips looks at the place, not
    at the text.
    """
    both = [reason for reason in reasons if reason.startswith((BETTER, WORSE, TIE, FLIP))]
    return sum(reason.startswith(FLIP) for reason in both) / len(both) if both else None


def _whole(key: str, value: Any, least: int, most: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise MetricError(f"A judge's `{key}` is a whole number from {least:,} to {most:,}, not {value!r}.")
    return value
