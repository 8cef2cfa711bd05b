"""Charts that break a metric down: by slice, by kind of failing row, by run.

Each says in words (`alt`) what it shows; the views have the same figures in tables.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import streamlit as st

from workbench.app.widgets.charts import LEGEND_ABOVE, SERIES, TOOLBAR, ink, safe, tick_font, whiskers
from workbench.app.widgets.numbers import interval
from workbench.app.widgets.size_charts import SYMBOLS
from workbench.app.widgets.text import short
from workbench.core.run import MetricEstimate
from workbench.engine import Failures, History, Slices

if TYPE_CHECKING:
    pass

FAILING = {"dark": ("#1f222a", "#8f3540"), "light": ("#f3f1ec", "#f0a3a8")}
"""From no row failed to all; the theme's text can be read on both ends."""
DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")
LONGEST = 44


def slices_chart(found: Slices, cells: Sequence[int], key: str) -> None:
    """Slices from top to bottom, and in each a dot with its interval per cell: a symbol and colour a cell."""
    import plotly.graph_objects as go

    figure = go.Figure()
    step = 0.7 / max(1, len(cells))
    spoken = []
    for number, index in enumerate(cells):
        scored = [(place, one.cells[index].estimate) for place, one in enumerate(found.slices)]
        scored = [(place, estimate) for place, estimate in scored if not math.isnan(estimate.mean)]
        label = found.whole[index].cell.label
        away = (number - (len(cells) - 1) / 2) * step
        figure.add_trace(
            go.Scatter(
                x=[estimate.mean for _, estimate in scored],
                y=[place + away for place, _ in scored],
                error_x=_bars([estimate for _, estimate in scored]),
                mode="markers",
                name=safe(short(label, LONGEST)) + (" (baseline)" if index == found.baseline.index else ""),
                marker={
                    "size": 10,
                    "symbol": SYMBOLS[number % len(SYMBOLS)],
                    "color": SERIES[number % len(SERIES)],
                },
                hovertext=[
                    f"{safe(short(found.slices[place].name, LONGEST))}<br>{safe(short(label, LONGEST))}<br>"
                    f"{interval(estimate)}, {estimate.n} scored"
                    for place, estimate in scored
                ],
                hoverinfo="text",
            )
        )
        said = [f"{found.slices[place].name} {interval(estimate)}" for place, estimate in scored[:6]]
        spoken.append(f"{label}: {', '.join(said)}")
    names = [
        f"{safe(short(one.name, LONGEST))}<br>{one.rows:,} rows{', few' if one.small else ''}"
        for one in found.slices
    ]
    figure.update_layout(
        height=120 + max(56, 20 * len(cells) + 14) * len(names),
        margin={"l": 8, "r": 8, "t": 8, "b": 8},
        xaxis_title=safe(found.metric),
        showlegend=True,
        legend=LEGEND_ABOVE,
    )
    figure.update_yaxes(
        tickvals=list(range(len(names))),
        ticktext=names,
        range=[len(names) - 0.5, -0.5],
        automargin=True,
        showgrid=False,
        zeroline=False,
        tickfont=tick_font(),
    )
    figure.update_xaxes(tickfont=tick_font(), title_font=tick_font())
    for edge in range(1, len(names)):
        figure.add_hline(y=edge - 0.5, line_width=1, line_color="#8a8f98", opacity=0.35)
    estimates = [one.cells[index].estimate for one in found.slices for index in cells]
    if all(math.isnan(one.mean) or (one.low >= 0 and one.high <= 1) for one in estimates):
        figure.update_xaxes(range=[-0.02, 1.02])
    alt = f"{found.metric} by {found.by}, a dot a cell. {'; '.join(spoken)}"
    st.plotly_chart(figure, key=key, config=TOOLBAR, alt=alt[:1500])


