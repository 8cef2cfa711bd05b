"""Which labels each cell takes for which: a matrix a cell, its labels one by one, and links to the rows."""

from __future__ import annotations

from typing import Any

import streamlit as st

from workbench.app import state
from workbench.app.pages import link
from workbench.app.widgets.charts import TOOLBAR, ink, safe
from workbench.app.widgets.controls import pick_numbers
from workbench.app.widgets.empty import empty
from workbench.app.widgets.numbers import count, interval, many
from workbench.app.widgets.text import escaped, short
from workbench.core.run import Comparison, MetricEstimate, Report
from workbench.engine import LabelReport, Workspace, label_report
from workbench.errors import MetricError, RunError
from workbench.metrics.confusion import NONE, OTHER, Confusion
from workbench.statistics import Estimate

MOST_CELLS = 4
BESIDE = 8  # labels up to which two matrices fit beside each other
MOST_MISTAKES = 5
SCALE = {"dark": ("#1f222a", "#4655c4"), "light": ("#f3f1ec", "#a3aeed")}
"""From no output to all outputs of a label; the theme's text can be read on both ends."""


def labels_view(ws: Workspace, table: Report, found: Comparison) -> None:
    """The chosen cells' matrices and tables; where this is no classification, why."""
    labels = {cell.cell.index: cell.cell.label for cell in table.cells}
    default = list(dict.fromkeys([found.baseline.index, *labels]))[:2]
    picked = pick_numbers(f"Cells (up to {MOST_CELLS})", labels, state.CELLS, default, MOST_CELLS)
    if not picked:
        empty("No cell is chosen.", "Choose one above to see which labels it takes for which.")
        return
    try:
        shown = [label_report(ws, table.run, cell) for cell in picked]
    except (MetricError, RunError) as problem:
        empty("Nothing to show here.", escaped(str(problem)))
        return
    st.caption(
        "A row of squares is a right label, a column what was given; framed squares are right. "
        "The stronger a square's colour, the larger its share of the row."
    )
    width = 2 if len(shown) > 1 and len(shown[0].found.labels) <= BESIDE else 1
    for start in range(0, len(shown), width):
        for column, one in zip(st.columns(width), shown[start : start + width], strict=False):
            with column:
                _cell(one)
    st.subheader("Label by label", anchor=False)
    _table(shown)


def _cell(shown: LabelReport) -> None:
    """The matrix, and links to the rows of its largest mistakes."""
    st.subheader(escaped(short(shown.cell.label, 80)), anchor=False)
    _matrix(shown.found, f"confusion {shown.cell.index}", shown.cell.label)
    mistakes = shown.found.mistakes
    if not mistakes:
        st.markdown("No mistake: every output has the right label.")
    for actual, given, outputs in mistakes[:MOST_MISTAKES]:
        words = f"{many(outputs, 'output')}: {short(actual, 40)} taken for {short(given, 40)}"
        link("compare", escaped(words), ":material/search:", **_rows(shown, actual, given))
    if shown.found.unscored:
        st.caption(f"{many(shown.found.unscored, 'output')} without a right label left out.")


def _table(shown: list[LabelReport]) -> None:
    """Each label's shares; the cells of a label stand below each other."""
    lines = [(one.cell.label, line) for one in shown for line in one.found.lines]
    places = {line.label: place for place, line in enumerate(shown[0].found.lines)}
    lines.sort(key=lambda item: places.get(item[1].label, len(places)))
    columns = {
        "Label": [f"**{escaped(short(line.label, 60))}**" for _, line in lines],
        "Cell": [escaped(short(cell, 60)) for cell, _ in lines],
        "Precision": [_share(line.precision) for _, line in lines],
        "Recall": [_share(line.recall) for _, line in lines],
        "F1": [_share(line.f1) for _, line in lines],
        "Outputs": [count(line.support) for _, line in lines],
        "Given": [count(line.given) for _, line in lines],
    }
    if len(shown) == 1:
        del columns["Cell"]
    st.table(columns, border="horizontal", hide_index=True, alt="Precision, recall and F1 of each label")


def _rows(shown: LabelReport, actual: str, given: str) -> dict[str, str | None]:
    """The rows of one square, as the row view's filters can say it."""
    return {
        "run": shown.run,
        "view": "rows",
        "cells": str(shown.cell.index),
        "only": "unanswered" if given == NONE else "wrong",
        "column": shown.reference,
        "value": actual,
        "find": None if given in (NONE, OTHER) else given,
    }


def _matrix(found: Confusion, key: str, label: str) -> None:
    import plotly.graph_objects as go

    rows = [safe(short(name, 24)) for name in found.labels]
    columns = [safe(short(name, 24)) for name in found.columns]
    shares = found.counts / found.counts.sum(axis=1, keepdims=True).clip(min=1)
    low, high = SCALE["dark" if st.context.theme.type == "dark" else "light"]
    figure = go.Figure(
        go.Heatmap(
            z=shares,
            # places, as two labels may be cut to the same text
            x=list(range(len(columns))),
            y=list(range(len(rows))),
            text=found.counts,
            texttemplate="%{text:,}",
            textfont={"color": ink()},
            customdata=_hover(found),
            hovertemplate="%{customdata}<extra></extra>",
            colorscale=[[0, low], [1, high]],
            zmin=0,
            zmax=1,
            showscale=False,
            xgap=2,
            ygap=2,
        )
    )
    for place in range(len(rows)):
        corners = {"x0": place - 0.48, "x1": place + 0.48, "y0": place - 0.48, "y1": place + 0.48}
        figure.add_shape(type="rect", line={"color": ink(), "width": 1.5}, **corners)
    figure.update_layout(
        height=110 + max(34, min(56, 420 // len(rows))) * len(rows),
        margin={"l": 8, "r": 8, "t": 8, "b": 8},
        xaxis_title="given",
        yaxis_title="right",
    )
    ticks: dict[str, Any] = {
        "showgrid": False,
        "zeroline": False,
        "automargin": True,
        "tickfont": {"color": ink()},
        "title_font": {"color": ink()},
    }
    figure.update_xaxes(tickvals=list(range(len(columns))), ticktext=columns, tickangle=-35, **ticks)
    figure.update_yaxes(
        tickvals=list(range(len(rows))), ticktext=rows, range=[len(rows) - 0.5, -0.5], **ticks
    )
    spoken = "; ".join(f"{n} {a} taken for {g}" for a, g, n in found.mistakes[:6]) or "no mistakes"
    st.plotly_chart(figure, key=key, config=TOOLBAR, alt=f"Confusion matrix of {label}. {spoken}")


def _hover(found: Confusion) -> list[list[str]]:
    totals = found.counts.sum(axis=1)
    return [
        [
            f"right: {safe(short(right, 60))}<br>given: {safe(short(given, 60))}<br>"
            f"{found.counts[row, column]:,} of {totals[row]:,} outputs"
            for column, given in enumerate(found.columns)
        ]
        for row, right in enumerate(found.labels)
    ]


def _share(estimate: Estimate) -> str:
    if not estimate.n:
        return "–"
    words = interval(MetricEstimate(estimate.mean, estimate.low, estimate.high, estimate.n))
    mean, _, bounds = words.partition(" ")
    return f"**{escaped(mean)}**\u00a0{escaped(bounds)}".replace(" ", "\u00a0")
