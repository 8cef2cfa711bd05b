"""The open workspace, shared by every page and visitor, and the run that a page is about."""

from __future__ import annotations

import streamlit as st

from workbench.app import state
from workbench.app.pages import go
from workbench.core.race import RaceSettings
from workbench.core.run import Cell
from workbench.engine import Workspace, create_run, ensure_worker, find_run, runs
from workbench.engine.plan import stored_cells

QUICK_START = "quickstart"


def workspace() -> Workspace:
    """The workspace that the app was started for. Raises WorkbenchError when it is none."""
    return _open(str(state.root()))


@st.cache_resource(show_spinner=False, max_entries=4)
def _open(root: str) -> Workspace:
    return Workspace.open(root)


def current_run(ws: Workspace) -> str | None:
    """The run of the URL (an id, a prefix, a name, `latest`), else the last one shown, else the newest.

    Raises UnknownName when the URL's run is not there.
    """
    asked = state.text(state.RUN) or st.session_state.get(state.LAST + state.RUN)
    if not asked:
        newest = runs(ws, limit=1)
        if not newest:
            return None
        asked = newest[0].id
    run_id = find_run(ws, asked)
    state.remember(state.RUN, run_id)
    return run_id


def cells_of(ws: Workspace, run_id: str) -> tuple[Cell, ...]:
    """The cells of a run, without reading its outputs."""
    record = ws.store.runs.get(run_id)
    return stored_cells(record) if record else ()


def judge_names(ws: Workspace) -> list[str]:
    """Prompts that have a rubric: they can judge other prompts' outputs."""
    prompts = {name: ws.prompts.get(name) for name in ws.prompts.names()}
    return [name for name, prompt in prompts.items() if getattr(prompt, "rubric", None) is not None]


def start_run(
    ws: Workspace, experiment_name: str, limit: int | None = None, race: RaceSettings | None = None
) -> None:
    """Queues a run of a saved experiment, wakes the worker and opens the live page."""
    run_id = create_run(ws, ws.experiment(experiment_name), limit=limit, race=race)
    ensure_worker(ws)
    state.remember(state.RUN, run_id)
    go("run", run=run_id)
