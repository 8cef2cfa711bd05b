"""Home: the loop in four lines, one obvious next step, and what ran lately."""

import streamlit as st

from workbench.app.pages import link
from workbench.app.widgets.empty import empty
from workbench.app.widgets.errors import broken_files, explained
from workbench.app.widgets.run_list import run_list
from workbench.app.workspace import QUICK_START, start_run, workspace
from workbench.engine import runs


def show() -> None:
    ws = workspace()
    st.title("Find the prompt that works")
    st.markdown(
        "1. **Write** prompts, and try them on real rows as you type.\n"
        "2. **Run** them over a dataset, on models that ship with the workbench or on any API.\n"
        "3. **Compare** with confidence intervals, rate what no metric can judge, and download the winner.\n"
        "4. **Fine-tune** a local model on the best outputs, and see it win or lose in the same table."
    )
    ready = QUICK_START in ws.experiment_names()
    recent = runs(ws, limit=8)
    with st.container(horizontal=True, vertical_alignment="center"):
        clicked = st.button(
            "Run the quick start",
            type="primary",
            icon=":material/play_arrow:",
            disabled=not ready,
            key="home quick start",
        )
        if recent:
            link("prompts", "Write a prompt", ":material/edit_note:")
            link("experiments", "Design an experiment", ":material/science:")
    st.caption(
        "Four ways to ask, on two small models that run right here: no key, no network, about a minute."
        if ready
        else "experiments/quickstart.yaml is not in this workspace; design an experiment instead."
    )
    if clicked:
        with explained("starting the quick start"):
            start_run(ws, QUICK_START)
    broken_files(ws.broken())
    st.subheader("Recent runs")
    if recent:
        run_list(recent, key="home")
    else:
        empty("Nothing has run yet.", "Start with the quick start above; its results will be listed here.")


with explained("showing the home page"):
    show()
