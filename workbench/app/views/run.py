"""Run: live progress with outputs arriving, cancel and resume. Closing the page stops nothing."""

from typing import Literal

import streamlit as st

from workbench.app import state
from workbench.app.pages import go, link
from workbench.app.widgets.empty import empty
from workbench.app.widgets.errors import explained
from workbench.app.widgets.numbers import many
from workbench.app.widgets.progress_panel import newest_outputs, progress_bar
from workbench.app.widgets.race_standing import race_standing
from workbench.app.widgets.run_list import run_list
from workbench.app.widgets.text import escaped, short
from workbench.app.widgets.undo import offer_undo, undo_bar
from workbench.app.workspace import cells_of, current_run, workspace
from workbench.core.run import LIVE, Cell
from workbench.engine import (
    Workspace,
    cancel_run,
    delete_run,
    ensure_worker,
    judging_errors,
    latest_outputs,
    progress,
    resume_run,
    runs,
    undelete_run,
)
from workbench.engine.records import get_run, is_imported, race_of


def panel(ws: Workspace, run_id: str, cells: tuple[Cell, ...], was_live: bool) -> None:
    """What is polled; one rerun of the whole page when the run ends."""
    with explained("reading the run's progress"):
        now = progress(ws, run_id)
        progress_bar(now)
        race = race_of(get_run(ws, run_id))
        if race is not None:
            race_standing(race, cells)
        if was_live and now.status not in LIVE:
            st.rerun()
        arrived = latest_outputs(ws, run_id, n=6)
        if arrived:
            st.subheader("Newest outputs")
            newest_outputs(arrived, cells)
        elif now.status in LIVE:
            st.caption("The first outputs arrive once the model is loaded, in a few seconds.")


def judges_failed(reasons: dict[str, int]) -> str:
    """That judges could not be heard, and why."""
    why = "; ".join(short(reason, 200) for reason in list(reasons)[:3])
    return f"Judges ended in errors about {many(sum(reasons.values()), 'output')}, now unscored: {why}"


def actions(
    ws: Workspace,
    run_id: str,
    status: str,
    complete: bool,
    errors: int,
    unheard: bool,
    cells: tuple[Cell, ...],
) -> None:
    """One row of what can be done now; the likeliest first."""
    with st.container(horizontal=True, vertical_alignment="center"):
        if status in LIVE:
            if st.button("Cancel", icon=":material/stop_circle:", key="run cancel"):
                cancel_run(ws, run_id)
                st.rerun()
            return
        if complete and st.button("Compare the cells", icon=":material/balance:", type="primary"):
            go("compare", run=run_id)
        asks = unheard or not (status == "completed" and is_imported(get_run(ws, run_id)))
        if asks and (not complete or errors):
            words = "Retry the errors" if complete else "Resume"
            kind: Literal["primary", "secondary"] = "secondary" if complete else "primary"
            if st.button(words, icon=":material/play_arrow:", type=kind, key="run resume"):
                resume_run(ws, run_id)
                ensure_worker(ws)
                st.rerun()
        if not complete:
            link("compare", "Compare what there is", ":material/balance:", run=run_id)
        if len({cell.model for cell in cells}) > 1:
            link("size", "Which size is enough?", ":material/straighten:", run=run_id)
        if complete:
            link("rate", "Rate outputs", ":material/how_to_vote:", run=run_id)
            link("collections", "Collect the best outputs", ":material/add_circle:", run=run_id)
        link("export", "Export", ":material/inventory_2:", run=run_id)
        if st.button("Delete", icon=":material/delete:", key="run delete", type="tertiary"):
            delete_run(ws, run_id)
            offer_undo("the run", lambda: undelete_run(ws, run_id))
            state.remember(state.RUN, None)
            st.rerun()


def show() -> None:
    ws = workspace()
    undo_bar()
    run_id = current_run(ws)
    if run_id is None:
        st.title("Run")
        empty("No run to watch yet.", "Start the quick start, or design an experiment.", "home", "Go to Home")
        return
    now = progress(ws, run_id)
    cells = cells_of(ws, run_id)
    live = now.status in LIVE
    summary = next((run for run in runs(ws, limit=200) if run.id == run_id), None)
    st.title(f"Run of {escaped(summary.experiment)}" if summary else "Run", anchor=False)
    st.caption(escaped(f"{run_id} · you may close this page: the run goes on." if live else run_id))
    if now.status == "completed":
        st.success("Done. See which prompt won.", icon=":material/check_circle:")
    unheard = {} if live else dict(judging_errors(ws, run_id))
    if unheard:
        st.warning(escaped(judges_failed(unheard)), icon=":material/gavel:")
    with explained("changing the run"):
        errors = now.errors + sum(unheard.values())
        actions(ws, run_id, now.status, now.done >= now.total, errors, bool(unheard), cells)
    if live:
        with explained("starting the worker"):
            ensure_worker(ws)
    st.fragment(panel, run_every="0.5s" if live else None)(ws, run_id, cells, live)
    others = [run for run in runs(ws, limit=12) if run.id != run_id]
    if others:
        with st.expander("Other runs"):
            run_list(others, key="run")


with explained("showing the run"):
    state.put(**{state.PAGE: None})
    show()
