"""The bootstrap-t: bootstrap intervals that follow the skew of what was scored.

A percentile interval of 30 skewed scores covers 84 to 91 % where 95 are promised; this one 91 to 96.
With u the influence of each unit on the score θ, s² their variance, and * a resample of the m units:

    t* = (θ* - θ) / se*,   se*² = (s*² + s² / m) / m,   interval = θ - q(t*) se,   se² = s² / m

where the quantiles q of t* change ends. A resample's own variance s*² is what makes it follow the
skew; s² / m, the weight of one unit more, keeps t* finite where a resample holds equal units only.

Sources: Efron & Tibshirani, An Introduction to the Bootstrap, 1993, section 12.5; Hall, The Annals of
Statistics 16, 1988, on why it is second-order correct.
"""

from __future__ import annotations

from collections.abc import Callable
from math import isfinite, nan, sqrt

import numpy as np

from workbench.statistics.quantiles import expanded_percentiles, two_sided_z
from workbench.statistics.resampling import FloatArray, resample_count, resampled_sums

Aggregate = Callable[[FloatArray], FloatArray]
Bounds = tuple[float, float]
ValueAndBounds = tuple[float, float, float]

_FLAT = 1e-10  # a spread this small beside the score is rounding


def mean_bounds(
    units: FloatArray, confidence: float, resamples: int | None, seed: int, bounds: Bounds | None = None
) -> ValueAndBounds:
    """The mean of units (m, 2), each a sum and a count, with its interval; NaN bounds for one unit."""
    two_sided_z(confidence)
    count = units[:, 1].mean()
    with np.errstate(invalid="ignore", over="ignore"):
        value = float(units[:, 0].sum() / units[:, 1].sum())
    if len(units) < 2 or not isfinite(value):
        return value, nan, nan
    influence = (units[:, 0] - value * units[:, 1]) / count
    if _flat(influence, value):
        return value, *tied_bounds(value, len(units), confidence, bounds)
    scale = float(np.abs(influence).max())  # squares of what is very small or large would be lost
    influence /= scale
    sums = _resampled(np.column_stack([influence, influence**2, units[:, 1]]), resamples, seed)
    moved = sums[:, 0] * count / sums[:, 2]
    return value, *_studentized(value, scale, influence, moved, sums[:, :2], confidence, bounds)


def statistic_bounds(
    units: FloatArray,
    aggregate: Aggregate,
    confidence: float,
    resamples: int | None,
    seed: int,
    bounds: Bounds | None = None,
) -> ValueAndBounds:
    """An aggregate of units (m, k) with its interval; NaN bounds for one unit.

    Influences are by the jackknife: (m - 1) (θ - θ without the unit). Where one is not defined, the
    expanded percentile interval stands in.
    """
    two_sided_z(confidence)
    total = units.sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        value = float(aggregate(total))
        if len(units) < 2 or not isfinite(value):
            return value, nan, nan
        influence = (len(units) - 1) * (value - np.asarray(aggregate(total - units), dtype=np.float64))
        influence -= influence.mean()
        smooth = bool(np.isfinite(influence).all())
        if smooth and _flat(influence, value):
            return value, *tied_bounds(value, len(units), confidence, bounds)
        if not smooth:
            replicates = aggregate(_resampled(units, resamples, seed))
            replicates = replicates[np.isfinite(replicates)]
            if len(replicates) < 2:
                return value, nan, nan
            low, high = expanded_percentiles(replicates, len(units), confidence)
            return value, *_held(value, low, high, bounds)
        scale = float(np.abs(influence).max())
        influence /= scale
        sums = _resampled(np.column_stack([units, influence, influence**2]), resamples, seed)
        moved = (np.asarray(aggregate(sums[:, :-2])) - value) / scale
    return value, *_studentized(value, scale, influence, moved, sums[:, -2:], confidence, bounds)


def tied_bounds(
    value: float, units: int, confidence: float, bounds: Bounds | None = None
) -> tuple[float, float]:
    """The interval where every unit scored the same: none moves a resample, which is no certainty.

    At most a share q = z² / (m + z²) of units scores otherwise (Wilson's upper bound for none of m),
    and these lie within `bounds`: value - q (value - least) to value + q (greatest - value). Without
    finite bounds nothing is known of them, and the interval is the value alone.
    """
    if bounds is None or not (isfinite(bounds[0]) and isfinite(bounds[1])):
        return value, value
    z = two_sided_z(confidence)
    share = z * z / (units + z * z)
    low, high = value - share * (value - bounds[0]), value + share * (bounds[1] - value)
    return min(value, low), max(value, high)


def studentized(
    moved: FloatArray, moments: FloatArray, variance: FloatArray | float, units: int
) -> FloatArray:
    """t* of resamples: how far each moved the score, in standard errors of its own.

    `moved` (...) is θ* - θ, `moments` (..., 2) the sums of u and u² over the units drawn, `variance` s².
    """
    drawn = np.maximum(0.0, moments[..., 1] / units - (moments[..., 0] / units) ** 2)
    return np.asarray(moved / np.sqrt((drawn + variance / units) / units))


def _studentized(
    value: float,
    scale: float,
    influence: FloatArray,
    moved: FloatArray,
    moments: FloatArray,
    confidence: float,
    bounds: Bounds | None,
) -> tuple[float, float]:
    units = len(influence)
    variance = float((influence**2).sum()) / (units - 1)
    t = studentized(moved, moments, variance, units)
    t = t[np.isfinite(t)]
    if len(t) < 2:
        return nan, nan
    tail = (1 - confidence) / 2
    lowest, highest = np.quantile(t, [tail, 1 - tail])
    error = scale * sqrt(variance / units)
    return _held(value, value - float(highest) * error, value - float(lowest) * error, bounds)


def _resampled(columns: FloatArray, resamples: int | None, seed: int) -> FloatArray:
    rng = np.random.default_rng(seed)
    return resampled_sums(columns, resample_count(len(columns), resamples), rng)


def _flat(influence: FloatArray, value: float) -> bool:
    return float(np.abs(influence).max()) <= _FLAT * max(abs(value), 1e-200)


def _held(value: float, low: float, high: float, bounds: Bounds | None) -> tuple[float, float]:
    """Bounds that hold the value and stay within what is possible."""
    if bounds is not None:
        low, high = max(low, bounds[0]), min(high, bounds[1])
    return min(low, value), max(high, value)
