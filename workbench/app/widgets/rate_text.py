"""The texts of an item as a rater reads them: drawn or as plain text, long ones a part at a time."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from workbench.app import state
from workbench.app.widgets.numbers import count
from workbench.app.widgets.rate_markdown import rendered
from workbench.app.widgets.text import escaped, escaped_lines, short
from workbench.engine import Shown

FIRST = 6_000  # characters of an output; a reader asks for more
LONGEST_DRAWN = 50_000  # beyond that as plain text, which a browser draws at once
MORE = 8  # times as many with each "Show more"
LONGEST_QUESTION = 1_500


def question(shown: Shown) -> None:
    """What was asked, and the right answer where there is one."""
    with st.container(border=True):
        columns = {name: text for name, text in shown.row.items() if text.strip()}
        long = any(len(text) > LONGEST_QUESTION for text in columns.values())
        whole = long and st.toggle("The whole question", key=f"{state.RATE}question {shown.item}")
        lines = []
        for name, text in columns.items():
            said = escaped_lines(text if whole else _cut(text, LONGEST_QUESTION))
            lines.append(said if len(columns) == 1 else f":gray[{escaped(short(name, 60))}\\:] {said}")
        if shown.reference:
            lines.append(f":gray[right answer] **{escaped(short(shown.reference, 400))}**")
        st.markdown("  \n".join(lines) or "\u00a0")


def outputs(shown: Shown, plain: bool) -> None:
    """One output, or two beside each other."""
    places: Sequence[str] = ("Left", "Right") if len(shown.texts) > 1 else ("",)
    for place, (column, text) in enumerate(zip(st.columns(len(shown.texts)), shown.texts, strict=True)):
        with column.container(border=True):
            if places[place]:
                st.markdown(f":gray[{places[place]}]")
            _output(text, plain, f"{state.RATE}{shown.item} {place}")


def _output(text: str, plain: bool, key: str) -> None:
    length = int(st.session_state.get(key, FIRST))
    part = text[:length]
    if not part.strip():
        st.caption("The output is empty." if not text else "Nothing but spaces.")
    elif plain or len(part) > LONGEST_DRAWN:
        st.text(part)
    else:
        st.markdown(rendered(part), anchors=False)
    if len(text) > length:
        st.caption(f"The first {count(length)} of {count(len(text))} characters.")
        st.button(
            "Show more",
            key=f"{key} more",
            on_click=_lengthen,
            args=(key, length),
            icon=":material/expand_more:",
        )


def _lengthen(key: str, length: int) -> None:
    st.session_state[key] = length * MORE


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[:most] + " …"
