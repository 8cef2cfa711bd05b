"""Charts of collections: what passes the bar, lengths, values before and after balancing, terms.

Each says in words (`alt`) what it shows.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import streamlit as st

from workbench.app.widgets.charts import COLOURS, SERIES, TOOLBAR, ink, safe, whole_steps
from workbench.app.widgets.numbers import count, score
from workbench.app.widgets.size_charts import GREY
from workbench.app.widgets.text import short

MOST_DISTINCT = 12
BINS = 20
LONGEST = 30
PASSES = COLOURS["better"]
Bounds = tuple[float, float]


def passing_chart(values: npt.NDArray[np.float64], good: npt.NDArray[np.bool_], name: str, key: str) -> None:
    """How many outputs have each value, those that pass the bar in green and named so."""
    distinct = np.unique(values)
    if len(distinct) <= MOST_DISTINCT:
        names = [score(float(value)) for value in distinct]
        groups = np.searchsorted(distinct, values)
    else:
        edges = np.linspace(values.min(), values.max(), BINS + 1)
        groups = np.clip(np.searchsorted(edges, values, side="right") - 1, 0, BINS - 1)
        names = [f"{score(float(low))}–{score(float(high))}" for low, high in pairwise(edges)]
    right = np.bincount(groups[good], minlength=len(names)).tolist()
    wrong = np.bincount(groups[~good], minlength=len(names)).tolist()
    series = [("pass", right, PASSES), ("do not pass", wrong, GREY)]
    spoken = ", ".join(
        f"{value}: {count(a)} pass, {count(b)} do not"
        for value, a, b in zip(names, right, wrong, strict=True)
    )
    _columns(names, series, name, "outputs", key, f"Outputs by {name}. {spoken}", height=220)


def lengths_chart(bins: Sequence[tuple[int, int, int]], axis: str, key: str, alt: str) -> None:
    """How many texts have from low to high words."""
    names = [str(low) if low == high else f"{low}–{high}" for low, high, _ in bins]
    _columns(names, [("items", [number for *_, number in bins], SERIES[0])], axis, "items", key, alt)


def before_and_after_chart(
    values: Sequence[tuple[str, int, int]], axis: str, key: str, after: str = "after"
) -> None:
    """How often each value is learnt from, as it is and as it would be."""
    names = [name for name, *_ in values]
    series = [
        ("now", [before for _, before, _ in values], GREY),
        (after, [number for *_, number in values], SERIES[0]),
    ]
    spoken = ", ".join(f"{name}: {count(before)} to {count(number)}" for name, before, number in values[:20])
    alt = f"Items by {axis}, now and {after}. {spoken}"
    _columns(names, series, axis, "items", key, alt, side_by_side=True)


def counts_chart(counts: Sequence[tuple[str, int]], key: str, alt: str) -> None:
    """Values from top to bottom, with a bar and a number each."""
    import plotly.graph_objects as go

    names = _apart([safe(short(name, LONGEST)) for name, _ in counts])
    figure = go.Figure(
        go.Bar(
            x=[number for _, number in counts],
            y=names,
            orientation="h",
            marker_color=SERIES[0],
            text=[count(number) for _, number in counts],
            textposition="auto",
            hoverinfo="skip",
        )
    )
    figure.update_layout(height=70 + 26 * len(counts), margin={"l": 8, "r": 8, "t": 8, "b": 8}, bargap=0.25)
    figure.update_yaxes(autorange="reversed", automargin=True, tickfont=_ticks(), type="category")
    step = whole_steps(max((number for _, number in counts), default=0))
    figure.update_xaxes(tickfont=_ticks(), rangemode="tozero", dtick=step)
    st.plotly_chart(figure, key=key, config=TOOLBAR, alt=alt[:1500])


def sides_chart(lines: Sequence[tuple[str, int, str, int]], key: str, alt: str) -> None:
    """Two counts a line, to the left and to the right: `("gender", 12, "he", 40)`-like lists of terms."""
    import plotly.graph_objects as go

    names = [safe(name) for name, *_ in lines]
    most = max((max(left, right) for _, left, _, right in lines), default=1) or 1
    figure = go.Figure()
    for place, (sign, colour) in enumerate(((-1, SERIES[0]), (1, SERIES[1]))):
        numbers = [line[1] if place == 0 else line[3] for line in lines]
        figure.add_trace(
            go.Bar(
                x=[sign * number for number in numbers],
                y=names,
                orientation="h",
                marker_color=colour,
                text=[count(number) for number in numbers],
                textposition="auto",
                hoverinfo="skip",
            )
        )
    figure.update_layout(
        barmode="relative",
        height=70 + 34 * len(lines),
        margin={"l": 8, "r": 8, "t": 8, "b": 8},
        showlegend=False,
    )
    figure.update_yaxes(autorange="reversed", automargin=True, tickfont=_ticks())
    figure.update_xaxes(range=[-1.15 * most, 1.15 * most], showticklabels=False)
    st.plotly_chart(figure, key=key, config=TOOLBAR, alt=alt[:1500])


def _columns(
    names: Sequence[str],
    series: Sequence[tuple[str, Sequence[int], str]],
    across: str,
    up: str,
    key: str,
    alt: str,
    height: int = 260,
    side_by_side: bool = False,
) -> None:
    import plotly.graph_objects as go

    labels = _apart([safe(short(name, LONGEST)) for name in names])
    figure = go.Figure(
        [
            go.Bar(name=name, x=labels, y=list(numbers), marker_color=colour)
            for name, numbers, colour in series
        ]
    )
    figure.update_layout(
        barmode="group" if side_by_side else "stack",
        height=height + (30 if len(series) > 1 else 0),
        margin={"l": 8, "r": 8, "t": 8, "b": 8},
        bargap=0.15,
        xaxis_title=safe(across),
        yaxis_title=up,
        showlegend=len(series) > 1,
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0, "font": _ticks()},
    )
    figure.update_xaxes(type="category", tickfont=_ticks(), title_font=_ticks())
    most = max(
        (sum(column) for column in zip(*(numbers for _, numbers, _ in series), strict=True)), default=0
    )
    figure.update_yaxes(tickfont=_ticks(), title_font=_ticks(), rangemode="tozero", dtick=whole_steps(most))
    st.plotly_chart(figure, key=key, config=TOOLBAR, alt=alt[:1500])


def _apart(labels: Sequence[str]) -> list[str]:
    """Labels of which no two read the same: plotly would put their bars on top of each other."""
    seen: dict[str, int] = {}
    told = []
    for label in labels:
        seen[label] = seen.get(label, 0) + 1
        told.append(label if seen[label] == 1 else f"{label} ({seen[label]})")
    return told


def _ticks() -> dict[str, Any]:
    return {"color": ink(), "size": 13}
