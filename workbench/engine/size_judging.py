"""Which quality is good enough, and what a doubling of the size gains: one metric over the cells of a run.

    judge.against_best(point, best, margin)  ->  shortfall=0.01, shortfall_high=0.04, good_enough=True
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import log2

import numpy as np

from workbench.core.run import MetricEstimate
from workbench.core.sizing import DoublingGain, SizePoint
from workbench.engine.score import estimate_of, metric_scores
from workbench.metrics import Metric
from workbench.metrics.scores import with_blocks
from workbench.statistics import (
    Estimate,
    NonInferiority,
    bootstrap_statistic,
    gain_per_doubling,
    non_inferiority,
    non_inferiority_of,
)
from workbench.storage.scores import CellScores


@dataclass(frozen=True, eq=False)
class QualityJudge:
    """The scores of a run's cells by one metric, and how sure one wants to be of what they show.

    `scores` are by cell index; `clusters` (units,) is the row of each unit, None where each is a row.
    """

    metric: Metric
    scores: Mapping[int, CellScores]
    clusters: np.ndarray | None
    confidence: float

    @property
    def sign(self) -> int:
        """1 where higher is better, else -1."""
        return 1 if self.metric.direction == "higher" else -1

    def quality(self, cell: int) -> MetricEstimate:
        """The estimate of one cell."""
        return estimate_of(self.scores[cell])

    def against_best(self, point: SizePoint, best: SizePoint, margin: float) -> SizePoint:
        """The point with its shortfall, and whether that is surely under the margin."""
        if point.cell.index == best.cell.index:
            return replace(point, shortfall=0.0, shortfall_high=0.0, good_enough=True)
        found = self._shortfall(self.scores[point.cell.index], self.scores[best.cell.index], margin)
        return replace(
            point,
            shortfall=found.shortfall,
            shortfall_high=found.shortfall_high,
            good_enough=found.accepted,
            rows_needed=found.rows_needed,
        )

    def gains(self, points: Sequence[SizePoint]) -> tuple[DoublingGain, ...]:
        """One gain for each quantization (and sampling) that has models of two sizes or more."""
        alike: dict[tuple[str | None, str], list[SizePoint]] = {}
        for point in points:
            if point.parameters and point.quality.n:
                alike.setdefault((point.quantization, repr(point.cell.sampling)), []).append(point)
        gains = []
        for (quantization, _), group in alike.items():
            group.sort(key=lambda point: point.parameters or 0)
            x = [log2(point.parameters) for point in group if point.parameters]
            doublings = x[-1] - x[0]
            if doublings < 1e-9:
                continue
            slope = self._slope([self.scores[point.cell.index] for point in group], x)
            low, high = sorted((self.sign * slope.low, self.sign * slope.high))
            smaller, larger = group[0].cell.model, group[-1].cell.model
            gains.append(
                DoublingGain(quantization, smaller, larger, doublings, self.sign * slope.mean, low, high)
            )
        return tuple(gains)

    def _shortfall(self, mine: CellScores, best: CellScores, margin: float) -> NonInferiority:
        if mine.sufficient is None or best.sufficient is None:
            gained = self.sign * (mine.values - best.values)
            return non_inferiority(gained, margin, self.confidence, self.clusters)
        first, second = metric_scores(best), metric_scores(mine)
        if self.metric.direction == "lower":
            first, second = second, first
        compared = self.metric.compare(first, second, self.clusters, 2 * self.confidence - 1)
        return non_inferiority_of(compared, margin)

    def _slope(self, found: Sequence[CellScores], x: Sequence[float]) -> Estimate:
        """The metric's slope over `x`, its means or the corpus scores of the same resampled rows."""
        blocks = tuple(sorted({name for one in found for name in one.blocks}))
        aligned = [with_blocks(metric_scores(one), blocks) for one in found]
        matrices = [one.sufficient for one in aligned if one.sufficient is not None]
        if len(matrices) < len(found):
            return gain_per_doubling([one.values for one in found], x, self.clusters, self.confidence)
        away = np.asarray(x) - np.mean(x)
        weights = away / float((away**2).sum())

        def slope_of(sums: np.ndarray) -> np.ndarray:
            parts = np.split(sums, len(matrices), axis=-1)
            means = [self.metric.aggregate(part) for part in parts]
            return np.asarray(sum(weight * mean for weight, mean in zip(weights, means, strict=True)))

        return bootstrap_statistic(np.concatenate(matrices, axis=1), slope_of, self.clusters, self.confidence)
