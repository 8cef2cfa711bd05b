"""Model: what one model is made of, whether it fits here, how fast it is, how it reads a text."""

import streamlit as st

from workbench.app import state
from workbench.app.pages import link
from workbench.app.widgets.controls import segments
from workbench.app.widgets.empty import empty
from workbench.app.widgets.errors import explained
from workbench.app.widgets.model_choice import model_choice
from workbench.app.widgets.model_download import download_panel
from workbench.app.widgets.model_facts import adapter_panel, facts_table, headline, hosted
from workbench.app.widgets.model_memory import memory_panel
from workbench.app.widgets.model_parts import parts_panel
from workbench.app.widgets.model_speed import speed_panel
from workbench.app.widgets.model_tokens import tokens_panel
from workbench.app.widgets.text import escaped
from workbench.app.widgets.tuned_model import tuning_link
from workbench.app.workspace import workspace
from workbench.engine import Workspace
from workbench.engine.inspecting import Inspection, inspect_model

VIEWS = {
    "parts": "What it is made of",
    "memory": "Does it fit",
    "speed": "Speed here",
    "tokens": "Tokens",
}


def not_seen(found: Inspection) -> None:
    """A model that is not here, or whose files are not whole."""
    if not found.local:
        hosted(found.spec, found.unseen)
    elif found.to_download:
        empty(f"{escaped(found.spec.name)} is not here yet.", escaped(found.unseen))
        download_panel(found.spec)
    else:
        st.error(escaped(found.unseen), icon=":material/error:")
        link("models", "All models", ":material/list:")


def panel(ws: Workspace, name: str, found: Inspection) -> None:
    """The chosen part of the page."""
    view = segments("Show", VIEWS, state.VIEW, label_visibility="collapsed")
    if view == "memory":
        memory_panel(found)
    elif view == "speed":
        speed_panel(ws, name)
    elif view == "tokens":
        tokens_panel(ws, name, found)
    elif found.anatomy is not None:
        parts_panel(found.anatomy)
        adapter_panel(found)
        st.subheader("In numbers", anchor=False)
        facts_table(found.anatomy)


def show() -> None:
    ws = workspace()
    st.title("Model", anchor=False)
    state.show_address(state.MODEL)
    name = model_choice(ws)
    if name is None:
        empty("No model can be used yet.", "Add one on the Models page.", "models", "Go to Models")
        return
    found = inspect_model(ws, name)
    if found.anatomy is None:
        not_seen(found)
        return
    if found.spec.description:
        st.caption(escaped(found.spec.description))
    tuning_link(ws, name)
    headline(found.anatomy)
    panel(ws, name, found)


with explained("showing the model"):
    show()
