"""How many answers a probe changed: a dot with its interval per cell, and what changes by itself."""

from __future__ import annotations

import streamlit as st

from workbench.app.widgets.charts import LEGEND_ABOVE, SERIES, TOOLBAR, safe, whiskers
from workbench.app.widgets.text import short
from workbench.engine import ProbeReport
from workbench.statistics import Estimate


def changed_chart(found: ProbeReport, key: str) -> None:
    """Share of answers changed, percent; an open square marks the change between plain repeats."""
    import plotly.graph_objects as go

    labels = [safe(short(line.cell.label, 48)) for line in found.lines]
    figure = go.Figure()
    series: list[tuple[str, str, str, list[Estimate | None]]] = [
        ("changed by the probe", "circle", SERIES[0], [line.changed for line in found.lines]),
        ("by themselves", "square-open", SERIES[1], [line.noise for line in found.lines]),
    ]
    for name, symbol, colour, estimates in series:
        there = [(label, one) for label, one in zip(labels, estimates, strict=True) if one and one.n]
        if there:
            figure.add_trace(
                go.Scatter(
                    x=[100 * one.mean for _, one in there],
                    y=[label for label, _ in there],
                    error_x=whiskers(((one.low, one.mean, one.high) for _, one in there), 100),
                    mode="markers",
                    name=name,
                    marker={"size": 11, "symbol": symbol, "color": colour},
                )
            )
    figure.update_layout(
        height=120 + 34 * len(labels),
        margin={"l": 8, "r": 8, "t": 8, "b": 40},
        xaxis_title="answers changed, %",
        legend=LEGEND_ABOVE,
    )
    figure.update_xaxes(range=[-2, 102])
    figure.update_yaxes(categoryorder="array", categoryarray=labels[::-1], automargin=True)
    spoken = "; ".join(
        f"{line.cell.label}: {100 * line.changed.mean:.0f} %" for line in found.lines[:12] if line.changed.n
    )
    st.plotly_chart(figure, key=key, config=TOOLBAR, alt=f"Share of answers that the probe changed. {spoken}")
