"""Paired differences, tuned minus base, above each other: right of the line the tuned model is ahead."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from workbench.app.widgets.charts import COLOURS, LEGEND_ABOVE, SYMBOLS, TOOLBAR, safe, whiskers
from workbench.app.widgets.text import short
from workbench.app.widgets.verdict_words import gap_words
from workbench.core.run import Gap

GREY = "#8a8f98"


@dataclass(frozen=True)
class Difference:
    """One line of the chart; `share`: in points."""

    label: str
    gap: Gap
    share: bool


def forest(lines: Sequence[Difference], axis: str, key: str, margin: float = 0.0) -> None:
    """One dot with its interval a line, in the colour and sign of its verdict; all lines in one unit."""
    import plotly.graph_objects as go

    drawn = [one for one in lines if not math.isnan(one.gap.difference)]
    if not drawn:
        return
    unit = 100 if all(one.share for one in drawn) else 1
    labels = {id(one): safe(short(one.label, 44)) for one in drawn}
    figure = go.Figure()
    for verdict in ("better", "worse", "tied", "undecided"):
        group = [one for one in drawn if one.gap.verdict == verdict]
        if not group:
            continue
        figure.add_trace(
            go.Scatter(
                x=[unit * one.gap.difference for one in group],
                y=[labels[id(one)] for one in group],
                error_x=whiskers(((one.gap.low, one.gap.difference, one.gap.high) for one in group), unit),
                mode="markers",
                name=verdict,
                marker={"size": 12, "symbol": SYMBOLS[verdict], "color": COLOURS[verdict]},
                hovertext=[
                    f"{labels[id(one)]}<br>{safe(gap_words(one.gap, one.share))}, {verdict}" for one in group
                ],
                hoverinfo="text",
            )
        )
    if margin:
        figure.add_vrect(x0=-unit * margin, x1=unit * margin, fillcolor=GREY, opacity=0.18, line_width=0)
    figure.add_vline(x=0, line_dash="dash", line_width=1, line_color=GREY)
    figure.update_layout(
        height=120 + 34 * len(drawn),
        margin={"l": 8, "r": 8, "t": 8, "b": 40},
        xaxis_title=safe(f"{axis}, tuned − base{' (points)' if unit == 100 else ''}"),
        showlegend=True,
        legend=LEGEND_ABOVE,
    )
    order = [labels[id(one)] for one in drawn]
    figure.update_yaxes(categoryorder="array", categoryarray=order[::-1], automargin=True, type="category")
    spoken = "; ".join(
        f"{one.label}: {gap_words(one.gap, one.share)}, {one.gap.verdict}" for one in drawn[:12]
    )
    st.plotly_chart(figure, key=key, config=TOOLBAR, alt=f"{axis}, tuned minus base. {spoken}")
