"""The charts of a run, each with the sentence that says how to read it."""

from __future__ import annotations

import streamlit as st

from workbench.app.widgets.charts import metric_chart, tradeoff_chart, votes_chart
from workbench.app.widgets.errors import explained
from workbench.app.widgets.text import escaped
from workbench.core.run import Comparison, MetricEstimate, Report
from workbench.engine import Workspace, vote_curve


def result_charts(ws: Workspace, table: Report, found: Comparison, which: tuple[str, ...]) -> None:
    """`which`: any of `metric`, `taken` (quality against cost, latency, tokens) and `votes`."""
    metric = found.metric
    if "metric" in which:
        st.subheader(f"{escaped(metric)} per cell", anchor=False)
        verdicts = {entry.cell.index: entry for entry in found.comparisons}
        metric_chart(table.cells, metric, found.baseline.index, verdicts, key="chart metric")
    if "taken" in which:
        st.subheader("Quality against what it takes", anchor=False)
        paid = any(cell.cost_usd for cell in table.cells)
        whole = [cell for cell in table.cells if cell.stopped is None]
        taken = ["latency", "cost" if paid else "tokens"]
        for column, against in zip(st.columns(len(taken)), taken, strict=True):
            with column:
                tradeoff_chart(whole, metric, against, key=f"chart {against}")
        if len(whole) < len(table.cells):
            st.caption("Cells that the race stopped are not drawn: they have not seen all rows.")
        if not paid:
            st.caption("Cost is not drawn: every model of this run is free of charge.")
    if "votes" in which:
        with explained("drawing the votes"):
            curves: dict[str, list[tuple[int, MetricEstimate]]] = {}
            for cell in table.cells:
                curve = vote_curve(ws, table.run, cell.cell.index)
                if curve:
                    curves[cell.cell.label] = curve
            if curves:
                st.subheader("Quality against the number of voters", anchor=False)
                votes_chart(curves, metric, key="chart votes")
                st.caption("Where the line goes flat, more samples cost time and bring nothing.")
