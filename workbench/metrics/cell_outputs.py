"""What a metric may look at: everything that one cell gave, as columns with one entry an output.

    CellOutputs(answers=["42", None], references=["42", "7"], rows=[{...}, {...}], group=[0, 1], ...)

Most metrics read answers and references alone. Cost, stability over repeats, perplexity and judges
read the rest.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from workbench.errors import MetricError, suggestion

TAKEN = ("latency_s", "cost_usd", "prompt_tokens", "completion_tokens", "first_token_s")
"""What is measured of an output beside its text."""


@dataclass(frozen=True, slots=True)
class Likelihood:
    """How likely a model finds a text: the sum of its tokens' log-probabilities (nats), and how many."""

    logprob: float
    tokens: int


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a judge made of one output: a score in the judge's own scale or None, and why.

    `failed` is the error of a call that got no answer; asked again, there may be one.
    """

    score: float | None
    reason: str = ""
    failed: str = ""


class ModelServices(Protocol):
    """What metrics may ask of models, where calls are allowed; the engine gives it, with its cache."""

    def likelihoods(self, model: str, texts: Sequence[str]) -> list[Likelihood | str]:
        """Each text under a local model, or why it cannot be told. Raises ModelError, MetricError."""

    def judgements(
        self, judge: str, model: str, outputs: CellOutputs, settings: Mapping[str, Any]
    ) -> list[Judgement]:
        """Each output as the judge prompt, asked on this model, sees it. Raises WorkbenchError."""


@dataclass(frozen=True)
class CellOutputs:
    """One cell's outputs as parallel columns, each as long as `answers`.

    Attributes:
        answers: what the answer rule read; None where it found nothing.
        references: right answers, read by the same rule; None where the row has none.
        raw_references: right answers as they are written in the dataset.
        texts: whole outputs; empty where no metric at hand needs them.
        rows: the dataset's rows.
        group: (n,) ints, the row that an output belongs to; repeats of a row share it.
        taken: what an output took, by the names in `TAKEN`: (n,) floats, NaN where it is not known.
        rivals: the baseline cell's texts for the same rows and repeats, None where it has none; None
            altogether for the baseline itself.
        models: who answers a metric that asks models; None where no calls are allowed.
    """

    answers: Sequence[str | None]
    references: Sequence[Any]
    raw_references: Sequence[Any] = ()
    texts: Sequence[str] = ()
    rows: Sequence[Mapping[str, Any]] = ()
    group: npt.NDArray[np.int64] = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    taken: Mapping[str, npt.NDArray[np.float64]] = field(default_factory=dict)
    rivals: Sequence[str | None] | None = None
    models: ModelServices | None = None

    def __len__(self) -> int:
        return len(self.answers)

    def column(self, name: str) -> list[Any]:
        """A dataset column, one entry an output. Raises MetricError with the nearest name."""
        known = {key for row in self.rows for key in row}
        if self.rows and name not in known:
            raise MetricError(f"There is no column '{name}'.{suggestion(name, sorted(known))}")
        return [row.get(name) for row in self.rows]
