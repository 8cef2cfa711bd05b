"""One tuning: live while it works, then its verdict, its training and where its model came from."""

from __future__ import annotations

import streamlit as st

from workbench.app import state
from workbench.app.pages import go, link
from workbench.app.widgets.controls import segments
from workbench.app.widgets.errors import explained
from workbench.app.widgets.text import escaped
from workbench.app.widgets.tune_live import live_panel, log_excerpt, stage_line, standing
from workbench.app.widgets.tune_training import training_panel
from workbench.app.widgets.undo import offer_undo
from workbench.app.widgets.verdict_lineage import lineage_view
from workbench.app.widgets.verdict_view import verdict_view
from workbench.core.run import LIVE
from workbench.core.tuning import TuningProgress
from workbench.engine import Workspace, ensure_worker
from workbench.storage.tunings import TuningRecord
from workbench.tuning import (
    cancel_tuning,
    delete_tuning,
    get_tuning,
    recipe_names,
    resume_tuning,
    tuning_progress,
    undelete_tuning,
)

PARTS = {"verdict": "Verdict", "training": "Training", "lineage": "Where it came from"}


def tuning_view(ws: Workspace, tuning: str) -> None:
    """The page of one tuning."""
    record, now = get_tuning(ws, tuning), tuning_progress(ws, tuning)
    live = now.status in LIVE
    st.title(f"Tuning of {escaped(record.recipe)}", anchor=False)
    base = record.definition["recipe"]["base"]
    made = record.model or record.definition.get("model", "")
    closing = " · you may close this page: the tuning goes on" if live else ""
    st.caption(escaped(f"{base} → {made} · {tuning}{closing}"))
    with explained("changing the tuning"):
        _actions(ws, record, now)
    if live:
        with explained("starting the worker"):
            ensure_worker(ws)
        st.fragment(live_panel, run_every="1s")(ws, tuning)
        return
    if now.status == "completed":
        _finished(ws, record)
        return
    stage_line(now)
    standing(now)
    if now.status == "failed":
        log_excerpt(ws, tuning)
    with explained("showing the training"):
        training_panel(ws, tuning)


def _finished(ws: Workspace, record: TuningRecord) -> None:
    part = segments("Show", PARTS, state.VIEW, label_visibility="collapsed")
    if part == "training":
        training_panel(ws, record.id)
    elif part == "lineage":
        lineage_view(ws, record)
    else:
        verdict_view(ws, record)


def _actions(ws: Workspace, record: TuningRecord, now: TuningProgress) -> None:
    """One row of what can be done now; the likeliest first."""
    with st.container(horizontal=True, vertical_alignment="center"):
        link("tune", "All recipes and tunings", ":material/arrow_back:")
        if record.recipe in recipe_names(ws):
            link("tune", "The recipe", ":material/edit:", recipe=record.recipe)
        if now.status in LIVE:
            asked = record.cancel_requested
            told = "It stops within seconds. What it has learnt is kept, and it can be resumed."
            words = "Cancelling …" if asked else "Cancel"
            icon = ":material/stop_circle:"
            if st.button(words, icon=icon, key="tuning cancel", help=told, disabled=asked):
                cancel_tuning(ws, record.id)
                st.rerun()
            return
        if now.status != "completed":
            icon = ":material/play_arrow:"
            told = "It goes on where it was. A recipe that was refused is read anew, once you mended it."
            if st.button("Resume", type="primary", icon=icon, key="tuning resume", help=told):
                _resume(ws, record.id)
            kept = record.model is not None and now.stage == "training"
            told = "No more training: the weights that were kept are held against the base."
            if kept and st.button("Measure it as it is", icon=":material/balance:", help=told):
                _resume(ws, record.id, as_it_is=True)
        if st.button("Delete the tuning", icon=":material/delete:", key="tuning delete", type="tertiary"):
            delete_tuning(ws, record.id)
            offer_undo("the tuning", lambda: undelete_tuning(ws, record.id))
            go("tune")


def _resume(ws: Workspace, tuning: str, as_it_is: bool = False) -> None:
    resume_tuning(ws, tuning, as_it_is=as_it_is)
    ensure_worker(ws)
    st.rerun()
