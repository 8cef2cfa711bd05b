"""What outputs took, as metrics: seconds, dollars and tokens, to be compared and combined as scores are.

A run measures them itself. A finished file has them only in columns, which `column` names.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import inf
from typing import Any, ClassVar, Literal

import numpy as np

from workbench.errors import MetricError
from workbench.metrics.base import Metric
from workbench.metrics.cell_outputs import CellOutputs
from workbench.metrics.registry import metric
from workbench.metrics.scores import Scores
from workbench.metrics.text import text_of


class Taken(Metric):
    """Base of the three: sums of what was measured of each output, lower is better."""

    direction = "lower"
    range = (0.0, inf)
    needs_reference = False
    needs_outputs = True
    measured: tuple[str, ...]
    what: ClassVar[str]

    def __init__(self, column: str | None = None) -> None:
        self.column = column

    def score(self, predictions: Sequence[str | None], references: Sequence[Any] | None = None) -> Scores:
        """Nothing: texts alone do not say what they took."""
        return self._told(np.full(len(predictions), np.nan))

    def score_outputs(self, outputs: CellOutputs) -> Scores:
        """What each output took; unscored where it is not known."""
        if self.column is not None:
            return self._told(
                np.array([_number(value) for value in outputs.column(self.column)], dtype=float)
            )
        unknown = np.full(len(outputs), np.nan)
        return self._told(np.sum([outputs.taken.get(name, unknown) for name in self.measured], axis=0))

    def _told(self, values: np.ndarray) -> Scores:
        where = f"column '{self.column}' has no number here" if self.column else "it was not measured"
        why = f"the {self.what} is not known: {where}"
        return Scores(values, reasons=dict.fromkeys(np.flatnonzero(np.isnan(values)).tolist(), why))


@metric
class Latency(Taken):
    """Seconds that an output took, from request to last token; the mean is the score; lower is better.

    For an output from the cache, the time that it took when it was made. `column` reads it from a
    dataset's or file's column. Range 0 upwards.
    """

    name = "latency"
    description = "Mean seconds per output; lower is better."
    source = "Measured by the run."
    measured = ("latency_s",)
    what = "latency"


@metric
class Cost(Taken):
    """US dollars that an output cost at its model's prices; the mean is the score; lower is better.

    An output from the cache cost nothing: to compare cells by cost, run them without it. `column` reads it
    from a dataset's or file's column. Range 0 upwards.
    """

    name = "cost"
    description = "Mean US dollars per output; lower is better."
    source = "Tokens as the provider counted them, times the model's prices."
    measured = ("cost_usd",)
    what = "cost"


@metric
class Tokens(Taken):
    """Tokens of an output; the mean is the score; lower is better.

    `which`: total (by itself), prompt or completion. `column` reads it from a dataset's or file's column.
    Range 0 upwards.
    """

    name = "tokens"
    description = "Mean tokens per output, of prompt, completion or both; lower is better."
    source = "As the provider, or the local model's tokenizer, counted them."
    what = "number of tokens"

    def __init__(
        self, which: Literal["total", "prompt", "completion"] = "total", column: str | None = None
    ) -> None:
        super().__init__(column)
        parts = {
            "total": ("prompt_tokens", "completion_tokens"),
            "prompt": ("prompt_tokens",),
            "completion": ("completion_tokens",),
        }
        if which not in parts:
            raise MetricError(f"Metric 'tokens': `which` is total, prompt or completion, not '{which}'.")
        self.measured = parts[which]


def _number(value: Any) -> float:
    try:
        number = float(text_of(value) or "nan")
    except ValueError:
        return float("nan")
    return number if 0 <= number < inf else float("nan")
