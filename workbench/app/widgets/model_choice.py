"""Which model the page is about, and how its weights are held; both stand in the URL."""

from __future__ import annotations

import streamlit as st

from workbench.app import state
from workbench.app.widgets.controls import choose
from workbench.engine import Workspace
from workbench.models.gguf.quantizations import GGUF_QUANTIZATIONS
from workbench.models.local.quantization import QUANTIZATIONS, available

AS_IT_IS = "as its row says"


def model_choice(ws: Workspace) -> str | None:
    """The chosen model as experiments write it, such as `small@int8`; None where there is none."""
    specs = {spec.name: spec for spec in ws.models.specs()}
    _take_apart(list(specs))
    left, right = st.columns([2, 1])
    with left:
        name = choose("Model", list(specs), state.MODEL)
    if name is None:
        return None
    kinds = quantizations(ws, name)
    with right:
        kind = choose(
            "Quantization",
            [AS_IT_IS, *kinds],
            state.QUANTIZATION,
            AS_IT_IS,
            sticky=False,
            disabled=not kinds,
            help="How the weights are held while it runs; the files stay as they are.",
        )
    return name if kind in (None, AS_IT_IS) else f"{name}@{kind}"


def quantizations(ws: Workspace, name: str) -> list[str]:
    """In what ways a model can be held here, besides as its row says."""
    if ws.models.spec(name).provider != "transformers":
        return []
    ours = [kind.name for kind in available()]
    theirs = [kind for kind in GGUF_QUANTIZATIONS if kind not in QUANTIZATIONS]
    return [*ours, *(kind for kind in theirs if ws.models.check(f"{name}@{kind}").ok)]


def _take_apart(names: list[str]) -> None:
    """`?model=small@int8`, as other pages link to it, is a model and a quantization here."""
    base, at, quantization = state.text(state.MODEL).rpartition("@")
    if at and base in names and state.text(state.MODEL) not in names:
        state.put(**{state.MODEL: base, state.QUANTIZATION: quantization})
