"""What a model can cost, as the Size page measures it: memory, disk, time, speed, waiting or USD.

AXES["memory"].value(point) -> 420_000_000      AXES["memory"].words(420_000_000) -> "420 MB"
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from workbench.app.widgets.numbers import dollars, seconds
from workbench.core.sizing import SizePoint
from workbench.engine.size_export import amount

NOT_MEASURED = "not measured"


@dataclass(frozen=True)
class Axis:
    """One way of counting what a model takes. Every value is one that is better when smaller."""

    label: str
    """In the menu, and the head of its column."""
    title: str
    """Under the chart."""
    share: str
    """How a share of it is said, as in `41 % of the memory`, with its preposition."""
    value: Callable[[SizePoint], float | None]
    words: Callable[[float], str]

    def shown(self, point: SizePoint) -> str:
        """The point's value in words, or that it is not known."""
        found = self.value(point)
        return NOT_MEASURED if found is None else self.words(found)


def _seconds_per_1000_tokens(point: SizePoint) -> float | None:
    return 1000 / point.tokens_per_s if point.tokens_per_s else None


def _seconds_per_1000(point: SizePoint) -> float | None:
    return 1000 / point.rows_per_s if point.rows_per_s else None


AXES = {
    "memory": Axis(
        "Memory", "most memory held, MB", "in {} of the memory", lambda point: point.memory_bytes, amount
    ),
    "disk": Axis(
        "Disk", "size on disk, MB", "on {} of the disk space", lambda point: point.disk_bytes, amount
    ),
    "time": Axis("Time", "seconds per 1,000 rows", "in {} of the time", _seconds_per_1000, seconds),
    "speed": Axis(
        "Speed",
        "seconds per 1,000 tokens written",
        "in {} of the time for a token",
        _seconds_per_1000_tokens,
        seconds,
    ),
    "first_token": Axis(
        "First token",
        "seconds to the first token, median",
        "in {} of the time to the first token",
        lambda point: point.first_token_s,
        seconds,
    ),
    "usd": Axis(
        "USD", "USD per 1,000 rows", "for {} of the cost", lambda point: point.usd_per_1000_rows, dollars
    ),
}
"""Axis by its name in the URL and in the engine; the first is the default."""
