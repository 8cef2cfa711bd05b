"""Compare: cells side by side with intervals and verdicts, then their outputs row by row."""

from collections.abc import Callable

import streamlit as st

from workbench.app import state
from workbench.app.pages import link
from workbench.app.widgets.controls import choose, pager, segments
from workbench.app.widgets.empty import empty
from workbench.app.widgets.errors import explained
from workbench.app.widgets.failures_view import failures_view
from workbench.app.widgets.headline import headline
from workbench.app.widgets.history_view import history_view
from workbench.app.widgets.labels_view import labels_view
from workbench.app.widgets.numbers import many
from workbench.app.widgets.pairs_view import pairs_view
from workbench.app.widgets.probes_view import probes_view
from workbench.app.widgets.race_standing import race_caption
from workbench.app.widgets.result_charts import result_charts
from workbench.app.widgets.result_table import PER_SCREEN, result_table
from workbench.app.widgets.row_filters import ABOUT_ONE_RUN
from workbench.app.widgets.rows_view import rows_view
from workbench.app.widgets.run_list import run_label
from workbench.app.widgets.run_metrics import run_metrics
from workbench.app.widgets.said import say_once
from workbench.app.widgets.slices_view import slices_view
from workbench.app.widgets.text import escaped, short
from workbench.app.widgets.undo import undo_bar
from workbench.app.workspace import current_run, workspace
from workbench.core.run import LIVE, Comparison, Report
from workbench.engine import Workspace, compare, report, runs, unmeasured

View = Callable[[Workspace, Report, Comparison], None]


def table_view(ws: Workspace, table: Report, found: Comparison) -> None:
    """The result table and the chart of its metric."""
    for metric, reason in unmeasured(ws, table):
        st.warning(escaped(f"{metric} scored no output: {short(reason, 400)}"), icon=":material/info:")
    offset = pager(len(table.cells), PER_SCREEN)
    result_table(table, found, offset)
    st.caption(
        escaped(
            f"{many(max(cell.rows for cell in table.cells), 'row')} in each cell"
            f"{' that was not stopped' if table.race else ''}; "
            f"intervals at {100 * found.confidence:g} %. "
            "Verdicts compare the same rows in both cells, corrected for the "
            f"{len(found.comparisons)} comparisons made"
            + (f"; differences up to {found.margin:g} count as tied." if found.margin else ".")
        )
    )
    if said := race_caption(table):
        st.caption(escaped(said))
    result_charts(ws, table, found, ("metric",))


def charts_view(ws: Workspace, table: Report, found: Comparison) -> None:
    """Every chart of the run."""
    result_charts(ws, table, found, ("metric", "taken", "votes"))


VIEWS: dict[str, tuple[str, View]] = {
    "table": ("Result table", table_view),
    "rows": ("Row by row", rows_view),
    "slices": ("Slices", slices_view),
    "failures": ("Why they fail", failures_view),
    "labels": ("Labels", labels_view),
    "pairs": ("Every pair", pairs_view),
    "history": ("History", history_view),
    "probes": ("Probes", probes_view),
    "charts": ("Charts", charts_view),
}
"""A view's name in the URL → its words and what draws it."""


def choices(ws: Workspace, run_id: str) -> tuple[Report, Comparison | None]:
    """Which run, by which metric, against which cell; None where there is nothing to compare."""
    which, by, against = st.columns([2.6, 1.8, 2.4])
    found = {run.id: run_label(run) for run in runs(ws, limit=50)}
    options = list(found) if run_id in found else [run_id, *found]
    clears = (
        *(state.CELLS, state.BASELINE, state.METRIC, state.PAGE, state.ROW),
        *(state.FAILING, state.OLDER, state.NEWER, *ABOUT_ONE_RUN),
    )
    with which:
        chosen = choose("Run", options, state.RUN, run_id, clears, shown=lambda run: found.get(run, run))
    table = report(ws, chosen or run_id)
    with by:
        metric = choose("Metric", list(table.cells[0].metrics) if table.cells else [], state.METRIC)
    if metric is None or not any(cell.rows for cell in table.cells):
        return table, None
    labels = {str(cell.cell.index): cell.cell.label for cell in table.cells}
    asked = state.text(state.BASELINE)
    comparison = compare(ws, table.run, metric, int(asked) if asked in labels else None)
    with against:
        state.hold("url baseline", str(comparison.baseline.index))
        st.selectbox(
            "Baseline",
            list(labels),
            key="url baseline",
            format_func=lambda index: labels[index],
            on_change=lambda: state.put(baseline=st.session_state["url baseline"]),
        )
    return table, comparison


def about_the_run(ws: Workspace, table: Report, found: Comparison) -> None:
    """The winner, the metrics, and where to go from here; the other views begin with what they are about."""
    headline(ws, table, found)
    if table.status not in LIVE:
        with explained("changing the metrics"):
            run_metrics(ws, table, found.metric)
    with st.container(horizontal=True):
        if len({cell.cell.model for cell in table.cells}) > 1:
            link("size", "Which size is enough?", ":material/straighten:", run=table.run)
        link("rate", "Rate outputs", ":material/how_to_vote:", run=table.run)
        link("collections", "Collect the best outputs", ":material/add_circle:", run=table.run)


def show() -> None:
    ws = workspace()
    run_id = current_run(ws)
    if run_id is None:
        st.title("Compare")
        empty(
            "Nothing to compare yet.",
            "Run an experiment with two prompts or two models.",
            "home",
            "Go to Home",
        )
        return
    st.title("Compare")
    undo_bar()
    say_once()
    table, found = choices(ws, run_id)
    if table.status in LIVE:
        st.info("This run is still going; the numbers are of the outputs so far.", icon=":material/timer:")
        link("run", "Watch it", ":material/timer:", run=table.run)
    if found is None:
        empty("This run has no outputs to compare.", "Resume it, or start another.", "run", "Open the run")
        return
    words = {name: label for name, (label, _) in VIEWS.items()}
    state.show_address(state.VIEW)
    view = segments("View", words, state.VIEW, clears=(state.PAGE, state.ROW), label_visibility="collapsed")
    if view == "table":
        about_the_run(ws, table, found)
    VIEWS[view][1](ws, table, found)


with explained("comparing"):
    show()
