"""Which models can be tuned here, and why the others cannot."""

from __future__ import annotations

import streamlit as st

from workbench.app.widgets.text import escaped
from workbench.engine import Workspace
from workbench.errors import WorkbenchError
from workbench.tuning.checking.base import find_base


def bases(ws: Workspace) -> tuple[list[str], dict[str, str]]:
    """Names of the models that can be tuned, and for each other one the reason."""
    can: list[str] = []
    cannot: dict[str, str] = {}
    for spec in ws.models.specs():
        try:
            find_base(spec)
            can.append(spec.name)
        except WorkbenchError as problem:
            cannot[spec.name] = str(problem)
    return can, cannot


def base_choice(ws: Workspace, value: str | None, key: str) -> str:
    """A select box of those that can be tuned; beneath it the others, with the reason."""
    can, cannot = bases(ws)
    options = can if value is None or value in can else [*can, value]
    if not options:
        st.warning("No model here can be tuned.", icon=":material/warning:")
        return value or ""
    index = options.index(value) if value in options else 0
    told = "The model that is tuned; it stays as it is."
    chosen = str(st.selectbox("Base", options, index=index, key=key, help=told))
    if chosen in cannot:
        st.error(escaped(cannot[chosen]), icon=":material/block:")
    elif chosen not in can:
        st.error(escaped(f"There is no model named '{chosen}' here."), icon=":material/block:")
    others = {name: why for name, why in cannot.items() if name != chosen}
    if others:
        with st.expander(f"Cannot be tuned: {len(others)}", icon=":material/block:"):
            for name, why in others.items():
                st.markdown(f":gray[**{escaped(name)}**: {escaped(why)}]")
    return chosen
