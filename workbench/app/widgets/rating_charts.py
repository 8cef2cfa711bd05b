"""Charts of ratings: dots with intervals, and squares that say who wins against whom, in numbers.

Each says in words (`alt`) what it shows; the views have the same figures in tables.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st

from workbench.app.widgets.charts import LEGEND_ABOVE, SERIES, TOOLBAR, ink, safe, tick_font, whiskers
from workbench.app.widgets.size_charts import SYMBOLS
from workbench.app.widgets.text import short

LONGEST = 44
WINS = {
    "dark": ("#8a3540", "#1f222a", "#22704b"),
    "light": ("#eda9af", "#f3f1ec", "#9fd8b8"),
}
"""Loses all, half and half, wins all; the theme's text can be read on all three."""
AGREES = {"dark": ("#1f222a", "#4655c4"), "light": ("#f3f1ec", "#a3aeed")}


@dataclass(frozen=True)
class Dot:
    """A value with its interval on the line of `label`; NaN bounds are not drawn, a NaN value is left out."""

    label: str
    value: float
    low: float
    high: float
    words: str


def dots_chart(
    series: Mapping[str, Sequence[Dot]], title: str, key: str, alt: str, at: float | None = None
) -> None:
    """Lines from top to bottom, a dot with its interval for each; a symbol and colour for each series.

    `at`: where a dashed upright stands, such as no preference. Two labels on one chart must differ.
    """
    import plotly.graph_objects as go

    labels = list(dict.fromkeys(dot.label for dots in series.values() for dot in dots))
    place = {label: number for number, label in enumerate(labels)}
    step = 0.62 / max(1, len(series))
    figure = go.Figure()
    for number, (name, dots) in enumerate(series.items()):
        shown = [dot for dot in dots if not math.isnan(dot.value)]
        away = (number - (len(series) - 1) / 2) * step
        figure.add_trace(
            go.Scatter(
                x=[dot.value for dot in shown],
                y=[place[dot.label] + away for dot in shown],
                error_x=whiskers((dot.low, dot.value, dot.high) for dot in shown),
                mode="markers",
                name=safe(short(name, LONGEST)),
                marker={
                    "size": 11,
                    "symbol": SYMBOLS[number % len(SYMBOLS)],
                    "color": SERIES[number % len(SERIES)],
                },
                hovertext=[f"{safe(short(dot.label, 80))}<br>{safe(dot.words)}" for dot in shown],
                hoverinfo="text",
            )
        )
    if at is not None:
        figure.add_vline(x=at, line_dash="dash", line_width=1, line_color=ink(), opacity=0.6)
    figure.update_layout(
        height=(130 if len(series) > 1 else 90) + max(38, 20 * len(series) + 12) * len(labels),
        margin={"l": 8, "r": 8, "t": 8, "b": 8},
        xaxis_title=safe(title),
        showlegend=len(series) > 1,
        legend=LEGEND_ABOVE,
    )
    figure.update_yaxes(
        tickvals=list(range(len(labels))),
        ticktext=[safe(short(label, LONGEST)) for label in labels],
        range=[len(labels) - 0.5, -0.5],
        automargin=True,
        showgrid=False,
        zeroline=False,
        tickfont=tick_font(),
    )
    figure.update_xaxes(tickfont=tick_font(), title_font=tick_font(), zeroline=False)
    if len(series) > 1:
        for edge in range(1, len(labels)):
            figure.add_hline(y=edge - 0.5, line_width=1, line_color="#8a8f98", opacity=0.35)
    st.plotly_chart(figure, key=key, config=TOOLBAR, alt=alt[:1500])


def squares_chart(
    names: Sequence[str],
    values: Sequence[Sequence[float | None]],
    hover: Sequence[Sequence[str]],
    key: str,
    alt: str,
    of_wins: bool,
) -> None:
    """Names against names, a number in each square; None leaves a square out.

    `of_wins`: values are shares, coloured from losing to winning around one half; else coefficients up
    to 1, coloured from 0.
    """
    import plotly.graph_objects as go

    size = len(names)
    dark = "dark" if st.context.theme.type == "dark" else "light"
    colours = WINS[dark] if of_wins else AGREES[dark]
    figure = go.Figure(
        go.Heatmap(
            z=values,
            x=list(range(size)),
            y=list(range(size)),
            text=[["" if value is None else _number(value, of_wins) for value in line] for line in values],
            texttemplate="%{text}",
            textfont={"color": ink(), "size": 14},
            customdata=[[safe(words).replace("\n", "<br>") for words in line] for line in hover],
            hovertemplate="%{customdata}<extra></extra>",
            hoverongaps=False,
            colorscale=[[place / (len(colours) - 1), colour] for place, colour in enumerate(colours)],
            zmin=0,
            zmax=1,
            showscale=False,
            xgap=3,
            ygap=3,
        )
    )
    figure.update_layout(
        height=90 + 42 * size, margin={"l": 8, "r": 8, "t": 8, "b": 8}, plot_bgcolor="rgba(0,0,0,0)"
    )
    ticks: dict[str, Any] = {
        "showgrid": False,
        "zeroline": False,
        "automargin": True,
        "tickfont": tick_font(),
    }
    numbered = [safe(f"{number}  {short(name, LONGEST)}") for number, name in enumerate(names, 1)]
    figure.update_xaxes(
        tickvals=list(range(size)), ticktext=[str(number) for number in range(1, size + 1)], **ticks
    )
    figure.update_yaxes(tickvals=list(range(size)), ticktext=numbered, range=[size - 0.5, -0.5], **ticks)
    st.plotly_chart(figure, key=key, config=TOOLBAR, alt=alt[:1500])


def _number(value: float, of_wins: bool) -> str:
    return f"{100 * value:.0f} %" if of_wins else f"{value:.2f}"
