"""Is the candidate different from the baseline on the same rows? Differences, intervals, p-values.

A difference is always candidate - baseline. Only rows that both scored count; where rows were
repeated, `clusters` names each value's row and whole rows are resampled or flipped.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import exp, isfinite, lgamma, log, nan, sqrt

import numpy as np
import numpy.typing as npt

from workbench.statistics.intervals import Interval, bootstrap_mean
from workbench.statistics.quantiles import two_sided_z
from workbench.statistics.resampling import (
    MAX_RESAMPLES,
    FloatArray,
    every_subset_sum,
    flipped_sums,
    tail_share,
    unit_sums,
)
from workbench.statistics.studentized import Aggregate, Bounds, statistic_bounds

EXACT_UNITS = 12  # up to 2^12 = 4,096 sign patterns are enumerated


@dataclass(frozen=True)
class PairedComparison:
    """Candidate against baseline on the rows both scored.

    `difference` (candidate - baseline) with its interval `low`..`high`, in the metric's unit; `p`
    two-sided and not yet adjusted for other comparisons; `n` values compared; `differing` of them
    scored differently. With nothing to compare everything is NaN and both counts are 0.
    """

    difference: float
    low: float
    high: float
    p: float
    n: int
    differing: int


NOTHING_COMPARED = PairedComparison(nan, nan, nan, nan, 0, 0)


def compare_paired(
    baseline: npt.ArrayLike,
    candidate: npt.ArrayLike,
    clusters: npt.ArrayLike | None = None,
    *,
    binary: bool | None = None,
    confidence: float = 0.95,
    seed: int = 0,
    bounds: Bounds | None = None,
) -> PairedComparison:
    """Compare two columns of scores of the same rows; NaN is "not scored".

    Right-or-wrong scores (`binary`; by itself when every score is 0 or 1) without repeats: exact
    McNemar p and Tango's score interval. Anything else: sign-flip permutation p and a paired
    bootstrap interval over rows. `bounds` are a score's least and greatest possible value.
    A row with an infinite score has no finite difference: interval and p are NaN then.
    """
    first = np.asarray(baseline, dtype=np.float64).reshape(-1)
    second = np.asarray(candidate, dtype=np.float64).reshape(-1)
    both = ~(np.isnan(first) | np.isnan(second))
    first, second = first[both], second[both]
    if len(first) == 0:
        return NOTHING_COMPARED
    ids = None if clusters is None else np.asarray(clusters)[both]
    if ids is not None and len(np.unique(ids)) == len(ids):
        ids = None
    if binary is None:
        binary = bool(np.isin(first, (0, 1)).all() and np.isin(second, (0, 1)).all())
    with np.errstate(invalid="ignore"):
        differences = np.where(first == second, 0.0, second - first)
        mean = float(differences.mean())
    differing = int(np.count_nonzero(differences))
    if not isfinite(mean):
        return PairedComparison(mean, nan, nan, nan, len(first), differing)
    if binary and ids is None:
        only_baseline = int(np.count_nonzero(differences < 0))
        only_candidate = int(np.count_nonzero(differences > 0))
        low, high = tango(only_baseline, only_candidate, len(first), confidence)
        p = mcnemar_exact(only_baseline, only_candidate)
    else:
        low, high = paired_bootstrap(differences, ids, confidence, seed=seed, bounds=bounds)
        p = permutation_test(differences, ids, seed=seed)
    return PairedComparison(mean, low, high, p, len(first), differing)


def compare_corpus(
    baseline_stats: npt.ArrayLike,
    candidate_stats: npt.ArrayLike,
    aggregate: Aggregate,
    clusters: npt.ArrayLike | None = None,
    *,
    confidence: float = 0.95,
    seed: int = 0,
    resamples: int | None = None,
    permutations: int = MAX_RESAMPLES,
    bounds: Bounds | None = None,
) -> PairedComparison:
    """Compare two corpus scores (BLEU and the like) from each row's sufficient statistics (n, k).

    `bounds` are a corpus score's least and greatest possible value.
    Interval: paired bootstrap, both systems scored on the same resampled rows (Koehn, EMNLP 2004).
    p: approximate randomisation, the two systems' outputs swapped row by row at random, which
    keeps its level where the bootstrap's own p is too small (Riezler & Maxwell, "On Some Pitfalls
    in Automatic Evaluation and Significance Testing for MT", 2005).
    """
    first = np.asarray(baseline_stats, dtype=np.float64)
    second = np.asarray(candidate_stats, dtype=np.float64)
    both = ~(np.isnan(first).any(axis=1) | np.isnan(second).any(axis=1))
    first, second = first[both], second[both]
    if len(first) == 0:
        return NOTHING_COMPARED
    ids = None if clusters is None else np.asarray(clusters)[both]
    width = first.shape[1]

    def gap(sums: FloatArray) -> FloatArray:
        return aggregate(sums[..., width:]) - aggregate(sums[..., :width])

    units = unit_sums(np.concatenate([first, second], axis=1), ids)
    differing = int(np.count_nonzero((first != second).any(axis=1)))
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        total = units.sum(axis=0)
        difference = float(gap(total))
    if not isfinite(difference):
        return PairedComparison(difference, nan, nan, nan, len(first), differing)
    swaps = units[:, width:] - units[:, :width]
    swaps = swaps[(swaps != 0).any(axis=1)]
    if len(swaps) == 0:
        low, high, p = 0.0, 0.0, 1.0
    else:
        limits = _difference_bounds(bounds)
        _, low, high = statistic_bounds(units, gap, confidence, resamples, seed, limits)
        moved = _half_sums(swaps, permutations, seed)
        swapped = np.concatenate([total[:width] + moved, total[width:] - moved], axis=1)
        p = tail_share(gap(swapped), difference, exact=len(swaps) <= EXACT_UNITS)
    return PairedComparison(difference, min(low, difference), max(high, difference), p, len(first), differing)


def mcnemar_exact(only_baseline: int, only_candidate: int) -> float:
    """Two-sided exact McNemar p from the two counts of rows that only one system got right.

    Under the null the smaller count k of n discordant rows is Binomial(n, 1/2):
    p = min(1, 2 P(X <= k)), summed downwards from k in log space, so that large counts are fine.
    Source: McNemar, Psychometrika 12, 1947, exact form; the same as statsmodels'
    `mcnemar(table, exact=True)`.
    """
    n, k = only_baseline + only_candidate, min(only_baseline, only_candidate)
    if n == 0 or 2 * k == n:
        return 1.0
    top = lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1) - n * log(2)
    # Terms fall like a Gaussian of deviation sqrt(n) / 2: 40 deviations down, nothing is left.
    below = np.arange(k, max(0, k - int(20 * sqrt(n)) - 100), -1, dtype=np.float64)
    ratios = np.cumsum(np.log(below / (n - below + 1)))
    return float(min(1.0, 2 * exp(top) * (1 + float(np.exp(ratios).sum()))))


def tango(only_baseline: int, only_candidate: int, n: int, confidence: float = 0.95) -> Interval:
    """Tango's score interval for a difference of two paired proportions, within [-1, 1].

    All differences d whose score test |c - b - n d| / sqrt(n (2 q + d (1 - d))) stays within z, with
    b, c the discordant counts and q the restricted maximum-likelihood share of b. It inverts the
    same score test as McNemar's, keeps its level for small n, and has a width when no row
    differs (z² / (n + z²) either way), where a bootstrap or Newcombe's method would claim certainty.
    Source: Tango, Statistics in Medicine 17, 1998; recommended for small samples by Fagerland,
    Lydersen & Laake, Statistics in Medicine 33, 2014.
    """
    z = two_sided_z(confidence)
    if n <= 0:
        return Interval(nan, nan)
    observed = (only_candidate - only_baseline) / n

    def score(d: float) -> float:
        b = -only_candidate - only_baseline + (2 * n - only_candidate + only_baseline) * d
        c = -only_baseline * d * (1 - d)
        q = (sqrt(max(0.0, b * b - 8 * n * c)) - b) / (4 * n)
        variance = n * (2 * q + d * (1 - d))
        gap = only_candidate - only_baseline - n * d
        return gap / sqrt(variance) if variance > 0 else (0.0 if gap == 0 else gap * float("inf"))

    return Interval(_crossing(score, z, -1.0, observed), _crossing(score, -z, observed, 1.0))


def paired_bootstrap(
    differences: npt.ArrayLike,
    clusters: npt.ArrayLike | None = None,
    confidence: float = 0.95,
    resamples: int | None = None,
    seed: int = 0,
    bounds: Bounds | None = None,
) -> Interval:
    """The bootstrap interval of a mean paired difference; whole clusters are drawn.

    `bounds` are a score's least and greatest possible value: differences lie within ± their distance.
    Where no row differs the interval is 0 alone. Turning all signs mirrors the interval exactly.
    """
    column = np.asarray(differences, dtype=np.float64).reshape(-1)
    limits = _difference_bounds(bounds) if np.nan_to_num(column).any() else None
    turned = _points_down(column)
    estimate = bootstrap_mean(-column if turned else column, clusters, confidence, resamples, seed, limits)
    return Interval(-estimate.high, -estimate.low) if turned else Interval(estimate.low, estimate.high)


def permutation_test(
    differences: npt.ArrayLike,
    clusters: npt.ArrayLike | None = None,
    permutations: int = MAX_RESAMPLES,
    seed: int = 0,
) -> float:
    """Two-sided p that paired differences have no direction, by flipping their signs at random.

    The signs of whole clusters are flipped together. Up to 12 clusters with a non-zero sum every
    pattern is enumerated and p is exact; beyond, p = (1 + as extreme) / (1 + permutations), never 0.
    NaN differences are left out; none left, or an infinite one, gives NaN.
    Source: Fisher's randomisation test; Phipson & Smyth, SAGMB 9, 2010, for the added one.
    """
    column = np.asarray(differences, dtype=np.float64).reshape(-1)
    keep = ~np.isnan(column)
    if not keep.any() or np.isinf(column).any():
        return nan
    ids = None if clusters is None else np.asarray(clusters)[keep]
    units = unit_sums(column[keep][:, None], ids)
    units = units[units[:, 0] != 0]
    if len(units) == 0:
        return 1.0
    total = float(units.sum())
    flipped = total - 2 * _half_sums(units, permutations, seed)[:, 0]
    return tail_share(flipped, total, exact=len(units) <= EXACT_UNITS)


def _difference_bounds(bounds: Bounds | None) -> Bounds | None:
    return None if bounds is None else (bounds[0] - bounds[1], bounds[1] - bounds[0])


def _points_down(differences: FloatArray) -> bool:
    """Whether a column is drawn with its signs turned, so that swapping two systems mirrors the draw."""
    column = np.sort(differences[np.isfinite(differences)])
    mirrored = -column[::-1]
    away = np.flatnonzero(column != mirrored)
    return len(away) > 0 and bool(column[away[0]] < mirrored[away[0]])


def _half_sums(units: FloatArray, permutations: int, seed: int) -> FloatArray:
    if len(units) <= EXACT_UNITS:
        return every_subset_sum(units)
    rng = np.random.default_rng(seed)
    if units.shape[1] == 1:
        sizes, counts = np.unique(units[:, 0], return_counts=True)
        if len(sizes) <= max(2, len(units) // 30):
            chosen = rng.binomial(counts, 0.5, size=(permutations, len(sizes)))
            return np.asarray(chosen @ sizes[:, None], dtype=np.float64)
    return flipped_sums(units, permutations, rng)


def _crossing(score: Callable[[float], float], level: float, low: float, high: float) -> float:
    """Where a falling function passes a level between two points, by bisection."""
    if score(high) > level:
        return high
    for _ in range(60):
        middle = (low + high) / 2
        if score(middle) > level:
            low = middle
        else:
            high = middle
    return (low + high) / 2
