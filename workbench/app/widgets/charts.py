"""Charts: a metric with its interval per cell, quality against what it takes, a vote's growth.

Each says in words (`alt`) what it shows, for those who cannot see it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import streamlit as st

from workbench.app.widgets.numbers import interval, score
from workbench.app.widgets.text import short
from workbench.core.run import CellComparison, CellReport, MetricEstimate

if TYPE_CHECKING:
    import plotly.graph_objects as go

TOOLBAR = {"displaylogo": False, "displayModeBar": False}
LEGEND_ABOVE = {"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0}
SYMBOLS = {
    "better": "triangle-up",
    "worse": "triangle-down",
    "tied": "square",
    "undecided": "circle-open",
    "stopped": "x",
}
COLOURS = {
    "better": "#2a9d62",
    "worse": "#d64550",
    "tied": "#8a8f98",
    "undecided": "#d97a1d",
    "stopped": "#8a8f98",
    "baseline": "#6073e6",
}
"""Seen well on light and dark paper; the symbols say the same without colour."""
SERIES = ("#6073e6", "#d97a1d", "#1b9e90", "#b45fe0", "#a8841f", "#d6558f", "#3f8fd0", "#6f9a1f")


def safe(text: str) -> str:
    """Text for plotly, which reads a few HTML tags in its labels."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def whiskers(
    spans: Iterable[tuple[float, float, float]], unit: float = 1, thickness: float = 2, width: int = 5
) -> dict[str, Any]:
    """Error bars of a trace from each dot's (low, value, high); none where an interval is not known."""
    found = [(value - low, high - value) for low, value, high in spans]
    return {
        "type": "data",
        "symmetric": False,
        "array": [0.0 if math.isnan(up) else unit * up for _, up in found],
        "arrayminus": [0.0 if math.isnan(down) else unit * down for down, _ in found],
        "thickness": thickness,
        "width": width,
    }


def ink() -> str:
    """The colour of names in a chart: the theme's own text, which plotly's template pales."""
    return "#e8eaf0" if st.context.theme.type == "dark" else "#12151d"


def tick_font() -> dict[str, Any]:
    """Of the names and numbers along an axis."""
    return {"color": ink(), "size": 13}


def metric_chart(
    cells: Sequence[CellReport], metric: str, baseline: int, verdicts: dict[int, CellComparison], key: str
) -> None:
    """One dot with its interval per cell; the dashed line is the baseline."""
    import plotly.graph_objects as go

    figure = go.Figure()
    scored = [(cell, cell.metrics[metric]) for cell in cells if _has(cell, metric)]
    labels = {cell.cell.index: safe(short(cell.cell.label, 48)) for cell, _ in scored}
    groups: dict[str, list[tuple[CellReport, MetricEstimate]]] = {}
    for cell, estimate in scored:
        found = verdicts.get(cell.cell.index)
        group = "baseline" if cell.cell.index == baseline else found.verdict if found else "undecided"
        groups.setdefault(group, []).append((cell, estimate))
    for name in COLOURS:
        for_group = groups.get(name, [])
        if for_group:
            figure.add_trace(_dots(name, for_group, labels, go))
    at = next((estimate.mean for cell, estimate in scored if cell.cell.index == baseline), None)
    if at is not None:
        figure.add_vline(x=at, line_dash="dash", line_width=1, line_color=COLOURS["tied"])
    figure.update_layout(
        height=110 + 34 * len(scored),
        margin={"l": 8, "r": 8, "t": 8, "b": 40},
        xaxis_title=safe(metric),
        legend=LEGEND_ABOVE,
    )
    order = [labels[cell.cell.index] for cell, _ in scored]
    figure.update_yaxes(categoryorder="array", categoryarray=order[::-1], automargin=True)
    figure.update_yaxes(tickfont_color=ink())
    if _is_share([estimate for _, estimate in scored]):
        figure.update_xaxes(range=[-0.02, _upper([estimate for _, estimate in scored])])
    spoken = "; ".join(f"{cell.cell.label}: {interval(estimate)}" for cell, estimate in scored[:12])
    st.plotly_chart(figure, key=key, config=TOOLBAR, alt=f"{metric} with its interval per cell. {spoken}")


def _dots(
    name: str, group: list[tuple[CellReport, MetricEstimate]], labels: dict[int, str], go: Any
) -> go.Scatter:
    means = [estimate.mean for _, estimate in group]
    return go.Scatter(
        x=means,
        y=[labels[cell.cell.index] for cell, _ in group],
        error_x=whiskers((one.low, one.mean, one.high) for _, one in group),
        mode="markers",
        name=name,
        marker={"size": 11, "symbol": SYMBOLS.get(name, "diamond"), "color": COLOURS[name]},
        hovertext=[f"{labels[cell.cell.index]}<br>{interval(estimate)}" for cell, estimate in group],
        hoverinfo="text",
    )


