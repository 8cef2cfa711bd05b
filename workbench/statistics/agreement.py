"""Do raters agree? Percent, Cohen's and Fleiss' κ, Krippendorff's α, with intervals over items.

    >>> krippendorff_alpha([[1, 1, nan], [2, 2, 3], [3, 3, 3], [2, 1, 2]], level="ordinal")
    Coefficient(value=0.73..., low=..., high=1.0, n=4)

Ratings are a table (items, raters), NaN where a rater did not rate an item. Items that fewer than two
rated say nothing of agreement and are left out; `n` counts the others. Where all values are the same there is
no chance to disagree: κ and α are then not defined (NaN), percent agreement is 1. Items are drawn into
resamples, each with all that was said of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from workbench.statistics.coefficients import (
    NOTHING_SEEN,
    RESAMPLES,
    Coefficient,
    IntArray,
    OfWeights,
    coefficient,
)
from workbench.statistics.resampling import FloatArray

Level = Literal["nominal", "ordinal", "interval"]
Weighting = Literal["none", "quadratic"]

_FEW_VALUES = 64  # above, ordinal ranks are those of all items in every resample


def rating_table(
    items: npt.ArrayLike, raters: npt.ArrayLike, values: npt.ArrayLike
) -> tuple[FloatArray, npt.NDArray[np.generic], npt.NDArray[np.generic]]:
    """Ratings one by one as a table (items, raters), with the ids of its lines and columns, sorted.

    Of several values of one rater for one item the last counts.
    """
    item_ids, item = np.unique(np.asarray(items).reshape(-1), return_inverse=True)
    rater_ids, rater = np.unique(np.asarray(raters).reshape(-1), return_inverse=True)
    value = np.asarray(values, dtype=np.float64).reshape(-1)
    if not len(item) == len(rater) == len(value):
        raise ValueError("items, raters and values are columns of the same length")
    table = np.full((len(item_ids), len(rater_ids)), np.nan)
    for place in np.flatnonzero(~np.isnan(value)):
        table[item[place], rater[place]] = value[place]
    return table, item_ids, rater_ids


def percent_agreement(
    ratings: npt.ArrayLike, *, confidence: float = 0.95, resamples: int = RESAMPLES, seed: int = 0
) -> Coefficient:
    """The share of pairs of raters that say the same of an item, 0 to 1; the mean over items.

    With n_c of an item's m raters in category c: Σ n_c (n_c - 1) / m (m - 1), Fleiss' P_i.
    """
    seen = _Patterns.of(ratings)
    alike, ones = _alike(seen.counts()), np.ones(len(seen.often))
    return coefficient(
        lambda w: _ratio(w @ alike, w @ ones),
        seen.often,
        confidence=confidence,
        resamples=resamples,
        seed=seed,
        bounds=(0.0, 1.0),
    )


def cohen_kappa(
    first: npt.ArrayLike,
    second: npt.ArrayLike,
    weights: Weighting = "none",
    *,
    confidence: float = 0.95,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Coefficient:
    """Agreement of two raters beyond what their own habits give by chance, at most 1.

    κ = 1 - D_o / D_e, where D_o is the mean disagreement of the items that both rated and D_e that of
    their values drawn independently: 1 for different values, or their squared difference.
    Raises ValueError for columns of different lengths or another weighting.
    Sources: Cohen, Educational and Psychological Measurement 20, 1960, and Psychological Bulletin 70,
    1968, for weights.
    """
    if weights not in get_args(Weighting):
        raise ValueError(f"weights are 'none' or 'quadratic', not {weights!r}")
    one, two = (np.asarray(column, dtype=np.float64).reshape(-1) for column in (first, second))
    if len(one) != len(two):
        raise ValueError(f"two raters' columns have the same length, not {len(one)} and {len(two)}")
    if np.isinf(one).any() or np.isinf(two).any():
        raise ValueError("a rating is a number or NaN, never infinite")
    both = ~(np.isnan(one) | np.isnan(two))
    said, often = np.unique(np.column_stack([one[both], two[both]]), axis=0, return_counts=True)
    if not len(said):
        return NOTHING_SEEN
    if weights == "quadratic":
        said = _unit_scale(said)
        squares, apart = said**2, (said[:, 0] - said[:, 1]) ** 2

        def of_weights(w: FloatArray) -> FloatArray:
            n, mean, square = w.sum(axis=1), w @ said, w @ squares
            by_chance = square.sum(axis=1) / n - 2 * mean[:, 0] * mean[:, 1] / n**2
            return 1 - _ratio(w @ apart / n, by_chance)
    else:
        values = np.unique(said)
        left, right = ((said[:, [k]] == values).astype(np.float64) for k in (0, 1))
        differ = (said[:, 0] != said[:, 1]).astype(np.float64)

        def of_weights(w: FloatArray) -> FloatArray:
            n = w.sum(axis=1)
            by_chance = 1 - ((w @ left) * (w @ right)).sum(axis=1) / n**2
            return 1 - _ratio(w @ differ / n, by_chance)

    return coefficient(of_weights, often, confidence=confidence, resamples=resamples, seed=seed)


def fleiss_kappa(
    ratings: npt.ArrayLike, *, confidence: float = 0.95, resamples: int = RESAMPLES, seed: int = 0
) -> Coefficient:
    """Agreement of several raters on categories beyond chance.

    κ = (P - P_e) / (1 - P_e), P the mean of `percent_agreement`, P_e = Σ p_c² with p_c the share of all
    values in category c. Where items have different numbers of raters, each item weighs the same in P.
    Source: Fleiss, "Measuring Nominal Scale Agreement Among Many Raters", Psychological Bulletin 76, 1971.
    """
    seen = _Patterns.of(ratings)
    counts = seen.counts()
    alike, ones = _alike(counts), np.ones(len(seen.often))

    def of_weights(w: FloatArray) -> FloatArray:
        total = w @ counts
        by_chance = ((total / total.sum(axis=1, keepdims=True)) ** 2).sum(axis=1)
        return 1 - _ratio(1 - w @ alike / (w @ ones), 1 - by_chance)

    return coefficient(of_weights, seen.often, confidence=confidence, resamples=resamples, seed=seed)


def krippendorff_alpha(
    ratings: npt.ArrayLike,
    level: Level = "nominal",
    *,
    confidence: float = 0.95,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Coefficient:
    """Krippendorff's α: any number of raters, missing values, three levels of measurement.

    α = 1 - D_o / D_e. D_o is the mean disagreement δ² of the pairs of values within items, each value
    weighing the same (a pair of an item of m values counts 1 / (m - 1)); D_e that of all pairs of values.
    δ² is 1 for different values (nominal), the squared difference (interval), or the squared difference of
    their mean ranks among all values (ordinal), which is Krippendorff's (Σ n_g - (n_c + n_k) / 2)².
    With few distinct values ranks are taken anew in each resample; with more than 64 they are kept.

    Raises ValueError for another level, or ratings that are no table.
    Sources: Krippendorff, Content Analysis, 2004, chapter 11; Hayes & Krippendorff, Communication Methods and
    Measures 1, 2007; Zapf et al., BMC Medical Research Methodology 16, 2016, on the bootstrap over items.
    """
    if level not in get_args(Level):
        raise ValueError(f"a level is 'nominal', 'ordinal' or 'interval', not {level!r}")
    seen = _Patterns.of(ratings)
    if level == "nominal":
        of_weights = _nominal(seen.counts())
    elif level == "ordinal" and len(seen.values) <= _FEW_VALUES:
        of_weights = _ordinal(seen.counts())
    else:
        of_weights = _interval(seen, _mean_ranks(seen.totals()) if level == "ordinal" else seen.values)
    return coefficient(of_weights, seen.often, confidence=confidence, resamples=resamples, seed=seed)


@dataclass(frozen=True)
class _Patterns:
    """What was said of items: `codes` (patterns, raters) point into `values`, -1 for none, sorted."""

    codes: IntArray
    often: IntArray
    values: FloatArray

    @classmethod
    def of(cls, ratings: npt.ArrayLike) -> _Patterns:
        table = np.asarray(ratings, dtype=np.float64)
        if table.ndim != 2:
            raise ValueError(f"ratings are a table (items, raters), not of shape {table.shape}")
        if np.isinf(table).any():
            raise ValueError("a rating is a number or NaN, never infinite")
        table = table[(~np.isnan(table)).sum(axis=1) >= 2]
        there = ~np.isnan(table)
        values, places = np.unique(table[there], return_inverse=True)
        codes = np.full(table.shape, -1, dtype=np.int64)
        codes[there] = places.reshape(-1)
        codes.sort(axis=1)
        base = len(values) + 1
        if table.shape[1] * np.log2(base) < 62:
            _, first, often = np.unique(
                (codes + 1) @ base ** np.arange(table.shape[1]), return_index=True, return_counts=True
            )
            return cls(codes[first], often, values)
        distinct, often = np.unique(codes, axis=0, return_counts=True)
        return cls(distinct, often, values)

    @property
    def raters(self) -> FloatArray:
        """How many rated the items of each pattern."""
        return np.asarray((self.codes >= 0).sum(axis=1), dtype=np.float64)

    def counts(self) -> FloatArray:
        """(patterns, values): how many raters gave each value."""
        size = len(self.values) + 1
        cell = np.arange(len(self.codes))[:, None] * size + self.codes + 1
        counts = np.bincount(cell.reshape(-1), minlength=len(self.codes) * size)
        return np.asarray(counts.reshape(-1, size)[:, 1:], dtype=np.float64)

    def totals(self) -> FloatArray:
        """How often each value was given in all."""
        often = np.broadcast_to(self.often[:, None], self.codes.shape)
        there = self.codes >= 0
        totals = np.bincount(self.codes[there], often[there], len(self.values))
        return np.asarray(totals, dtype=np.float64)


def _alike(counts: FloatArray) -> FloatArray:
    raters = counts.sum(axis=1)
    return np.asarray((counts * (counts - 1)).sum(axis=1) / (raters * (raters - 1)), dtype=np.float64)


def _nominal(counts: FloatArray) -> OfWeights:
    raters = counts.sum(axis=1)
    within = (raters**2 - (counts**2).sum(axis=1)) / (raters - 1)

    def of_weights(w: FloatArray) -> FloatArray:
        total = w @ counts
        n = total.sum(axis=1)
        return 1 - _ratio((w @ within) * (n - 1), n**2 - (total**2).sum(axis=1))

    return of_weights


def _interval(seen: _Patterns, scores: FloatArray) -> OfWeights:
    """By sums: of all pairs Σ (x - y)² = 2 m Σ x² - 2 (Σ x)²."""
    scores = _unit_scale(scores)
    x = np.where(seen.codes >= 0, np.append(scores, 0.0)[seen.codes], 0.0)
    raters, one, two = seen.raters, x.sum(axis=1), (x**2).sum(axis=1)
    within = 2 * (raters * two - one**2) / (raters - 1)
    columns = np.column_stack([np.maximum(0.0, within), raters, one, two])

    def of_weights(w: FloatArray) -> FloatArray:
        inside, n, total, squares = (w @ columns).T
        return 1 - _ratio(inside * (n - 1) / n**2, 2 * (squares / n - (total / n) ** 2))

    return of_weights


def _ordinal(counts: FloatArray) -> OfWeights:
    """As for intervals, with mean ranks that follow each resample."""
    raters = counts.sum(axis=1)
    own = counts * (2 * raters / (raters - 1))[:, None]

    def of_weights(w: FloatArray) -> FloatArray:
        total = w @ counts
        n = total.sum(axis=1)
        rank = _mean_ranks(total) / n[:, None] - 0.5
        inside = ((w @ own) * rank**2).sum(axis=1)
        inside -= ((rank @ counts.T) ** 2 * (w * (2 / (raters - 1)))).sum(axis=1)
        apart = 2 * ((total * rank**2).sum(axis=1) / n - ((total * rank).sum(axis=1) / n) ** 2)
        return 1 - _ratio(inside * (n - 1) / n**2, apart)

    return of_weights


def _mean_ranks(totals: FloatArray) -> FloatArray:
    return np.asarray(np.cumsum(totals, axis=-1) - totals / 2, dtype=np.float64)


def _unit_scale(scores: FloatArray) -> FloatArray:
    """The same within 1 of each other and around 0: squares of what is far from 0 would lose digits."""
    if not scores.size:
        return scores
    width = float(np.ptp(scores))
    return np.asarray((scores - scores.mean()) / (width or 1.0), dtype=np.float64)


def _ratio(part: FloatArray, whole: FloatArray) -> FloatArray:
    """NaN where nothing could differ: the whole is 0 up to rounding."""
    found = np.full(np.shape(whole), np.nan)
    np.divide(part, whole, out=found, where=np.asarray(whole) > 1e-12)
    return found
