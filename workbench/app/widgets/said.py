"""A sentence that the next page shows once, such as what an import did."""

from __future__ import annotations

import streamlit as st

from workbench.app import state


def say_next(sentence: str) -> None:
    """Keeps a sentence (Markdown; what came from outside is escaped by the caller) for the next run."""
    st.session_state[state.SAID] = sentence


def say_once() -> None:
    """Shows it, if there is one."""
    sentence = state.told(state.SAID)
    if sentence:
        st.success(sentence, icon=":material/check_circle:")
