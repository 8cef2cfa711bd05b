"""What a tuned model can be taken away as: its card, and the commands that write its weights."""

from __future__ import annotations

import streamlit as st

from workbench.app.widgets.text import escaped
from workbench.app.widgets.verdict_risks import card_of
from workbench.engine import Workspace
from workbench.storage.tunings import TuningRecord
from workbench.tuning import model_card_html, model_card_markdown

FORMS = {"adapter": "-adapter", "safetensors": "-whole", "gguf": ".gguf"}
"""Forms of export, and what is added to the name of the folder or file."""


def exports(ws: Workspace, record: TuningRecord) -> None:
    """Downloads and commands; nothing before there is a model."""
    name = record.model
    if name is None:
        return
    st.subheader("Take it away", anchor=False)
    with st.container(horizontal=True):
        st.download_button(
            "Model card, HTML",
            lambda: model_card_html(card_of(ws, record)),
            f"{name}.html",
            "text/html",
            icon=":material/download:",
            on_click="ignore",
            key="card html",
        )
        st.download_button(
            "Model card, Markdown",
            lambda: model_card_markdown(card_of(ws, record)),
            f"{name}.md",
            "text/markdown",
            icon=":material/download:",
            on_click="ignore",
            key="card md",
        )
    if name not in ws.models.names():
        st.caption(escaped(f"The model '{name}' was deleted; its weights can be exported once it is back."))
        return
    forms = ["safetensors", "gguf"] if ws.models.spec(name).adapter is None else list(FORMS)
    lines = [f"workbench export model {name} --as {form} -o {name}{FORMS[form]}" for form in forms]
    st.code("\n".join(lines), language=None, wrap_lines=True)
    st.caption("What was added to the base; base and addition as one model; one file for llama.cpp.")
