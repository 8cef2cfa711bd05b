"""Confidence intervals for one cell's scores: Wilson's for proportions, the bootstrap for the rest.

    >>> wilson(71, 100)
    Interval(low=0.614..., high=0.789...)
    >>> bootstrap_mean([0.2, 0.9, 0.4, 0.7], bounds=(0, 1))
    Estimate(mean=0.55, low=0.07..., high=0.99..., n=4)

A value of NaN means "not scored" and is left out. An infinite one is scored: the mean is infinite (or
NaN) and has no bounds. Where rows were repeated, `clusters` holds one id a value (the row it came from):
repeats of a row are not independent, so whole rows are resampled.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite, nan, sqrt
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from workbench.statistics.quantiles import gamma_quantile, two_sided_z
from workbench.statistics.resampling import FloatArray, unit_sums
from workbench.statistics.studentized import Aggregate, Bounds, mean_bounds, statistic_bounds


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


def share_interval(successes: float, n: float, confidence: float = 0.95) -> Interval:
    """Wilson's interval, wider next to 0 and n, where its own covers as little as 84 % for 95.

    With at most 2 successes (3 for n above 50) the lower bound is at most λ / n, where λ is the
    Poisson mean that gives as many or more with probability 1 - confidence; failures likewise. The
    worst coverage over all shares rises to about 92 %; elsewhere it is Wilson's.
    Source: Brown, Cai & DasGupta, "Interval Estimation for a Binomial Proportion", Statistical
    Science 16, 2001, section 4.1.1.
    """
    low, high = wilson(successes, n, confidence)
    few = 2 if n <= 50 else 3
    if 0 < successes <= few:
        low = min(low, gamma_quantile(1 - confidence, successes) / n)
    if 0 < n - successes <= few:
        high = max(high, 1 - gamma_quantile(1 - confidence, n - successes) / n)
    return Interval(low, high)


def proportion(
    values: npt.ArrayLike, clusters: npt.ArrayLike | None = None, confidence: float = 0.95
) -> Estimate:
    """A share of values in [0, 1] with `share_interval`; repeats shrink the sample size.

    With repeats, n is replaced by the effective sample size p (1 - p) / Var(p), where Var is the
    linearised between-cluster variance of the ratio sum / count: m / (m - 1) Σ (s_i - p c_i)² / n².
    Of k clusters with the rarer outcome one can learn little about Var, so that p (1 - p) / m, that
    of identical repeats, is averaged in with weight 1 against k: without it coverage falls to 90 %
    for 30 rows and p = 0.05. The size is at most n; identical repeats leave (about) the number of
    clusters, and so does a share of exactly 0 or 1, where no variance shows.
    Source: Korn & Graubard, Survey Methodology 24, 1998; Franco, Little, Louis & Slud, Journal of
    Survey Statistics and Methodology 7, 2019.
    """
    scored, ids = _scored(values, clusters)
    n = len(scored)
    if n == 0:
        return NOTHING_SCORED
    with np.errstate(invalid="ignore"):
        p = float(scored.mean())
    if not isfinite(p):
        return Estimate(p, nan, nan, n)
    units = unit_sums(np.column_stack([scored, np.ones(n)]), ids)
    _, low, high = share_of_units(units, confidence)
    return Estimate(p, low, high, n)


def share_of_units(units: FloatArray, confidence: float = 0.95) -> tuple[float, float, float]:
    """The share and interval of `proportion` from units (m, 2), each a sum of values and a count."""
    n = float(units[:, 1].sum())
    p = float(units[:, 0].sum()) / n
    size = _effective_size(units, p, n) if len(units) < n else n
    low, high = share_interval(p * size, size, confidence)
    return p, min(low, p), max(high, p)


def bootstrap_mean(
    values: npt.ArrayLike,
    clusters: npt.ArrayLike | None = None,
    confidence: float = 0.95,
    resamples: int | None = None,
    seed: int = 0,
    bounds: Bounds | None = None,
) -> Estimate:
    """The mean with a bootstrap interval: whole clusters are drawn, each resample is sum / count.

    `bounds` are the least and the greatest possible value; the interval stays within, and where all
    values are tied it still has a width. `resamples` by itself is 10,000, fewer above 2,000 units.
    The order of the values does not matter. See the module `studentized` for formula and source.
    """
    scored, ids = _scored(values, clusters)
    if len(scored) == 0:
        return NOTHING_SCORED
    units = unit_sums(np.column_stack([scored, np.ones(len(scored))]), ids)
    mean, low, high = mean_bounds(units, confidence, resamples, seed, bounds)
    return Estimate(mean, low, high, len(scored))


def bootstrap_statistic(
    sufficient: npt.ArrayLike,
    aggregate: Aggregate,
    clusters: npt.ArrayLike | None = None,
    confidence: float = 0.95,
    resamples: int | None = None,
    seed: int = 0,
    bounds: Bounds | None = None,
) -> Estimate:
    """A corpus score with a bootstrap interval, from each row's sufficient statistics.

    `sufficient` is (n, k); a row with a NaN is left out. `aggregate` turns summed statistics
    (..., k) into scores (...), so that a resample costs a sum and never a new scoring of texts.
    `bounds` are the score's least and greatest possible value.
    Source: Koehn, "Statistical Significance Tests for Machine Translation Evaluation", EMNLP 2004,
    for resampling rows of sums; the module `studentized` for the interval.
    """
    rows = np.asarray(sufficient, dtype=np.float64)
    keep = ~np.isnan(rows).any(axis=1)
    rows = rows[keep]
    if len(rows) == 0:
        return NOTHING_SCORED
    ids = None if clusters is None else np.asarray(clusters)[keep]
    units = unit_sums(rows, ids)
    value, low, high = statistic_bounds(units, aggregate, confidence, resamples, seed, bounds)
    return Estimate(value, low, high, len(rows))


def _scored(
    values: npt.ArrayLike, clusters: npt.ArrayLike | None
) -> tuple[FloatArray, npt.NDArray[np.generic] | None]:
    column = np.asarray(values, dtype=np.float64).reshape(-1)
    keep = ~np.isnan(column)
    return column[keep], None if clusters is None else np.asarray(clusters)[keep]


def _effective_size(units: FloatArray, p: float, n: float) -> float:
    m = len(units)
    spread = float(np.sum((units[:, 0] - p * units[:, 1]) ** 2))
    if m < 2 or spread == 0 or p in (0.0, 1.0):
        return float(m)
    variance = m / (m - 1) * spread / n**2
    seen = min(int(np.count_nonzero(units[:, 0])), int(np.count_nonzero(units[:, 0] < units[:, 1])))
    variance = (seen * variance + p * (1 - p) / m) / (seen + 1)
    return min(n, p * (1 - p) / variance)
