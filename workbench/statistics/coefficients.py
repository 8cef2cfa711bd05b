"""Bootstrap intervals of coefficients (κ, α, ρ …) that are functions of how often each observation counts.

A resample is a line of weights, one for each distinct observation, so that a coefficient of a thousand
resamples is a few products of tables and nothing is counted anew.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import isfinite, nan

import numpy as np
import numpy.typing as npt

from workbench.statistics.quantiles import two_sided_z
from workbench.statistics.resampling import FloatArray, drawn_counts
from workbench.statistics.studentized import percentile_ends, tied_bounds

IntArray = npt.NDArray[np.int64]

RESAMPLES = 1000
_AT_ONCE = 2_000_000  # weights held at once

OfWeights = Callable[[FloatArray], FloatArray]
"""Weights (resamples, observations) to one value a resample, NaN where it is not defined."""


@dataclass(frozen=True)
class Coefficient:
    """A coefficient with its interval and the number of items (or pairs of values) behind it.

    NaN where it is not defined; the bounds alone are NaN where too little was seen for an interval.
    """

    value: float
    low: float
    high: float
    n: int


NOTHING_SEEN = Coefficient(nan, nan, nan, 0)


def coefficient(
    of_weights: OfWeights,
    repeats: npt.ArrayLike,
    *,
    clusters: npt.NDArray[np.generic] | None = None,
    confidence: float = 0.95,
    resamples: int = RESAMPLES,
    seed: int = 0,
    bounds: tuple[float, float] = (-1.0, 1.0),
) -> Coefficient:
    """The coefficient of all observations, with the expanded percentiles of its bootstrap.

    Args:
        of_weights: the coefficient as a function of weights.
        repeats: how often each distinct observation was seen.
        clusters: one id an observation, where whole clusters are drawn; each was then seen once.
        bounds: the least and the greatest possible value.

    Where every resample gives the same (all agree), the interval is that of `tied_bounds`. There is none
    where more resamples than it may miss have no value, as when all hangs on one observation: the others
    alone would look surer than they are.
    """
    two_sided_z(confidence)
    often = np.asarray(repeats, dtype=np.int64)
    seen = int(often.sum())
    if seen == 0:
        return NOTHING_SEEN
    value = float(of_weights(often[None, :].astype(np.float64))[0])
    unit = None if clusters is None else np.unique(clusters, return_inverse=True)[1].reshape(-1)
    units = seen if unit is None else int(unit.max()) + 1
    if units < 2 or not isfinite(value):
        return Coefficient(value, nan, nan, seen)
    rng = np.random.default_rng(seed)
    drawn = drawn_weights(often, unit, units, resamples, rng)
    moved = np.concatenate([of_weights(weights) for weights in drawn]) - value
    defined = moved[np.isfinite(moved)]
    if len(moved) - len(defined) > (1 - confidence) * len(moved):
        return Coefficient(value, nan, nan, seen)
    if float(np.abs(defined).max()) < 1e-12:
        return Coefficient(value, *tied_bounds(value, units, confidence, bounds), seen)
    below, above = percentile_ends(defined, units, confidence)
    low, high = max(bounds[0], value + float(below)), min(bounds[1], value + float(above))
    return Coefficient(value, min(low, value), max(high, value), seen)


def drawn_weights(
    often: IntArray, unit: IntArray | None, units: int, resamples: int, rng: np.random.Generator
) -> Iterator[FloatArray]:
    """Weights (some resamples, observations), a batch at a time, until there are `resamples` lines.

    Where few observations differ, how often each is drawn is one multinomial draw.
    """
    distinct = len(often)
    alike = unit is None and distinct <= max(2, units // 30)
    starts = np.concatenate([[0], np.cumsum(often)[:-1]])
    step = max(1, _AT_ONCE // max(units, distinct))
    for start in range(0, resamples, step):
        size = min(step, resamples - start)
        if alike:
            yield rng.multinomial(units, often / units, size=size).astype(np.float64)
            continue
        counts = drawn_counts(units, size, rng)
        if unit is not None:
            yield counts[:, unit]
        else:
            yield counts if distinct == units else np.add.reduceat(counts, starts, axis=1)
