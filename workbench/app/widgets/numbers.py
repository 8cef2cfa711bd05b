"""Numbers in words that a table has room for.

score(0.7123) -> "0.712"   seconds(75) -> "1 min 15 s"   dollars(0.0004) -> "$0.0004"
"""

from __future__ import annotations

import datetime
import math

from workbench.core.figures import figure, signed
from workbench.core.run import MetricEstimate

__all__ = ["ago", "count", "dollars", "interval", "many", "score", "seconds", "signed"]


def score(value: float | None) -> str:
    """A metric's value; a dash where there is none."""
    return "–" if value is None else figure(value)


def interval(estimate: MetricEstimate | None) -> str:
    """A mean with its interval, as in `0.710 [0.640, 0.770]`."""
    if estimate is None or math.isnan(estimate.mean):
        return "not scored"
    return f"{score(estimate.mean)} [{score(estimate.low)}, {score(estimate.high)}]"


def seconds(value: float | None) -> str:
    """A duration; minutes and hours where they read better."""
    if value is None:
        return "–"
    if value < 1:
        return f"{value * 1000:.0f} ms"
    if value < 10:
        return f"{value:.1f} s"
    if value < 60:
        return f"{value:.0f} s"
    whole = round(value)
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def dollars(value: float) -> str:
    """USD; enough digits that a small cost is not shown as none."""
    if value == 0:
        return "$0"
    return f"${value:.2f}" if value >= 0.1 else f"${value:.4f}" if value >= 0.0001 else "< $0.0001"


def count(value: int) -> str:
    """A whole number with thousands set apart."""
    return f"{value:,}"


def many(value: int, one: str, several: str | None = None) -> str:
    """`1 row`, `2 rows`."""
    return f"{value:,} {one if value == 1 else several or one + 's'}"


def ago(moment: datetime.datetime) -> str:
    """How long ago, roughly."""
    passed = (datetime.datetime.now(datetime.UTC) - moment).total_seconds()
    for size, name in ((86400, "day"), (3600, "hour"), (60, "minute")):
        if passed >= size:
            return f"{many(int(passed // size), name)} ago"
    return "just now"
