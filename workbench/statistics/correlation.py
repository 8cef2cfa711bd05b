"""Does a metric order outputs as people do? Rank correlations, and how often it prefers what they prefer.

>>> spearman([0.1, 0.4, 0.3, 0.9, 0.8], [1, 3, 2, 5, 4])
Coefficient(value=1.0, low=..., high=1.0, n=5)
>>> pairwise_accuracy(first=[0.9, 0.2, 0.5], second=[0.4, 0.1, 0.5], preference=[1, 0, 1])
Estimate(mean=0.5, low=..., high=..., n=3)
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from workbench.statistics.coefficients import NOTHING_SEEN, RESAMPLES, Coefficient, IntArray, coefficient
from workbench.statistics.intervals import Estimate, proportion
from workbench.statistics.resampling import FloatArray

_FEW_PAIRS = 1000  # distinct pairs of values up to which Kendall's τ of a resample is exact


def spearman(
    first: npt.ArrayLike,
    second: npt.ArrayLike,
    rows: npt.ArrayLike | None = None,
    *,
    confidence: float = 0.95,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Coefficient:
    """Spearman's ρ: Pearson's correlation of mean ranks, with the bootstrap over rows.

    Pairs with a NaN are left out. `rows` names each pair's dataset row: whole rows are drawn. Ranks are
    taken anew in each resample. NaN where either column has a single value.
    Raises ValueError for columns of different lengths.
    Source: Spearman, The American Journal of Psychology 15, 1904; ties as Kendall, Rank Correlation
    Methods, 1948, chapter 3.
    """
    x, y, often, clusters = _pairs(first, second, rows)
    if not len(x):
        return NOTHING_SEEN
    by_x, by_y = _Ranked(x), _Ranked(y)

    def of_weights(w: FloatArray) -> FloatArray:
        n = w.sum(axis=1, keepdims=True)
        one, two = by_x.mean_ranks(w) / n - 0.5, by_y.mean_ranks(w) / n - 0.5
        varied = [np.einsum("bp,bp->b", w, rank * rank) for rank in (one, two)]
        return _over_root(np.einsum("bp,bp->b", w, one * two), varied[0], varied[1], n[:, 0])

    return coefficient(
        of_weights, often, clusters=clusters, confidence=confidence, resamples=resamples, seed=seed
    )


def kendall(
    first: npt.ArrayLike,
    second: npt.ArrayLike,
    rows: npt.ArrayLike | None = None,
    *,
    confidence: float = 0.95,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Coefficient:
    """Kendall's τ-b: pairs ordered alike less pairs ordered otherwise, corrected for ties.

    τ_b = (C - D) / √((N - T_x) (N - T_y)) over the N pairs of pairs, T of them tied in x or in y.
    Left out, drawn, NaN and raised as for `spearman`. With more than 1,000 distinct pairs of values a
    resample's C - D, T_x and T_y are approximated by the sum of what each observation adds (Hájek's
    projection); the value itself is exact.
    Source: Kendall, "The Treatment of Ties in Ranking Problems", Biometrika 33, 1945.
    """
    x, y, often, clusters = _pairs(first, second, rows)
    if not len(x):
        return NOTHING_SEEN
    if len(x) <= _FEW_PAIRS:
        above_x, above_y = (_above(column, slice(None)).astype(np.float64) for column in (x, y))
        tables = above_x * above_y, above_x**2, above_y**2

        def of_weights(w: FloatArray) -> FloatArray:
            both, untied_x, untied_y = (np.einsum("bp,bp->b", w @ table, w) for table in tables)
            return _over_root(both, untied_x, untied_y, w.sum(axis=1) ** 2)

    else:
        told = _told(x, y, often)
        whole = often @ told

        def of_weights(w: FloatArray) -> FloatArray:
            both, untied_x, untied_y = (2 * w @ told - whole * (w.sum(axis=1, keepdims=True) / often.sum())).T
            return _over_root(both, untied_x, untied_y, w.sum(axis=1) * often.sum())

    return coefficient(
        of_weights, often, clusters=clusters, confidence=confidence, resamples=resamples, seed=seed
    )


def pairwise_accuracy(
    first: npt.ArrayLike,
    second: npt.ArrayLike,
    preference: npt.ArrayLike,
    rows: npt.ArrayLike | None = None,
    *,
    confidence: float = 0.95,
) -> Estimate:
    """How often a metric prefers the output that people prefer; a metric's tie counts half.

    Args:
        first, second: the metric's scores of the two outputs, higher being better.
        preference: 1 the first is preferred, 0 the second. Ties of people (0.5) and NaN are left out: the
            share is that of decided pairs.
        rows: the dataset row of each pair; pairs of one row are not independent.

    The interval is Wilson's with the effective number of pairs (`proportion`).
    Raises ValueError for columns of different lengths or another preference.
    """
    one, two, liked = (np.asarray(c, dtype=np.float64).reshape(-1) for c in (first, second, preference))
    if not len(one) == len(two) == len(liked):
        raise ValueError("scores and preferences are columns of the same length")
    if not np.isin(liked[~np.isnan(liked)], (0.0, 0.5, 1.0)).all():
        raise ValueError("a preference is 1 (the first), 0 (the second) or 0.5 (a tie)")
    keep = ~(np.isnan(one) | np.isnan(two) | np.isnan(liked)) & (liked != 0.5)
    chosen = np.where(one == two, 0.5, one > two)
    right = np.where(liked == 1, chosen, 1 - chosen)[keep]
    return proportion(right, None if rows is None else np.asarray(rows).reshape(-1)[keep], confidence)


class _Ranked:
    """Mean ranks of a column whose values are repeated by weights."""

    def __init__(self, column: FloatArray) -> None:
        self._order = np.argsort(column, kind="stable")
        _, self._starts, place = np.unique(column[self._order], return_index=True, return_inverse=True)
        self._place = np.empty(len(column), dtype=np.intp)
        self._place[self._order] = place.reshape(-1)

    def mean_ranks(self, weights: FloatArray) -> FloatArray:
        totals = np.add.reduceat(weights[:, self._order], self._starts, axis=1)
        ranks = np.cumsum(totals, axis=1) - totals / 2
        return np.asarray(ranks[:, self._place], dtype=np.float64)


def _pairs(
    first: npt.ArrayLike, second: npt.ArrayLike, rows: npt.ArrayLike | None
) -> tuple[FloatArray, FloatArray, IntArray, npt.NDArray[np.generic] | None]:
    """Distinct pairs and how often each is there; with rows that repeat, each pair by itself."""
    x, y = (np.asarray(column, dtype=np.float64).reshape(-1) for column in (first, second))
    ids = None if rows is None else np.asarray(rows).reshape(-1)
    if len(x) != len(y) or (ids is not None and len(ids) != len(x)):
        raise ValueError("two columns that are correlated, and their rows, have the same length")
    keep = ~(np.isnan(x) | np.isnan(y))
    x, y = x[keep], y[keep]
    if ids is not None and len(np.unique(ids[keep])) < len(x):
        order = np.lexsort((y, x))
        return x[order], y[order], np.ones(len(x), dtype=np.int64), ids[keep][order]
    pairs, often = np.unique(np.column_stack([x, y]), axis=0, return_counts=True)
    return pairs[:, 0], pairs[:, 1], often, None


def _told(x: FloatArray, y: FloatArray, often: IntArray) -> FloatArray:
    """What each pair adds to C - D and to the pairs untied in x and in y: (pairs, 3)."""
    told = np.empty((len(x), 3))
    for place, column in ((1, x), (2, y)):
        _, value = np.unique(column, return_inverse=True)
        told[:, place] = often.sum() - np.bincount(value, often)[value]
    weight = often.astype(np.float32)  # whole numbers that sum to less than 2^24: exact
    for start in range(0, len(x), 200):
        part = slice(start, start + 200)
        told[part, 0] = (_above(x, part) * _above(y, part)).astype(np.float32) @ weight
    return told


def _above(column: FloatArray, part: slice) -> npt.NDArray[np.int8]:
    """The sign of each value of a part less each of all, in a byte."""
    here = column[part, None]
    return np.asarray((here > column).view(np.int8) - (here < column).view(np.int8), dtype=np.int8)


def _over_root(both: FloatArray, first: FloatArray, second: FloatArray, size: FloatArray) -> FloatArray:
    found = np.full(len(both), np.nan)
    there = (first > 1e-12 * size) & (second > 1e-12 * size)
    root = np.sqrt(np.where(there, first, 1.0)) * np.sqrt(np.where(there, second, 1.0))
    np.divide(both, root, out=found, where=there)
    return np.asarray(np.clip(found, -1.0, 1.0), dtype=np.float64)
