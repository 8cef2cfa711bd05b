"""Answers to the question of size with figures chosen by hand, for what a page must say of them.

made(point(0, "nano", "int8", 0.40, memory=300), point(1, "small", "fp32", 0.78, memory=520))
"""

from __future__ import annotations

from typing import Any

from workbench.core.run import Cell, MetricEstimate
from workbench.core.sizing import SizePoint, Sizes

MEGA = 1_000_000


def point(
    index: int,
    base: str,
    quantization: str | None,
    quality: float,
    memory: int | None = None,
    short: float = 0.0,
    short_high: float = 0.0,
    good: bool = False,
    **changes: Any,
) -> SizePoint:
    """One model; `memory` in MB."""
    model = f"{base}@{quantization}" if quantization else base
    values: dict[str, Any] = {
        "cell": Cell(index, "step-by-step", "v1", model),
        "base": base,
        "quantization": quantization,
        "quality": MetricEstimate(quality, quality - 0.06, quality + 0.06, 200),
        "local": True,
        "parameters": None,
        "tokens_per_s": 300.0,
        "first_token_s": 0.12,
        "memory_bytes": None if memory is None else memory * MEGA,
        "disk_bytes": None if memory is None else memory * MEGA // 3,
        "rows_per_s": 4.0,
        "usd_per_1000_rows": None,
        "cost_basis": None,
        "on_front": False,
        "shortfall": short,
        "shortfall_high": short_high,
        "good_enough": good,
    }
    return SizePoint(**values | changes)


def hosted(index: int, name: str, quality: float, usd: float | None, **changes: Any) -> SizePoint:
    """A model behind an API."""
    nothing: dict[str, Any] = {"tokens_per_s": None, "rows_per_s": None, "local": False}
    price: dict[str, Any] = {"usd_per_1000_rows": usd, "cost_basis": None if usd is None else "api"}
    return point(index, name, None, quality, **nothing | price | changes)


def made(*points: SizePoint, smallest: int | None = None, margin: float = 0.02, **changes: Any) -> Sizes:
    """The best is the one of highest quality; `smallest` is the index of the smallest good enough."""
    scored = [one for one in points if one.quality.mean == one.quality.mean]
    values: dict[str, Any] = {
        "run": "20261121-040000-abcdef",
        "metric": "exact_match",
        "prompt": "step-by-step",
        "margin": margin,
        "confidence": 0.95,
        "points": points,
        "best": max(scored, key=lambda one: one.quality.mean, default=None),
        "smallest_good_enough": None if smallest is None else points[smallest],
        "gains": (),
        "break_evens": (),
    }
    return Sizes(**values | changes)
