"""Form fields that hold plain YAML content: each shows a value and gives back the edited one.

A field's key carries the draft's revision, so that it keeps what is typed until the draft is replaced
from outside the form (restored, edited as YAML, discarded).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st

TYPING = "300ms"  # the preview follows the typing after this pause


def one_line(label: str, value: Any, key: str, **settings: Any) -> str:
    """A line of text."""
    return (
        st.text_input(label, value="" if value is None else str(value), key=key, live=TYPING, **settings)
        or ""
    )


def many_lines(label: str, value: Any, key: str, height: Any = "content", **settings: Any) -> str:
    """Several lines of text that grow with what is written."""
    text = "" if value is None else str(value)
    return st.text_area(label, value=text, key=key, height=height, **settings) or ""


def number(label: str, value: Any, key: str, whole: bool = False, **settings: Any) -> int | float | None:
    """A number, or None for "leave it to the layer below"."""
    good = isinstance(value, (int, float)) and not isinstance(value, bool)
    kind = int if whole else float
    bounds = ("min_value", "max_value", "step")
    limits: dict[str, Any] = {name: kind(settings.pop(name)) for name in bounds if name in settings}
    start: Any = kind(value) if good else None
    if start is not None:
        start = max(start, limits.get("min_value", start))
        start = min(start, limits.get("max_value", start))
    found = st.number_input(label, value=start, key=key, **(settings | limits))
    return None if found is None else int(found) if whole else round(float(found), 6)


def one_of(label: str, value: Any, options: Sequence[str], key: str, **settings: Any) -> str:
    """One of a few words; a value that is none of them is offered too, so that nothing is lost."""
    choices = [*options] if value in options or value is None else [*options, str(value)]
    index = choices.index(value) if value in choices else 0
    return str(st.selectbox(label, choices, index=index, key=key, **settings))


def listed(text: str, separator: str = ",") -> list[str]:
    """A comma-separated line as a list."""
    return [part.strip() for part in text.split(separator) if part.strip()]


def without_empty(content: dict[str, Any]) -> dict[str, Any]:
    """The content without keys that say nothing."""
    return {key: value for key, value in content.items() if value not in (None, "", [], {})}
