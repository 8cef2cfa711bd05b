"""What a tuned model can be taken away as: its card, and its weights in three forms."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import streamlit as st

from workbench.app.widgets.errors import explained
from workbench.app.widgets.model_facts import size
from workbench.app.widgets.text import escaped
from workbench.app.widgets.verdict_risks import card_of
from workbench.engine import Workspace
from workbench.storage.tunings import TuningRecord
from workbench.tuning import ModelCard, model_card_html, model_card_markdown
from workbench.tuning.export_process import export_apart
from workbench.tuning.exporting import EXPORT_KINDS, ExportKind, usual_path

CARDS = (
    ("HTML", "html", "text/html", model_card_html),
    ("Markdown", "md", "text/markdown", model_card_markdown),
)
"""Forms of the card: name, ending, type, and what writes it."""
FORMS: dict[ExportKind, str] = {
    "adapter": "adapter: what was added to the base",
    "safetensors": "safetensors: base and addition as one model",
    "gguf": "gguf: one file for llama.cpp",
}


def exports(ws: Workspace, record: TuningRecord) -> None:
    """Card and weights; nothing before there is a model."""
    name = record.model
    if name is None:
        return
    st.subheader("Take it away", anchor=False)
    with st.container(horizontal=True):
        for form, ending, kind, write in CARDS:
            st.download_button(
                f"Model card, {form}",
                partial(_card, ws, record, write),
                f"{name}.{ending}",
                kind,
                icon=":material/download:",
                on_click="ignore",
                key=f"card {ending}",
            )
    if name not in ws.models.names():
        st.caption(escaped(f"The model '{name}' was deleted; its weights can be exported once it is back."))
        return
    _weights(ws, name)


def _card(ws: Workspace, record: TuningRecord, write: Callable[[ModelCard], str]) -> str:
    return write(card_of(ws, record))


def _weights(ws: Workspace, name: str) -> None:
    """Writes a form beside the workspace's other models, and says the command that does the same."""
    kinds = [kind for kind in EXPORT_KINDS if kind != "adapter" or ws.models.spec(name).adapter is not None]
    kind = st.selectbox("Weights as", kinds, format_func=FORMS.__getitem__, key="weights form")
    out = usual_path(ws, name, kind)
    there = out.exists()
    words = "Write the files again" if there else "Write the files"
    if st.button(words, icon=":material/save:", key="weights write"):
        with explained("exporting the model"), st.spinner("Writing; large models take minutes."):
            written = export_apart(ws, name, out, kind, replace=there)
            st.success(escaped(f"Wrote {written.path}, {size(written.bytes)}."), icon=":material/check:")
    st.caption(escaped(f"They go to {out}. On the command line:"))
    again = " --force" if there else ""
    st.code(f"workbench export model {name} --as {kind}{again}", language=None, wrap_lines=True)
