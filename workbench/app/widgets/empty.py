"""What a page says when there is nothing to show: why, and what to do next."""

from __future__ import annotations

import streamlit as st

from workbench.app.pages import link


def empty(title: str, next_step: str, page: str | None = None, label: str | None = None) -> None:
    """A calm box with one sentence and, where it helps, one link."""
    with st.container(border=True):
        st.markdown(f"**{title}**")
        st.markdown(next_step)
        if page and label:
            link(page, label)
