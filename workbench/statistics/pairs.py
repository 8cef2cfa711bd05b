"""Every pair of cells compared at once, with the same resamples and sign flips for all of them.

    >>> found = compare_all_pairs([[0.1, 0.4, 0.9], [0.3, 0.4, 0.8], [0.9, 0.9, 1.0]])
    >>> found.first, found.second, found.difference
    (array([0, 0, 1]), array([1, 2, 2]), array([0.033..., 0.466..., 0.433...]))

Drawing resamples is nearly all that a comparison costs, so that six pairs cost little more than one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from workbench.statistics.multiple import holm
from workbench.statistics.paired import EXACT_UNITS, compare_paired, permutation_test
from workbench.statistics.quantiles import two_sided_z
from workbench.statistics.resampling import (
    MAX_RESAMPLES,
    FloatArray,
    flipped_sums,
    resampled_sums,
    tail_share,
    unit_sums,
)
from workbench.statistics.studentized import Bounds, interval_ends

IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True)
class AllPairs:
    """Comparisons of cells `first` < `second`, one entry a pair; a difference is second - first.

    `low`..`high` is its interval, `p` two-sided, `p_adjusted` Holm's over all pairs, `n` the values
    that both scored, `differing` those scored differently. NaN where nothing can be said.
    """

    first: IntArray
    second: IntArray
    difference: FloatArray
    low: FloatArray
    high: FloatArray
    p: FloatArray
    p_adjusted: FloatArray
    n: IntArray
    differing: IntArray


def compare_all_pairs(
    scores: npt.ArrayLike,
    clusters: npt.ArrayLike | None = None,
    *,
    resamples: int = MAX_RESAMPLES,
    confidence: float = 0.95,
    seed: int = 0,
    bounds: Bounds | None = None,
) -> AllPairs:
    """Compare each pair of cells over the rows that both scored.

    Args:
        scores: (cells, rows), NaN where a cell has no score for a row.
        clusters: one id a row, equal for repeats of the same dataset row.
        resamples: of the bootstrap, and sign flips of the test.
        bounds: a score's least and greatest possible value.

    Formulas and sources are those of `compare_paired`: right-or-wrong scores without repeats get
    Tango's interval and McNemar's exact p, others the bootstrap-t interval and the sign-flip p, equal
    to those of the pair alone up to the error of drawing. p-values are adjusted over all pairs.
    Raises ValueError where `scores` is no table of cells and rows, or `clusters` does not fit it.
    """
    two_sided_z(confidence)
    table = np.asarray(scores, dtype=np.float64)
    if table.ndim != 2:
        raise ValueError(f"scores are a table (cells, rows), not of shape {table.shape}")
    ids = None if clusters is None else np.asarray(clusters).reshape(-1)
    if ids is not None and len(ids) != table.shape[1]:
        raise ValueError(f"{len(ids)} clusters do not fit {table.shape[1]} rows")
    if ids is not None and len(np.unique(ids)) == len(ids):
        ids = None
    first, second = (places.astype(np.int64) for places in np.triu_indices(len(table), 1))
    with np.errstate(invalid="ignore"):
        apart = np.where(table[first] == table[second], 0.0, table[second] - table[first])
    scored = ~(np.isnan(table[first]) | np.isnan(table[second]))
    n = scored.sum(axis=1)
    differing = (scored & (apart != 0)).sum(axis=1)
    if ids is None and bool(np.isin(table[~np.isnan(table)], (0, 1)).all()):
        lines = [
            compare_paired(table[i], table[j], confidence=confidence)
            for i, j in zip(first, second, strict=True)
        ]
        columns = [[line.difference, line.low, line.high, line.p] for line in lines]
        difference, low, high, p = np.array(columns, dtype=np.float64).reshape(-1, 4).T
    else:
        difference, low, high, p = _by_resampling(apart, scored, ids, resamples, confidence, seed, bounds)
    adjusted = np.array(holm([float(value) for value in p]), dtype=np.float64)
    return AllPairs(first, second, difference, low, high, p, adjusted, n, differing)


def _by_resampling(
    apart: FloatArray,
    scored: npt.NDArray[np.bool_],
    ids: npt.NDArray[np.generic] | None,
    resamples: int,
    confidence: float,
    seed: int,
    bounds: Bounds | None,
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    pairs = len(apart)
    finite = np.isfinite(apart) | ~scored
    sound = finite.all(axis=1) & scored.any(axis=1)
    sums = unit_sums(np.where(scored & finite, apart, 0.0).T, ids)
    counts = unit_sums(scored.T.astype(np.float64), ids)
    difference = np.full(pairs, np.nan)
    with np.errstate(invalid="ignore"):
        total = np.where(scored, apart, 0.0).sum(axis=1)
        np.divide(total, scored.sum(axis=1), out=difference, where=scored.any(axis=1))
    low, high, p = (np.full(pairs, np.nan) for _ in range(3))
    same = sound & ~sums.any(axis=0)
    p[same] = 1.0
    low[same & _several(counts)] = high[same & _several(counts)] = 0.0
    varied = np.flatnonzero(sound & ~same)
    if len(varied):
        p[varied] = _flip_p(sums[:, varied], resamples, seed)
    varied = varied[_several(counts[:, varied])]
    if len(varied):
        low[varied], high[varied] = _intervals(
            sums[:, varied], counts[:, varied], difference[varied], resamples, confidence, seed
        )
        if bounds is not None:
            span = bounds[1] - bounds[0]
            low, high = np.maximum(low, -span), np.minimum(high, span)
    return difference, low, high, p


def _several(counts: FloatArray) -> npt.NDArray[np.bool_]:
    return np.asarray((counts > 0).sum(axis=0) > 1)


def _intervals(
    sums: FloatArray,
    counts: FloatArray,
    difference: FloatArray,
    resamples: int,
    confidence: float,
    seed: int,
) -> tuple[FloatArray, FloatArray]:
    units, pairs = sums.shape
    mean_count = counts.mean(axis=0)
    influence = (sums - difference * counts) / mean_count
    scale = np.maximum(np.abs(influence).max(axis=0), 1e-200)
    influence /= scale
    columns = [influence, influence**2]
    uneven = bool(np.ptp(counts, axis=0).any())
    if uneven:
        columns.append(counts)
    drawn = resampled_sums(np.hstack(columns), resamples, np.random.default_rng(seed))
    moved = drawn[:, :pairs] * (1.0 if not uneven else mean_count / np.maximum(drawn[:, 2 * pairs :], 1.0))
    if not uneven:
        moved = moved / units
    moments = np.stack([drawn[:, :pairs], drawn[:, pairs : 2 * pairs]], axis=-1)
    variance = (influence**2).sum(axis=0) / (units - 1)
    flat = variance <= 1e-20
    below, above = interval_ends(moved, moments, np.where(flat, 1.0, variance), units, confidence)
    reach = np.where(flat, 0.0, scale)
    low, high = difference + below * reach, difference + above * reach
    return np.minimum(low, difference), np.maximum(high, difference)


def _flip_p(sums: FloatArray, permutations: int, seed: int) -> FloatArray:
    """Two-sided p of each column of unit sums; the signs of a unit are turned in all columns at once."""
    few = np.count_nonzero(sums, axis=0) <= EXACT_UNITS
    p = np.empty(sums.shape[1])
    for pair in np.flatnonzero(few):
        p[pair] = permutation_test(sums[:, pair])
    many = np.flatnonzero(~few)
    if len(many):
        half = flipped_sums(sums[:, many], permutations, np.random.default_rng(seed))
        for place, pair in enumerate(many):
            total = float(sums[:, pair].sum())
            p[pair] = tail_share(total - 2 * half[:, place], total, exact=False)
    return p
