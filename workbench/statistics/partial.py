"""Does a metric go with something beyond what people's judgement explains? The partial rank correlation.

>>> partial_spearman(judge, length, people)
Coefficient(value=0.31..., low=0.12..., high=0.47..., n=240)
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from workbench.statistics.coefficients import NOTHING_SEEN, RESAMPLES, Coefficient, coefficient
from workbench.statistics.resampling import FloatArray


def partial_spearman(
    first: npt.ArrayLike,
    second: npt.ArrayLike,
    given: npt.ArrayLike,
    rows: npt.ArrayLike | None = None,
    *,
    confidence: float = 0.95,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Coefficient:
    """Spearman's ρ of two columns with a third held fixed, with the bootstrap over rows.

        ρ = (r₁₂ - r₁₃ r₂₃) / √((1 - r₁₃²) (1 - r₂₃²)),  r the correlations of mean ranks

    Entries with a NaN are left out; `rows` names each entry's dataset row, and whole rows are drawn. Ranks
    are those among all entries, in every resample. NaN where a column has a single value, or the third
    determines one of the others. Raises ValueError for columns of different lengths.
    Source: Kendall, "Partial Rank Correlation", Biometrika 32, 1942, for the formula; Conover, Practical
    Nonparametric Statistics, 1999, section 5.4, for ranks in Pearson's place.
    """
    columns = [np.asarray(column, dtype=np.float64).reshape(-1) for column in (first, second, given)]
    ids = None if rows is None else np.asarray(rows).reshape(-1)
    if len({len(column) for column in columns} | (set() if ids is None else {len(ids)})) != 1:
        raise ValueError("three columns, and their rows, have the same length")
    table = np.column_stack(columns)
    kept = ~np.isnan(table).any(axis=1)
    table = table[kept]
    if not len(table):
        return NOTHING_SEEN
    clusters = None if ids is None else ids[kept]
    order = np.lexsort(table.T)  # so that the order in which they come changes nothing
    ranks = np.column_stack([_mean_ranks(column) for column in table[order].T])
    ranks -= ranks.mean(axis=0)
    pairs = [(0, 0), (1, 1), (2, 2), (0, 1), (0, 2), (1, 2)]
    products = np.column_stack([ranks[:, i] * ranks[:, j] for i, j in pairs])

    def of_weights(w: FloatArray) -> FloatArray:
        n = w.sum(axis=1, keepdims=True)
        mean, moment = w @ ranks / n, w @ products / n
        covariance = moment - np.column_stack([mean[:, i] * mean[:, j] for i, j in pairs])
        return _partial(covariance)

    return coefficient(
        of_weights,
        np.ones(len(table), dtype=np.int64),
        clusters=None if clusters is None else clusters[order],
        confidence=confidence,
        resamples=resamples,
        seed=seed,
    )


def _partial(covariance: FloatArray) -> FloatArray:
    one, two, third, one_two, one_third, two_third = covariance.T
    size = np.maximum(1e-12, 1e-12 * np.maximum(one, two))
    found = np.full(len(covariance), np.nan)
    there = (one > size) & (two > size) & (third > 1e-12)
    safe = np.where(there, third, 1.0)
    left, right = one - one_third**2 / safe, two - two_third**2 / safe
    there &= (left > size) & (right > size)
    root = np.sqrt(np.where(there, left * right, 1.0))
    np.divide(one_two - one_third * two_third / safe, root, out=found, where=there)
    return np.asarray(np.clip(found, -1.0, 1.0), dtype=np.float64)


def _mean_ranks(column: FloatArray) -> FloatArray:
    _, place, often = np.unique(column, return_inverse=True, return_counts=True)
    ranks = np.cumsum(often) - (often - 1) / 2
    return np.asarray(ranks[place.reshape(-1)], dtype=np.float64)
