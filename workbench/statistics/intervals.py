"""Confidence intervals for one cell's scores: Wilson for proportions, the bootstrap for the rest.

    >>> wilson(71, 100)
    Interval(low=0.614..., high=0.789...)

A value of NaN means "not scored" and is left out. Where rows were repeated, `clusters` holds one id
a value (the row it came from): repeats of a row are not independent, so whole rows are resampled.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import nan, sqrt
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from workbench.statistics.quantiles import expanded_percentiles, two_sided_z
from workbench.statistics.resampling import (
    FloatArray,
    resample_count,
    resampled_sums,
    unit_sums,
)

Aggregate = Callable[[FloatArray], FloatArray]


class Interval(NamedTuple):
    """The two bounds of a confidence interval, in the unit of what was estimated."""

    low: float
    high: float


@dataclass(frozen=True)
class Estimate:
    """A mean (or corpus score) with its interval and the number of scored values behind it.

    With nothing scored, `mean`, `low` and `high` are NaN and `n` is 0. With one value (or one
    cluster) a bootstrap has nothing to vary: the bounds are NaN while the mean stands.
    """

    mean: float
    low: float
    high: float
    n: int


NOTHING_SCORED = Estimate(nan, nan, nan, 0)


def wilson(successes: float, n: float, confidence: float = 0.95) -> Interval:
    """Wilson's score interval for a proportion: inside [0, 1], sound for small n and for 0 or n.

    With p = successes / n and z the normal quantile:
    (p + z²/2n ± z sqrt(p (1 - p) / n + z²/4n²)) / (1 + z²/n).
    `n` may be an effective sample size and need not be whole. n = 0 gives NaN bounds.
    Source: Wilson, JASA 22, 1927; the same as statsmodels' `proportion_confint(method="wilson")`.
    """
    z = two_sided_z(confidence)
    if n <= 0:
        return Interval(nan, nan)
    p = successes / n
    centre = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z * sqrt(p * (1 - p) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    return Interval(min(p, max(0.0, centre - half)), max(p, min(1.0, centre + half)))


def proportion(
    values: npt.ArrayLike, clusters: npt.ArrayLike | None = None, confidence: float = 0.95
) -> Estimate:
    """A share of values in [0, 1] with Wilson's interval; repeats shrink the sample size.

    Without repeats this is `wilson`. With repeats, n is replaced by the effective sample size
    p (1 - p) / Var(p), where Var is the linearised between-cluster variance of the ratio
    sum / count: m / (m - 1) Σ (s_i - p c_i)² / n². It is at most n; identical repeats leave (about)
    the number of clusters, and so does a share of exactly 0 or 1, where no variance shows.
    A percentile bootstrap would give an interval of no width there.
    Source: Korn & Graubard, Survey Methodology 24, 1998; Franco, Little, Louis & Slud, Journal of
    Survey Statistics and Methodology 7, 2019.
    """
    scored, ids = _scored(values, clusters)
    n = len(scored)
    if n == 0:
        return NOTHING_SCORED
    p = float(scored.mean())
    size = float(n)
    if ids is not None:
        units = unit_sums(np.column_stack([scored, np.ones(n)]), ids)
        if len(units) < n:
            size = _effective_size(units, p, n)
    low, high = wilson(p * size, size, confidence)
    return Estimate(p, min(low, p), max(high, p), n)


def bootstrap_mean(
    values: npt.ArrayLike,
    clusters: npt.ArrayLike | None = None,
    confidence: float = 0.95,
    resamples: int | None = None,
    seed: int = 0,
) -> Estimate:
    """The mean with a bootstrap interval: whole clusters are drawn, each resample is sum / count.

    The interval is the expanded percentile interval (see `expanded_percentiles`), so that it keeps
    its level for a dozen rows. `resamples` by itself is 10,000, fewer above 2,000 units.
    Source: Efron & Tibshirani, An Introduction to the Bootstrap, 1993, chapters 8 and 13.
    """
    column = np.asarray(values, dtype=np.float64).reshape(-1)
    pairs = np.column_stack([column, np.ones(len(column))])
    return bootstrap_statistic(pairs, _ratio, clusters, confidence, resamples, seed)


def bootstrap_statistic(
    sufficient: npt.ArrayLike,
    aggregate: Aggregate,
    clusters: npt.ArrayLike | None = None,
    confidence: float = 0.95,
    resamples: int | None = None,
    seed: int = 0,
) -> Estimate:
    """A corpus score with a bootstrap interval, from each row's sufficient statistics.

    `sufficient` is (n, k); a row with a NaN is left out. `aggregate` turns summed statistics
    (..., k) into scores (...), so that a resample costs a sum and never a new scoring of texts.
    Source: Koehn, "Statistical Significance Tests for Machine Translation Evaluation", EMNLP 2004.
    """
    rows = np.asarray(sufficient, dtype=np.float64)
    keep = ~np.isnan(rows).any(axis=1)
    rows = rows[keep]
    if len(rows) == 0:
        return NOTHING_SCORED
    ids = None if clusters is None else np.asarray(clusters)[keep]
    units = unit_sums(rows, ids)
    value = float(aggregate(units.sum(axis=0)))
    low, high = bootstrap_interval(units, aggregate, confidence, resamples, seed)
    # Rounding in the sums may not push the score itself out of its interval.
    return Estimate(value, min(low, value), max(high, value), len(rows))


def bootstrap_interval(
    units: FloatArray,
    aggregate: Aggregate,
    confidence: float,
    resamples: int | None,
    seed: int,
) -> Interval:
    """The expanded percentile interval of an aggregate over units (m, k); NaN for one unit."""
    if len(units) < 2:
        return Interval(nan, nan)
    rng = np.random.default_rng(seed)
    sums = resampled_sums(units, resample_count(len(units), resamples), rng)
    return Interval(*expanded_percentiles(aggregate(sums), len(units), confidence))


def _ratio(sums: FloatArray) -> FloatArray:
    return np.asarray(sums[..., 0] / sums[..., 1])


def _scored(
    values: npt.ArrayLike, clusters: npt.ArrayLike | None
) -> tuple[FloatArray, npt.NDArray[np.generic] | None]:
    column = np.asarray(values, dtype=np.float64).reshape(-1)
    keep = ~np.isnan(column)
    return column[keep], None if clusters is None else np.asarray(clusters)[keep]


def _effective_size(units: FloatArray, p: float, n: int) -> float:
    m = len(units)
    spread = float(np.sum((units[:, 0] - p * units[:, 1]) ** 2))
    if m < 2 or spread == 0 or p in (0.0, 1.0):
        return float(m)
    variance = m / (m - 1) * spread / n**2
    return min(float(n), p * (1 - p) / variance)
