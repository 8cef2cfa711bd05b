"""How a measured number is written, wherever people read it.

figure(0.7123) -> "0.712"   figure(31.234) -> "31.2"   figure(0.000312) -> "0.00031"
signed(-0.04) -> "-0.040"   with_interval(0.71, 0.64, 0.77) -> "0.710 [0.640, 0.770]"
"""

from __future__ import annotations

import math


def figure(value: float) -> str:
    """Three decimals up to 1, two below 10, one above; two digits of what three decimals would hide."""
    return "–" if math.isnan(value) else f"{value:.{_decimals(value)}f}"


def signed(value: float) -> str:
    """A difference, its sign always shown; a dash where there is none."""
    return "–" if math.isnan(value) else f"{value:+.{_decimals(value)}f}"


def with_interval(value: float, low: float, high: float) -> str:
    """A value and its interval; the value alone without one."""
    return figure(value) if math.isnan(low) else f"{figure(value)} [{figure(low)}, {figure(high)}]"


def signed_with_interval(value: float, low: float, high: float) -> str:
    """A difference and its interval; the difference alone without one."""
    return signed(value) if math.isnan(low) else f"{signed(value)} [{signed(low)}, {signed(high)}]"


def p_value(value: float) -> str:
    """A p-value with four decimals; "<0.0001" for what they would show as none."""
    if math.isnan(value):
        return "–"
    return "<0.0001" if value < 0.0001 else f"{value:.4f}"


def _decimals(value: float) -> int:
    size = abs(value)
    if size > 1:
        return 1 if size >= 10 else 2
    if 0 < size < 0.0005:
        return min(9, 1 - math.floor(math.log10(size)))
    return 3
