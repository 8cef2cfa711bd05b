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
    IntArray,
    PairCounts,
    covariance,
    expected_point,
    fit,
    information,
    variance_of_differences,
)
from workbench.statistics.preferences import Preferences
from workbench.statistics.quantiles import normal_quantile, two_sided_z
from workbench.statistics.resampling import FloatArray
from workbench.statistics.studentized import percentile_ends

RESAMPLES = 1000
POWER = 0.8


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
        finite: whether the ratings alone, without the prior, would give finite strengths. Each cell is then
            reached from each other by wins and ties (Ford, 1957), and, where there are ties, some way round
            has more wins than ties: else a high ν could explain ties between cells ever further apart.
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
    ratings = Preferences.of(first, second, outcome, rows, weights, cells)
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
    """Which cells ratings connect, and whether the likelihood has a maximum."""
    won, lost, tied = (pairs.counts[:, :, 0] > 0) if len(pairs.first) else np.zeros((3, 0), bool)
    beaten = np.eye(pairs.cells, dtype=bool)
    beaten[pairs.first, pairs.second] |= won | tied
    beaten[pairs.second, pairs.first] |= lost | tied
    reached = _reached(beaten | beaten.T)
    _, group = np.unique(reached.argmax(axis=1), return_inverse=True) if pairs.cells else (None, np.empty(0))
    finite = bool(_reached(beaten).all()) and (not tied.any() or _more_wins_than_ties(pairs))
    return np.asarray(group, dtype=np.int64), finite


def _reached(step: BoolArray) -> BoolArray:
    for _ in range(max(1, len(step)).bit_length()):
        step = (step.astype(np.float32) @ step.astype(np.float32)) > 0
    return step


def _more_wins_than_ties(pairs: PairCounts) -> bool:
    """Whether some closed way over ratings has more wins, all in its direction, than ties.

    By Floyd and Warshall's shortest ways, a win counting -1 and a tie 1.
    """
    won, lost, tied = pairs.counts[:, :, 0] > 0
    way = np.full((pairs.cells, pairs.cells), np.inf)
    for one, two, wins in ((pairs.first, pairs.second, won), (pairs.second, pairs.first, lost)):
        way[one, two] = np.where(wins, -1.0, np.where(tied, 1.0, np.inf))
    for cell in range(pairs.cells):
        way = np.maximum(np.minimum(way, way[:, [cell]] + way[cell]), -4.0 * pairs.cells)
    return bool((np.diagonal(way) < 0).any())
