"""A tuning while it works: its stages as steps, how far it is, and its training as it goes.

One fragment polls; closing the page changes nothing.
"""

from __future__ import annotations

import streamlit as st

from workbench.app.widgets.errors import explained
from workbench.app.widgets.numbers import count, seconds
from workbench.app.widgets.text import escaped, short
from workbench.app.widgets.tune_training import training_panel
from workbench.app.widgets.tune_words import STAGES, STATUS
from workbench.core.run import LIVE
from workbench.core.tuning import Stage, TuningProgress
from workbench.engine import Workspace
from workbench.tuning import TuningFolder, tuning_progress

LOG_LINES, LOG_BYTES = 30, 20_000
WORDS: dict[Stage, str] = {
    "collecting": "collecting what is good enough to learn from",
    "checking": "checking data, memory and disk",
    "training": "training",
    "saving": "saving the model",
    "evaluating": "measuring base and tuned model",
    "done": "done",
}


def live_panel(ws: Workspace, tuning: str) -> None:
    """What is polled; one rerun of the whole page when the tuning ends."""
    with explained("reading the tuning's progress"):
        now = tuning_progress(ws, tuning)
        if now.status not in LIVE:
            st.rerun()
        stage_line(now)
        _bar(now)
        training_panel(ws, tuning, live=True)


def stage_line(now: TuningProgress) -> None:
    """The stages from left to right: done, at work, to come; told by signs and not by colour alone."""
    names = list(STAGES)
    at = names.index(now.stage)
    ended = now.status == "completed"
    with st.container(horizontal=True, vertical_alignment="center"):
        for place, (stage, words) in enumerate(STAGES.items()):
            if place < at or ended:
                st.markdown(f":green-badge[✓ {words}]")
            elif place == at and now.status == "running":
                st.markdown(f":blue-badge[● {words}]")
            elif place == at and now.status == "queued":
                st.markdown(f":blue-badge[◌ {words}]")
            elif place == at and stage != "done":
                st.markdown(f":orange-badge[‖ {words}]")
            else:
                st.markdown(f":gray-badge[○ {words}]")


def standing(now: TuningProgress) -> None:
    """How it stands, of one that is not at work: the status and its sentence."""
    status = STATUS.get(now.status, escaped(now.status))
    st.markdown(f"{status} · worked {seconds(now.seconds)}")
    if not now.message:
        return
    sentence = escaped(now.message)
    if now.status == "failed":
        st.error(sentence, icon=":material/error:")
    else:
        st.info(sentence, icon=":material/info:")


def log_excerpt(ws: Workspace, tuning: str) -> None:
    """The last lines of what the libraries printed."""
    file = TuningFolder.of(ws.state_dir, tuning).log
    try:
        with file.open("rb") as opened:
            opened.seek(max(0, file.stat().st_size - LOG_BYTES))
            text = opened.read().decode("utf-8", "replace")
    except OSError:
        return
    lines = text.rstrip().splitlines()[-LOG_LINES:]
    if lines:
        with st.expander("The end of the training's log"):
            st.code("\n".join(lines), language=None, wrap_lines=True)


def _bar(now: TuningProgress) -> None:
    share = min(1.0, now.step / now.steps) if now.steps else 0.0
    if now.status == "queued":
        words = now.message or "Waits for the worker."
        st.info(escaped(words), icon=":material/hourglass:")
        return
    counted = ""
    if now.steps and f" of {count(now.steps)} " not in now.message:  # else its words count already
        what = "steps" if now.stage == "training" else "answers"
        counted = f" · {count(now.step)} of {count(now.steps)} {what}"
    left = f" · about {seconds(now.seconds_left)} left" if now.seconds_left is not None else ""
    said = (short(now.message, 200) or WORDS[now.stage]).rstrip(".")
    # the time is told with each step: before the first it would stand still
    worked = f" · worked {seconds(now.seconds)}" if now.steps else ""
    st.progress(share, text=escaped(f"{said}{counted}{left}{worked}"))
