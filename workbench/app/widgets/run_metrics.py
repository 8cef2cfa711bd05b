"""Measuring a finished run by another metric, from the page that shows it."""

from __future__ import annotations

import streamlit as st

from workbench.app import state
from workbench.app.pages import go
from workbench.app.widgets.metric_picker import MetricSpec, metric_picker
from workbench.app.widgets.said import say_next
from workbench.app.widgets.text import escaped
from workbench.app.widgets.undo import offer_undo
from workbench.app.workspace import judge_names
from workbench.core.run import Report
from workbench.engine import Workspace, add_metrics, ensure_worker, remove_metric


def run_metrics(ws: Workspace, table: Report, shown: str) -> None:
    """Adds a metric to the run, or takes the one that is shown out of it."""
    with st.container(horizontal=True, vertical_alignment="center"):
        metric_picker(
            f"run {table.run}",
            lambda spec: _add(ws, table.run, spec),
            judge_names(ws),
            ws.models.names(),
            "Measure by another metric",
        )
        several = bool(table.cells) and len(table.cells[0].metrics) > 1
        if several and st.button(
            f"Take {escaped(shown)} out", key="remove metric", type="tertiary", icon=":material/remove:"
        ):
            spec = remove_metric(ws, table.run, shown)
            offer_undo(f"the metric {shown}", lambda: add_metrics(ws, table.run, [spec]))
            state.put(metric=None)
            st.rerun()


def _add(ws: Workspace, run: str, spec: MetricSpec) -> None:
    names, queued = add_metrics(ws, run, [spec])
    if not names:
        say_next("The run is measured by this metric already.")
    elif queued:
        ensure_worker(ws)
        go("run", run=run)
    else:
        state.put(metric=names[0])
        say_next(f"Measured by {escaped(names[0])}; no output was asked again.")
    st.rerun()
