"""Every model of the run in two tables, in the order asked for; what is not known says so."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import streamlit as st

from workbench.app import state
from workbench.app.widgets.controls import choose
from workbench.app.widgets.numbers import interval, seconds
from workbench.app.widgets.size_axes import AXES, NOT_MEASURED
from workbench.app.widgets.size_words import difference, is_share, name, verdict
from workbench.app.widgets.text import escaped
from workbench.core.sizing import SizePoint, Sizes

NO_PRICE = "no price"
Key = Callable[[SizePoint], float | None]
ORDERS: dict[str, tuple[str, Key]] = {
    "size": ("Smallest memory first", lambda point: point.memory_bytes),
    "quality": ("Best quality first", lambda point: -point.quality.mean),
    "speed": (
        "Most tokens a second first",
        lambda point: -point.tokens_per_s if point.tokens_per_s else None,
    ),
    "first": ("Soonest first token first", lambda point: point.first_token_s),
    "disk": ("Smallest on disk first", AXES["disk"].value),
    "usd": ("Cheapest first", AXES["usd"].value),
    "run": ("As in the experiment", lambda point: point.cell.index),
}


def size_table(sizes: Sizes) -> None:
    """How good every model is and what it takes, and in which order they stand."""
    wanted, _ = st.columns([1.3, 2])
    with wanted:
        order = choose(
            "Order", list(ORDERS), state.SORT, "size", shown=lambda one: ORDERS[one][0], sticky=False
        )
    points = ordered(sizes.points, order or "size")
    share = is_share(sizes.points)
    _shown([_quality(point, sizes, share) for point in points], f"Models by {sizes.metric}")
    _shown([_taken(point) for point in points], "What each model takes")
    if missing := unmeasured(sizes):
        st.caption(escaped(missing))


def ordered(points: Sequence[SizePoint], order: str) -> list[SizePoint]:
    """By one of ORDERS; what is not known stands last."""
    key = ORDERS[order][1]

    def rank(point: SizePoint) -> float:
        value = key(point)
        return math.inf if value is None or math.isnan(value) else value

    return sorted(points, key=rank)


def unmeasured(sizes: Sizes) -> str:
    """Which models' figures are not known and how to get them; '' when all are."""
    lacking = [
        name(point)
        for point in sizes.points
        if point.local and point.quality.n and (point.memory_bytes is None or point.tokens_per_s is None)
    ]
    if not lacking:
        return ""
    return (
        f"Not measured: {', '.join(lacking)}. What a model takes is measured while it answers, and answers "
        "from the cache measure nothing: run the experiment once more by workbench run … --no-cache."
    )


def _quality(point: SizePoint, sizes: Sizes, share: bool) -> dict[str, str]:
    mean, _, rest = interval(point.quality).partition(" [")
    scored = not math.isnan(point.quality.mean)
    best = sizes.best is not None and point.cell.index == sizes.best.cell.index
    return {
        "Model": _model(point),
        escaped(sizes.metric): f"**{escaped(mean)}**{escaped(' [' + rest)}" if rest else escaped(mean),
        "Verdict": verdict(point, sizes),
        "Short of the best by": escaped(difference(point.shortfall, share)) if scored and not best else "–",
        "at most": escaped(difference(point.shortfall_high, share)) if scored and not best else "–",
    }


def _taken(point: SizePoint) -> dict[str, str]:
    unknown = NOT_MEASURED if point.local else "–"  # a hosted model takes nothing of this machine
    first = point.first_token_s
    return {
        "Model": _model(point),
        "Memory": unknown if point.memory_bytes is None else AXES["memory"].shown(point),
        "Disk": unknown if point.disk_bytes is None else AXES["disk"].shown(point),
        "Tokens/s": unknown if point.tokens_per_s is None else f"{point.tokens_per_s:,.0f}",
        "First token": NOT_MEASURED if first is None else seconds(first),
        "1,000 rows": unknown if not point.rows_per_s else AXES["time"].shown(point),
        "USD/1,000 rows": escaped(NO_PRICE if point.usd_per_1000_rows is None else AXES["usd"].shown(point)),
    }


def _model(point: SizePoint) -> str:
    return f"**{escaped(name(point))}**" + ("" if point.local else " (hosted)")


def _shown(lines: Sequence[dict[str, str]], said: str) -> None:
    columns = {head: [_unbroken(line[head]) for line in lines] for head in lines[0]} if lines else {}
    st.table(columns, border="horizontal", hide_index=True, alt=said)


def _unbroken(text: str) -> str:
    return text.replace(" ", "\u00a0")
