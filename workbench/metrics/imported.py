"""Scores that another tool gave: kept beside our own, never computed here.

    {imported: contains, kind: proportion, as: "imported:contains"}

They come with finished outputs (`workbench import`) and are reported, compared and held against ratings
as every metric is. Whoever wants them for other outputs chooses one of our own metrics.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import inf
from typing import Any, Literal, cast, get_args

import numpy as np

from workbench.errors import MetricError
from workbench.metrics.base import Kind, Metric
from workbench.metrics.cell_outputs import CellOutputs
from workbench.metrics.scores import Scores

Direction = Literal["higher", "lower"]


class Imported(Metric):
    """A score by its name in the file that it came from.

    Args:
        score: the name there.
        kind: proportion where every score is 0 or 1, else mean.
        direction: whether higher or lower is better.
        low, high: the least and greatest possible score, where they are known.
    """

    name = "imported"
    description = "A score that came with finished outputs; it is not computed here."
    source = "The tool that made the file."
    needs_reference = False

    def __init__(
        self,
        score: str,
        kind: str = "mean",
        direction: str = "higher",
        low: float | None = None,
        high: float | None = None,
    ) -> None:
        if kind not in ("proportion", "mean") or direction not in get_args(Direction):
            raise MetricError(
                f"Imported score '{score}': `kind` is proportion or mean, `direction` is higher or lower."
            )
        self.name = f"imported:{score}"
        self.kind = cast(Kind, kind)
        self.direction = cast(Direction, direction)
        unbounded = (-inf, inf) if kind == "mean" else (0.0, 1.0)
        self.range = (unbounded[0] if low is None else low, unbounded[1] if high is None else high)

    def score(self, predictions: Sequence[str | None], references: Sequence[Any] | None = None) -> Scores:
        """Nothing: only outputs that came with this score have it."""
        why = f"'{self.name}' came with other outputs and is not computed here"
        count = len(predictions)
        return Scores(np.full(count, np.nan), reasons=dict.fromkeys(range(count), why))

    def score_outputs(self, outputs: CellOutputs) -> Scores:
        """As `score`."""
        return self.score(outputs.answers)
