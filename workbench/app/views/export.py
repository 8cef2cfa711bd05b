"""Export: the winner as YAML with its evidence, the outputs, and the result table."""

import streamlit as st

from workbench.app import state
from workbench.app.pages import link
from workbench.app.widgets.controls import choose
from workbench.app.widgets.empty import empty
from workbench.app.widgets.errors import explained
from workbench.app.widgets.exports import output_downloads, report_downloads
from workbench.app.widgets.run_list import run_label
from workbench.app.widgets.text import escaped
from workbench.app.workspace import current_run, workspace
from workbench.engine import export_winner, report, runs, winner


def show() -> None:
    ws = workspace()
    st.title("Export")
    run_id = current_run(ws)
    if run_id is None:
        empty(
            "Nothing to export yet.",
            "Run an experiment first; its winner comes out here.",
            "home",
            "Go to Home",
        )
        return
    found = {run.id: run_label(run) for run in runs(ws, limit=50)}
    options = list(found) if run_id in found else [run_id, *found]
    chosen = choose("Run", options, state.RUN, run_id, shown=lambda run: found.get(run, run)) or run_id
    table = report(ws, chosen)
    metrics = list(table.cells[0].metrics) if table.cells else []
    st.subheader("The winner")
    with explained("choosing the winner"):
        metric = choose("Best by", metrics, state.METRIC) if len(metrics) > 1 else next(iter(metrics), None)
        best = winner(ws, chosen, metric)
        filename, text = export_winner(ws, chosen, metric)
        st.markdown(f"**{escaped(best.cell.label)}** — {escaped(best.reason)}")
        with st.container(horizontal=True, vertical_alignment="center"):
            st.download_button(
                f"Download {filename}",
                text,
                filename,
                "application/yaml",
                type="primary",
                icon=":material/download:",
                on_click="ignore",
            )
            link("prompts", "Open this prompt", ":material/edit_note:", prompt=best.cell.prompt)
            link("compare", "See the comparison", ":material/balance:", run=chosen)
        st.code(text, language=None, wrap_lines=True)
    st.subheader("All outputs")
    output_downloads(ws, chosen)
    st.subheader("The result table")
    report_downloads(ws, chosen)


with explained("showing the exports"):
    show()
