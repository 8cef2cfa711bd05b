"""Numbers of ratings in words: shares, coefficients and strengths with their intervals.

share(0.83, 0.77, 0.88) -> "83 % [77, 88]"   coefficient(0.61, 0.48, 0.72) -> "0.61 [0.48, 0.72]"
"""

from __future__ import annotations

import math

from workbench.core.run import MetricEstimate
from workbench.statistics import Coefficient

NONE = "–"


def share(value: float, low: float = math.nan, high: float = math.nan) -> str:
    """A share in percent, with its interval where there is one."""
    if math.isnan(value):
        return NONE
    if math.isnan(low) or math.isnan(high):
        return f"{100 * value:.0f} %"
    return f"{100 * value:.0f} % [{100 * low:.0f}, {100 * high:.0f}]"


def share_of(estimate: MetricEstimate) -> str:
    """An estimate of a share in percent."""
    return share(estimate.mean, estimate.low, estimate.high)


def coefficient(value: float, low: float = math.nan, high: float = math.nan) -> str:
    """Two decimals, with the interval where there is one."""
    if math.isnan(value):
        return NONE
    if math.isnan(low) or math.isnan(high):
        return f"{value:.2f}"
    return f"{value:.2f} [{low:.2f}, {high:.2f}]"


def coefficient_of(found: Coefficient) -> str:
    """κ, α, ρ or τ with its interval."""
    return coefficient(found.value, found.low, found.high)


def strength(value: float, low: float, high: float) -> str:
    """A strength on the log scale, its sign always shown."""
    return f"{value:+.2f} [{low:+.2f}, {high:+.2f}]"


def unbroken(text: str) -> str:
    """The same, kept on one line of a table."""
    return text.replace(" ", "\u00a0")
