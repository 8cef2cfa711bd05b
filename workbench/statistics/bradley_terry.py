"""A ranking of cells from pairwise ratings, with intervals: Bradley and Terry's model with Davidson's ties.

    >>> found = bradley_terry(first=[0, 0, 1], second=[1, 2, 2], outcome=[1, 1, 0.5], rows=["a", "b", "b"])
    >>> found.strength, found.order
    (array([ 2.40..., -1.20..., -1.20...]), array([0, 1, 2]))

An outcome is 1 where the first cell was preferred, 0 where the second was, 0.5 for a tie. Model, prior and
sources are in the module `davidson`.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, exp, isfinite

import numpy as np
import numpy.typing as npt

from workbench.statistics.davidson import (
    SPREAD,
    BoolArray,
    Fitted,
    IntArray,
    PairCounts,
    covariance,
    expected_point,
    fit,
    information,
    variance_of_differences,
)
from workbench.statistics.intervals import share_of_units
from workbench.statistics.quantiles import normal_quantile, two_sided_z
from workbench.statistics.resampling import FloatArray, drawn_counts, unit_sums
from workbench.statistics.studentized import percentile_ends

RESAMPLES = 1000
POWER = 0.8
_AT_ONCE = 4_000_000  # numbers held in one array while fitting resamples


@dataclass(frozen=True)
class Ranking:
    """What pairwise ratings say of each cell; every array has one entry a cell.

    Attributes:
        strength: on the log scale, mean zero; a difference of 1 is odds of e to 1 among decided ratings.
        low, high: its interval.
        beats_average: the chance to be preferred to a cell of strength 0, a tie counting half.
        win_rate, win_low, win_high: share of its ratings it won, a tie counting half; NaN without ratings.
        n: the weight of its ratings (their number, where none was given another weight).
        tie: Davidson's ν; 0 where nothing was tied. Two equal cells tie with chance ν / (2 + ν).
        undecided_pairs: (cells, cells), whether the interval of the two strengths' difference holds 0.
        undecided: the share of pairs of cells that are; NaN with fewer than two cells.
        ratings_to_settle: about how many more ratings of the two best against each other would tell them
            apart; 0 where they are, None where no number is to be named (they are equal).
        group: a number for each set of cells that ratings connect; strengths of cells in different groups
            are comparable by the prior only.
        finite: whether the ratings alone, without the prior, would give finite strengths: each cell is
            then reached from each other by wins and ties (Ford, 1957).
    """

    strength: FloatArray
    low: FloatArray
    high: FloatArray
    beats_average: FloatArray
    win_rate: FloatArray
    win_low: FloatArray
    win_high: FloatArray
    n: FloatArray
    tie: float
    undecided_pairs: BoolArray
    undecided: float
    ratings_to_settle: int | None
    group: IntArray
    finite: bool

    @property
    def connected(self) -> bool:
        """Whether ratings connect all cells, directly or through others."""
        return len(np.unique(self.group)) <= 1

    @property
    def order(self) -> IntArray:
        """The cells from best to worst by lower bound, then by strength."""
        return np.lexsort((-self.strength, -self.low)).astype(np.int64)


def bradley_terry(
    first: npt.ArrayLike,
    second: npt.ArrayLike,
    outcome: npt.ArrayLike,
    rows: npt.ArrayLike | None = None,
    weights: npt.ArrayLike | None = None,
    *,
    cells: int | None = None,
    resamples: int = RESAMPLES,
    confidence: float = 0.95,
    spread: float = SPREAD,
    seed: int = 0,
) -> Ranking:
    """Rank cells by ratings of pairs.

    Args:
        first, second: index of the two cells, one entry a rating.
        outcome: 1 the first is preferred, 0 the second, 0.5 a tie; NaN ratings are left out.
        rows: the dataset row of each rating; whole rows are drawn into a resample. Omitted: each its own.
        weights: how many ratings each one stands for; 1 by itself.
        cells: how many there are; by itself the largest index + 1. A cell without ratings has strength 0
            and the prior's interval.
        spread: the prior's deviation on the log scale (module `davidson`).

    An interval ends where the wider of two does: the expanded percentiles of the bootstrap over rows,
    which see that ratings of one row are alike, and θ ± z se by the curvature of the posterior, which
    has a width where a few ratings all went one way. Win rates get Wilson's interval with the effective
    number of ratings (`proportion`).

    With d the difference of the two strongest cells and s² its variance, each further rating of the two
    adds I(d) to 1 / s²; m more are needed for power 0.8:

        m = ((z₁ + z₂)² / d² - 1 / s²) / I(d),   z₁ = 1.96, z₂ = 0.84,

    with I(d) reduced by what rows cost (the posterior's variance over that of the bootstrap, at most 1).

    Raises ValueError for indices that are no cells, a cell against itself, another outcome, a negative
    weight, columns of different lengths, or a spread or number of resamples that is not above 0.
    """
    z = two_sided_z(confidence)
    ratings = _Ratings.of(first, second, outcome, rows, weights, cells)
    if not 0 < spread < np.inf or resamples < 1:
        raise ValueError("the prior's spread and the number of resamples are above 0")
    pairs = ratings.counted()
    best = fit(pairs, spread)
    strength = best.strength[0]
    tie = exp(best.log_tie[0]) if pairs.tied else 0.0
    spread_out = covariance(pairs, best, spread)
    moved = ratings.resampled(pairs, best, resamples, spread, seed) - strength
    below, above = _ends(moved, ratings.units, confidence)
    half = z * np.sqrt(np.diagonal(spread_out))
    variances = variance_of_differences(spread_out)
    apart = strength[:, None] - strength[None, :]
    undecided = _undecided(moved, apart, z * np.sqrt(variances), ratings.units, confidence)
    size = len(strength)
    in_all = size * (size - 1) // 2
    rate, low, high = ratings.win_rates(confidence)
    group, finite = _connection(pairs)
    return Ranking(
        strength=strength,
        low=strength + np.minimum(below, -half),
        high=strength + np.maximum(above, half),
        beats_average=expected_point(strength, tie),
        win_rate=rate,
        win_low=low,
        win_high=high,
        n=ratings.rated(),
        tie=tie,
        undecided_pairs=undecided,
        undecided=float(undecided.sum() / 2 / in_all) if in_all else float("nan"),
        ratings_to_settle=_to_settle(strength, variances, moved, undecided, tie, z),
        group=group,
        finite=finite,
    )


@dataclass(frozen=True)
class _Ratings:
    first: IntArray  # the smaller index of the two
    second: IntArray
    outcome: FloatArray
    unit: IntArray  # which row, 0 to units - 1
    weight: FloatArray
    cells: int
    units: int

    @classmethod
    def of(
        cls,
        first: npt.ArrayLike,
        second: npt.ArrayLike,
        outcome: npt.ArrayLike,
        rows: npt.ArrayLike | None,
        weights: npt.ArrayLike | None,
        cells: int | None,
    ) -> _Ratings:
        one, two = (np.asarray(column).reshape(-1) for column in (first, second))
        value = np.asarray(outcome, dtype=np.float64).reshape(-1)
        weight = np.ones(len(value)) if weights is None else np.asarray(weights, np.float64).reshape(-1)
        row = None if rows is None else np.asarray(rows).reshape(-1)
        lengths = {len(column) for column in (one, two, value, weight, *(() if row is None else (row,)))}
        if len(lengths) != 1:
            raise ValueError(f"columns of ratings have different lengths: {sorted(lengths)}")
        keep = ~np.isnan(value)
        one, two, value, weight = (column[keep] for column in (one, two, value, weight))
        one, two = one.astype(np.int64), two.astype(np.int64)
        least = int(max(one.max(), two.max())) + 1 if len(one) else 0
        cells = least if cells is None else cells
        if len(one) and (min(one.min(), two.min()) < 0 or least > cells):
            raise ValueError(f"cells are numbered 0 to {cells - 1}")
        if (one == two).any():
            raise ValueError("a cell is not rated against itself")
        if not np.isin(value, (0.0, 0.5, 1.0)).all():
            raise ValueError("an outcome is 1 (the first is preferred), 0 (the second) or 0.5 (a tie)")
        if not (np.isfinite(weight).all() and (weight >= 0).all()):
            raise ValueError("a weight is a number, 0 or more")
        turned = one > two
        one, two = np.where(turned, two, one), np.where(turned, one, two)
        value = np.where(turned, 1 - value, value)
        if row is None:
            unit = np.argsort(np.lexsort((weight, value, two, one)))  # so that their order changes nothing
        else:
            unit = np.unique(row[keep], return_inverse=True)[1].reshape(-1)
        return cls(one, two, value, unit.astype(np.int64), weight, cells, len(np.unique(unit)))

    def counted(self) -> PairCounts:
        """All ratings, as one data set over the pairs that were rated."""
        size = max(self.cells, 1)
        pair, code = np.unique(self.first * size + self.second, return_inverse=True)
        counts = self._sums(code.reshape(-1), len(pair), self.weight)
        return PairCounts(self.cells, pair // size, pair % size, counts[:, :, None])

    def resampled(
        self, pairs: PairCounts, best: Fitted, resamples: int, spread: float, seed: int
    ) -> FloatArray:
        """Strengths (resamples, cells), rows drawn anew; no resamples where there are fewer than two rows."""
        if self.units < 2:
            return np.empty((0, self.cells))
        rng = np.random.default_rng(seed)
        code = np.searchsorted(pairs.first * self.cells + pairs.second, self.first * self.cells + self.second)
        width = max(len(pairs.first), (self.cells + 1) ** 2, self.units)
        step = max(1, _AT_ONCE // width)
        found = []
        for start in range(0, resamples, step):
            often = drawn_counts(self.units, min(step, resamples - start), rng)
            drawn = [self._sums(code, len(pairs.first), self.weight * times[self.unit]) for times in often]
            sets = PairCounts(self.cells, pairs.first, pairs.second, np.stack(drawn, axis=2))
            found.append(fit(sets, spread, best, pairs.tied).strength)
        return np.concatenate(found)

    def rated(self) -> FloatArray:
        """The weight of each cell's ratings."""
        both = np.concatenate([self.first, self.second])
        weight = np.concatenate([self.weight, self.weight])
        return np.bincount(both, weight, self.cells).astype(np.float64)

    def win_rates(self, confidence: float) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Each cell's win rate and its interval."""
        found = np.full((3, self.cells), np.nan)
        for cell in range(self.cells):
            mine = (self.first == cell) | (self.second == cell)
            if not self.weight[mine].any():
                continue
            point = np.where(self.first[mine] == cell, self.outcome[mine], 1 - self.outcome[mine])
            weight = self.weight[mine]
            units = unit_sums(np.column_stack([point * weight, weight]), self.unit[mine])
            found[:, cell] = share_of_units(units, confidence)
        return found[0], found[1], found[2]

    def _sums(self, code: npt.NDArray[np.intp], pairs: int, weight: FloatArray) -> FloatArray:
        kind = (2 - 2 * self.outcome).astype(np.intp)  # 0 won, 1 tied, 2 lost
        counts = np.bincount(kind * pairs + code, weight, 3 * pairs).reshape(3, pairs)
        return np.asarray(counts[[0, 2, 1]], dtype=np.float64)


def _ends(moved: FloatArray, units: int, confidence: float) -> tuple[FloatArray, FloatArray]:
    if len(moved) < 2:
        return np.zeros(moved.shape[1]), np.zeros(moved.shape[1])
    return percentile_ends(moved, units, confidence)


def _undecided(
    moved: FloatArray, apart: FloatArray, half: FloatArray, units: int, confidence: float
) -> BoolArray:
    undecided = np.abs(apart) <= half
    for cell in range(len(apart)):
        below, above = _ends(moved[:, [cell]] - moved, units, confidence)
        undecided[cell] |= (apart[cell] + below <= 0) & (apart[cell] + above >= 0)
    undecided |= undecided.T
    np.fill_diagonal(undecided, False)
    return undecided


def _to_settle(
    strength: FloatArray, variances: FloatArray, moved: FloatArray, undecided: BoolArray, tie: float, z: float
) -> int | None:
    if len(strength) < 2:
        return 0
    second, first = np.argsort(strength, kind="stable")[-2:]
    if not undecided[first, second]:
        return 0
    apart, variance = strength[first] - strength[second], variances[first, second]
    drawn = float(np.var(moved[:, first] - moved[:, second])) if len(moved) > 1 else 0.0
    wider = max(variance, drawn)
    told = float(information(np.array(apart), tie)) * variance / wider
    with np.errstate(divide="ignore"):
        more = ((z + normal_quantile(POWER)) ** 2 / np.float64(apart) ** 2 - 1 / wider) / told
    return max(1, ceil(more)) if isfinite(more) and more < 1e9 else None


def _connection(pairs: PairCounts) -> tuple[IntArray, bool]:
    """Which cells ratings connect, and whether wins and ties lead from each cell to each other."""
    won, lost, tied = (pairs.counts[:, :, 0] > 0) if len(pairs.first) else np.zeros((3, 0), bool)
    beaten = np.eye(pairs.cells, dtype=bool)
    beaten[pairs.first, pairs.second] |= won | tied
    beaten[pairs.second, pairs.first] |= lost | tied
    reached = _reached(beaten | beaten.T)
    _, group = np.unique(reached.argmax(axis=1), return_inverse=True) if pairs.cells else (None, np.empty(0))
    return np.asarray(group, dtype=np.int64), bool(_reached(beaten).all())


def _reached(step: BoolArray) -> BoolArray:
    for _ in range(max(1, len(step)).bit_length()):
        step = (step.astype(np.float32) @ step.astype(np.float32)) > 0
    return step
