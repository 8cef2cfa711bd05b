"""The answer to the question of size as files: every model with its figures, for reports and other tools."""

from __future__ import annotations

from functools import partial

import streamlit as st

from workbench.app.widgets.errors import explained
from workbench.core.sizing import Sizes
from workbench.engine import sizes_table

FORMATS = {
    "csv": ("CSV", "text/csv"),
    "json": ("JSON", "application/json"),
    "md": ("Markdown", "text/markdown"),
}


def size_downloads(sizes: Sizes) -> None:
    """A button a format; the file is made when it is clicked."""
    with st.container(horizontal=True), explained("writing the sizes"):
        for name, (words, mime) in FORMATS.items():
            st.download_button(
                words,
                data=partial(sizes_table, sizes, name),
                file_name=f"{sizes.run}-sizes.{name}",
                mime=mime,
                icon=":material/download:",
                key=f"sizes {name}",
                on_click="ignore",
            )