def tradeoff_chart(cells: Sequence[CellReport], metric: str, against: str, key: str) -> None:
    """Quality against what it takes: up is better, left is cheaper. A colour a prompt, a symbol a model.

    `against`: cost, latency or tokens.
    """
    import plotly.graph_objects as go

    axis = {"cost": "USD for all rows", "latency": "seconds per row, median", "tokens": "tokens per row"}[
        against
    ]
    figure = go.Figure()
    shown = [cell for cell in cells if _has(cell, metric)]
    prompts = list(dict.fromkeys(cell.cell.prompt for cell in shown))
    models = list(dict.fromkeys(cell.cell.model for cell in shown))
    for cell in shown:
        estimate = cell.metrics[metric]
        colour = SERIES[prompts.index(cell.cell.prompt) % len(SERIES)]
        figure.add_trace(
            go.Scatter(
                x=[_taken(cell, against)],
                y=[estimate.mean],
                error_y=whiskers([(estimate.low, estimate.mean, estimate.high)], thickness=1, width=3),
                mode="markers",
                name=safe(short(cell.cell.label, 40)),
                marker={"size": 11, "symbol": models.index(cell.cell.model) % 24, "color": colour},
                hovertext=[
                    f"{safe(cell.cell.label)}<br>{interval(estimate)}<br>{axis}: {_taken(cell, against):.4g}"
                ],
                hoverinfo="text",
            )
        )
    figure.update_layout(
        height=340 + 22 * -(-len(shown) // 2),
        margin={"l": 8, "r": 8, "t": 8, "b": 8},
        xaxis_title=axis,
        yaxis_title=safe(metric),
        showlegend=True,
        legend={"orientation": "h", "y": -0.22, "yanchor": "top", "x": 0},
    )
    figure.update_xaxes(rangemode="tozero")
    if _is_share([cell.metrics[metric] for cell in cells if _has(cell, metric)]):
        figure.update_yaxes(range=[-0.04, 1.08])
    st.plotly_chart(figure, key=key, config=TOOLBAR, alt=f"{metric} of every cell against {axis}.")


def votes_chart(curves: dict[str, list[tuple[int, MetricEstimate]]], metric: str, key: str) -> None:
    """Accuracy against the number of voters, one line an ensemble cell."""
    import plotly.graph_objects as go

    figure = go.Figure()
    for number, (label, curve) in enumerate(curves.items()):
        figure.add_trace(
            go.Scatter(
                x=[voters for voters, _ in curve],
                y=[estimate.mean for _, estimate in curve],
                error_y=whiskers(((one.low, one.mean, one.high) for _, one in curve), thickness=1, width=3),
                mode="lines+markers",
                line={"color": SERIES[number % len(SERIES)]},
                marker={"symbol": number % 24, "size": 8},
                name=safe(short(label, 48)),
            )
        )
    figure.update_layout(
        height=340,
        margin={"l": 8, "r": 8, "t": 8, "b": 8},
        xaxis_title="voters",
        yaxis_title=safe(metric),
        showlegend=True,
        legend=LEGEND_ABOVE,
    )
    most = max((voters for curve in curves.values() for voters, _ in curve), default=0)
    figure.update_xaxes(dtick=whole_steps(most))
    if _is_share([estimate for curve in curves.values() for _, estimate in curve]):
        figure.update_yaxes(range=[-0.04, 1.04])
    spoken = "; ".join(
        f"{label}: {', '.join(f'{voters} voters {score(found.mean)}' for voters, found in curve)}"
        for label, curve in list(curves.items())[:4]
    )
    st.plotly_chart(figure, key=key, config=TOOLBAR, alt=f"{metric} against the number of voters. {spoken}")


def bar_chart(names: Sequence[str], counts: Sequence[int], axis: str, key: str, alt: str) -> None:
    """Counts per value, such as rows per label or rows per length."""
    import plotly.graph_objects as go

    figure = go.Figure(
        go.Bar(x=[safe(short(name, 24)) for name in names], y=list(counts), marker_color=SERIES[0])
    )
    figure.update_layout(
        height=260,
        margin={"l": 8, "r": 8, "t": 8, "b": 8},
        xaxis_title=safe(axis),
        yaxis_title="rows",
        bargap=0.15,
    )
    figure.update_xaxes(type="category")
    figure.update_yaxes(dtick=whole_steps(max(counts, default=0)))
    st.plotly_chart(figure, key=key, config=TOOLBAR, alt=alt)


def whole_steps(most: float) -> int | None:
    """Between ticks of an axis of counts: 1 where they are few, so that none is at 0.5; else plotly's own."""
    return 1 if most <= 10 else None


def _upper(estimates: Sequence[MetricEstimate]) -> float:
    """Where a share's axis ends: at 1, or sooner where all are small."""
    return min(1.02, 0.05 + 1.3 * max(one.high for one in estimates))


def _is_share(estimates: Sequence[MetricEstimate]) -> bool:
    return bool(estimates) and all(one.low >= 0 and one.high <= 1 for one in estimates)


def _has(cell: CellReport, metric: str) -> bool:
    estimate = cell.metrics.get(metric)
    return estimate is not None and not math.isnan(estimate.mean)


def _taken(cell: CellReport, against: str) -> float:
    if against == "cost":
        return cell.cost_usd
    if against == "latency":
        return cell.latency_p50_s
    return (cell.prompt_tokens + cell.completion_tokens) / max(1, cell.rows)
