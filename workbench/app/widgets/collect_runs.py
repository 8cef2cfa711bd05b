"""Which runs a collection is made from, and which rows must stay apart from it."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from workbench.app import state
from workbench.app.widgets.errors import say
from workbench.app.widgets.run_list import run_label
from workbench.app.widgets.text import escaped
from workbench.core.experiment import Experiment
from workbench.core.run import Cell
from workbench.engine import Workspace, find_run
from workbench.engine.plan import stored_cells
from workbench.engine.records import is_imported
from workbench.engine.score import metric_names
from workbench.errors import WorkbenchError
from workbench.storage import RunRecord
from workbench.tuning.collecting.splits import is_for_evaluation

MOST = 100
KEPT = "rows kept for evaluation"


@dataclass(frozen=True, slots=True)
class RunOffered:
    """A completed run: its id, its experiment, its cells, and the names of its metrics."""

    id: str
    experiment: str
    cells: tuple[Cell, ...]
    metrics: tuple[str, ...]


def choose_runs(ws: Workspace) -> list[RunOffered] | None:
    """The runs that are chosen, at first the one of the address; None where there is none to choose."""
    done = {one.id: one for one in ws.store.runs.newest(MOST) if _fits(one)}
    asked = _asked(ws)
    if asked and asked not in done:
        record = ws.store.runs.get(asked)
        if record is not None and _fits(record):
            done = {asked: record, **done}
        else:
            st.warning(f"Run {escaped(asked)} is not completed, and a collection takes completed ones.")
    if not done:
        return None
    # runs over rows to learn from first: others are refused when they are collected; then those that people
    # asked for, before those that measured a tuned model
    ordered = sorted(done, key=lambda run: (_is_held_back(done[run]), "tuning" in done[run].definition))
    default = [asked] if asked in done else ordered[:1]
    chosen = st.multiselect(
        "Runs",
        ordered,
        default=default,
        key=f"collect runs {asked}",
        format_func=lambda run: _words(done[run]),
    )
    return [_offered(done[run]) for run in chosen]


def apart_from(ws: Workspace) -> list[str] | None:
    """The splits whose rows must not be learnt; None for every evaluation split."""
    splits = [f"{name}#{split}" for name in ws.datasets.names() for split in ws.datasets.splits(name)]
    usual = [one for one in splits if is_for_evaluation(one.rpartition("#")[2])]
    chosen = st.multiselect(
        "Apart from the rows of",
        splits,
        default=usual,
        key="collect apart",
        help="A row that says the same as one of these, or shares thirteen words in a row with it, is left "
        "out and listed: what a model is measured on must not be what it learnt.",
    )
    if usual and not chosen:
        st.warning(
            "Nothing is kept apart: a model that learns rows it is measured on looks better than it is.",
            icon=":material/warning:",
        )
    return None if set(chosen) == set(usual) else chosen


def _asked(ws: Workspace) -> str:
    asked = state.text(state.RUN)
    if not asked:
        return ""
    try:
        return find_run(ws, asked)
    except WorkbenchError as error:
        say(error)
        return ""


def _fits(record: RunRecord) -> bool:
    return record.status == "completed" and "probe" not in record.definition


def _is_held_back(record: RunRecord) -> bool:
    split = str(record.definition["experiment"]["dataset"].get("split", ""))
    return not is_imported(record) and is_for_evaluation(split)


def _words(record: RunRecord) -> str:
    return f"{run_label(record)} · {KEPT}" if _is_held_back(record) else run_label(record)


def _offered(record: RunRecord) -> RunOffered:
    experiment = Experiment.model_validate(record.definition["experiment"])
    return RunOffered(record.id, record.experiment, stored_cells(record), tuple(metric_names(experiment)))