def failures_chart(found: Failures, key: str) -> None:
    """Groups × cells: the share of the group's rows that the cell fails, written in each square."""
    import plotly.graph_objects as go

    names = [*(group.name for group in found.groups), "all rows"]
    counted = [*(group.cells for group in found.groups), found.overall]
    shares = [[None if math.isnan(one.share) else one.share for one in line] for line in counted]
    low, high = FAILING["dark" if st.context.theme.type == "dark" else "light"]
    figure = go.Figure(
        go.Heatmap(
            z=shares,
            x=list(range(len(found.overall))),
            y=list(range(len(names))),
            text=[["" if value is None else f"{100 * value:.0f} %" for value in line] for line in shares],
            texttemplate="%{text}",
            textfont={"color": ink(), "size": 14},
            customdata=[
                [
                    f"{safe(short(one.cell.label, LONGEST))} fails {one.failing:,} of {one.rows:,} rows, "
                    f"[{100 * one.low:.0f} %, {100 * one.high:.0f} %]"
                    if one.rows
                    else "nothing is scored here"
                    for one in line
                ]
                for line in counted
            ],
            hovertemplate="%{customdata}<extra></extra>",
            colorscale=[[0, low], [1, high]],
            zmin=0,
            zmax=1,
            showscale=False,
            xgap=2,
            ygap=2,
        )
    )
    figure.add_hline(y=len(names) - 1.5, line_width=2, line_color=ink())
    figure.update_layout(height=190 + 40 * len(names), margin={"l": 8, "r": 8, "t": 8, "b": 8})
    ticks: dict[str, Any] = {
        "showgrid": False,
        "zeroline": False,
        "automargin": True,
        "tickfont": tick_font(),
    }
    labels = [safe(short(one.cell.label, 32)) for one in found.overall]
    angle = 0 if len(labels) < 4 else -35
    figure.update_xaxes(
        tickvals=list(range(len(labels))),
        ticktext=labels,
        ticklabeloverflow="allow",
        tickangle=angle,
        **ticks,
    )
    figure.update_yaxes(
        tickvals=list(range(len(names))),
        ticktext=[safe(short(name, LONGEST)) for name in names],
        range=[len(names) - 0.5, -0.5],
        **ticks,
    )
    spoken = "; ".join(
        f"{name}: " + ", ".join(f"{one.cell.label} {_percent(one.share)}" for one in line[:6])
        for name, line in list(zip(names, counted, strict=True))[:8]
    )
    st.plotly_chart(
        figure, key=key, config=TOOLBAR, alt=f"Share of rows that each cell fails. {spoken}"[:1500]
    )


def history_chart(found: History, key: str) -> None:
    """The metric over runs, a line a cell with intervals; a dotted upright stands where the rows changed."""
    import plotly.graph_objects as go

    places = {run.id: place for place, run in enumerate(found.runs)}
    figure = go.Figure()
    spoken = []
    for number, line in enumerate(found.lines):
        points = [point for point in line.points if not math.isnan(point.estimate.mean)]
        estimates = [point.estimate for point in points]
        away = (number - (len(found.lines) - 1) / 2) * 0.03
        figure.add_trace(
            go.Scatter(
                x=[places[point.run] + away for point in points],
                y=[estimate.mean for estimate in estimates],
                error_y=_bars(estimates),
                mode="lines+markers",
                name=safe(short(line.label, LONGEST)),
                line={
                    "color": SERIES[number % len(SERIES)],
                    "dash": DASHES[number % len(DASHES)],
                    "width": 1.6,
                },
                marker={"symbol": SYMBOLS[number % len(SYMBOLS)], "size": 9},
                hovertext=[
                    f"{safe(short(line.label, LONGEST))}<br>{interval(point.estimate)}<br>"
                    f"prompt {safe(point.version[:8])}"
                    for point in points
                ],
                hoverinfo="text",
            )
        )
        spoken.append(f"{line.label}: {', '.join(interval(one) for one in estimates[-6:])}")
    for place, run in enumerate(found.runs):
        if not run.same_rows:
            figure.add_vline(
                x=place - 0.5,
                line_dash="dot",
                line_width=1,
                line_color=ink(),
                annotation_text="other rows",
                annotation_position="top",
                annotation_font_color=ink(),
            )
    figure.update_layout(
        height=400 + 20 * -(-len(found.lines) // 2),
        margin={"l": 8, "r": 8, "t": 24, "b": 8},
        yaxis_title=safe(found.metric),
        showlegend=True,
        legend={"orientation": "h", "y": -0.2, "yanchor": "top", "x": 0},
    )
    figure.update_xaxes(
        tickvals=list(places.values()),
        ticktext=[f"{run.created_at:%d %b}<br>{run.created_at:%H:%M}" for run in found.runs],
        range=[-0.5, max(0.5, len(places) - 0.5)],
        showgrid=False,
        zeroline=False,
        tickfont=tick_font(),
    )
    figure.update_yaxes(tickfont=tick_font(), title_font=tick_font())
    every = [point.estimate for line in found.lines for point in line.points]
    if all(math.isnan(one.mean) or (one.low >= 0 and one.high <= 1) for one in every):
        figure.update_yaxes(range=[-0.04, 1.04])
    alt = f"{found.metric} over {len(found.runs)} runs. {'; '.join(spoken)}"
    st.plotly_chart(figure, key=key, config=TOOLBAR, alt=alt[:1500])


def _bars(estimates: Sequence[MetricEstimate]) -> dict[str, Any]:
    return whiskers(((one.low, one.mean, one.high) for one in estimates), thickness=1.5, width=4)


def _percent(share: float) -> str:
    return "not scored" if math.isnan(share) else f"{100 * share:.0f} %"
