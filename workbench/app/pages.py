"""The pages by name, so that any page can link to any other.

st.page_link(page("compare"), label="Compare", query_params={"run": run_id})
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import streamlit as st

VIEWS = Path(__file__).parent / "views"

MENU: dict[str, tuple[str, str]] = {
    "home": ("Home", "🏠"),
    "prompts": ("Prompts", "📝"),
    "datasets": ("Datasets", "🗂️"),
    "models": ("Models", "🧠"),
    "model": ("Model", "🔬"),
    "experiments": ("Experiments", "🧪"),
    "run": ("Run", "⏱️"),
    "compare": ("Compare", "⚖️"),
    "rate": ("Rate", "🗳️"),
    "ratings": ("Ratings", "🏅"),
    "size": ("Size", "📏"),
    "collections": ("Collections", "🧺"),
    "tune": ("Fine-tune", "🎓"),
    "export": ("Export", "📦"),
}
"""Page name (also its path in the URL) → title and icon, in the order of the menu."""


def page(name: str) -> Any:
    """The page called `name`, for `st.navigation`, `st.page_link` and `st.switch_page`."""
    title, icon = MENU[name]
    return st.Page(VIEWS / f"{name}.py", title=title, icon=icon, url_path=name, default=name == "home")


def link(name: str, label: str, icon: str | None = None, **query: str | None) -> None:
    """A link to a page, with what it should show as query parameters."""
    parameters = {key: value for key, value in query.items() if value is not None}
    st.page_link(page(name), label=label, icon=icon, query_params=parameters)


def go(name: str, **query: str | None) -> None:
    """Opens a page now."""
    st.switch_page(page(name), query_params={key: value for key, value in query.items() if value is not None})
