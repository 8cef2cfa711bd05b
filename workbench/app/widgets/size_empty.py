"""What the Size page says when the question cannot be put to a run, and what to do about it."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from workbench.app.pages import link
from workbench.app.widgets.empty import empty
from workbench.app.widgets.errors import explained
from workbench.app.widgets.run_list import run_label
from workbench.app.widgets.text import escaped
from workbench.app.workspace import start_run
from workbench.engine import RunSummary, Workspace

EXPERIMENT = "sizes"
"""The experiment that the workspace brings for this page."""


def no_run_yet(ws: Workspace) -> None:
    """No run at all has several models."""
    with st.container(border=True):
        st.markdown("**No run has several models yet.**")
        st.markdown(
            "Run one prompt on models of several sizes or quantizations; this page then says which is the "
            "smallest that is good enough."
        )
        offer_experiment(ws)


def one_model_only(
    ws: Workspace, models: Sequence[str], experiment: str, others: Sequence[RunSummary]
) -> None:
    """The chosen run has one model: other runs that have several, and how to make one."""
    with st.container(border=True):
        st.markdown(f"**This run has one model only, {escaped(', '.join(models) or 'none')}.**")
        st.markdown(
            "A size is judged beside another: add a smaller model or several quantizations to the "
            r"experiment, such as `quantization: [fp32, int8]`, and run it again."
        )
        if experiment in ws.experiment_names():
            link("experiments", f"Open {experiment}", ":material/science:", experiment=experiment)
        for run in others[:5]:
            link("size", run_label(run), ":material/straighten:", run=run.id)
        if not others:
            offer_experiment(ws)


def nothing_scored() -> None:
    """A run with several models and no scores."""
    empty(
        "No output of this run is scored yet.",
        "Wait for the first outputs, resume the run, or score it by a metric.",
        "run",
        "Open the run",
    )


def offer_experiment(ws: Workspace) -> None:
    """The button that starts the experiment of sizes, where the workspace has it."""
    if EXPERIMENT not in ws.experiment_names():
        link("experiments", "Design an experiment", ":material/science:")
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        clicked = st.button(
            f"Run {EXPERIMENT}", type="primary", icon=":material/play_arrow:", key="run sizes"
        )
        link("experiments", "See it first", ":material/science:", experiment=EXPERIMENT)
    if clicked:
        with explained("starting the run"):
            start_run(ws, EXPERIMENT)
