"""Deleting without fear: what was deleted can be put back with one click until the next deletion."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from workbench.app import state
from workbench.app.widgets.errors import explained
from workbench.app.widgets.text import escaped


def offer_undo(what: str, put_back: Callable[[], object]) -> None:
    """Remembers how to put back what was just deleted."""
    st.session_state[state.UNDO] = (what, put_back)


def undo_bar() -> None:
    """Shows the offer, when there is one."""
    offer = st.session_state.get(state.UNDO)
    if offer is None:
        return
    what, put_back = offer
    with st.container(border=True, horizontal=True, vertical_alignment="center"):
        st.markdown(f"Deleted {escaped(what)}.")
        if st.button("Undo", key="undo:yes", type="primary"):
            with explained("putting it back"):
                put_back()
                del st.session_state[state.UNDO]
                st.rerun()
        if st.button("Dismiss", key="undo:no", type="tertiary"):
            del st.session_state[state.UNDO]
            st.rerun()
