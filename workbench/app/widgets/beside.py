"""Two places side by side whose words are not cut off in a narrow window, as those of columns are."""

from __future__ import annotations

import streamlit as st
from streamlit.delta_generator import DeltaGenerator


def two_beside() -> tuple[DeltaGenerator, DeltaGenerator]:
    """Of the same width; the second one goes below the first where the window is narrow."""
    with st.container(horizontal=True):
        return st.container(), st.container()
