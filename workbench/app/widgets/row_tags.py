"""Tags on rows: put on a row that stands alone, or on several of a screen at once."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import streamlit as st

from workbench.app import state
from workbench.app.widgets.text import escaped, short
from workbench.app.widgets.undo import offer_undo
from workbench.engine import Workspace, tag_rows, untag_row
from workbench.engine.browsing import RowView
from workbench.errors import WorkbenchError


def tag_badges(tags: Sequence[str]) -> str:
    """Tags as Markdown, each a badge; empty where there are none."""
    return " ".join(f":gray-badge[:material/label: {escaped(tag)}]" for tag in tags)


def tag_problem() -> None:
    """Says why a tag was not taken, once."""
    problem = state.told(state.PROBLEM)
    if problem:
        st.error(escaped(problem), icon=":material/error:")


def tags_of_row(ws: Workspace, run: str, row: RowView, known: Sequence[str]) -> None:
    """The tags of one row, to add to and take from; one that is taken off can be put back."""
    widget = f"tags of {row.row_id}"
    state.hold(widget, list(row.tags))

    def store() -> None:
        wanted = list(st.session_state[widget])
        try:
            for tag in [tag for tag in wanted if tag not in row.tags]:
                tag_rows(ws, run, [row.row_id], tag)
            for tag in [tag for tag in row.tags if tag not in wanted]:
                untag_row(ws, run, row.row_id, tag)
                what = f"the tag '{tag}' of row {short(row.row_id, 60)}"
                offer_undo(what, partial(tag_rows, ws, run, [row.row_id], tag))
        except WorkbenchError as error:
            st.session_state[state.PROBLEM] = str(error)

    st.multiselect(
        "Tags",
        list(dict.fromkeys([*row.tags, *known])),
        key=widget,
        accept_new_options=True,
        placeholder="Choose a tag, or write a new one",
        on_change=store,
    )


def tag_several(ws: Workspace, run: str, shown: Sequence[RowView], known: Sequence[str]) -> None:
    """One control for all rows of a screen."""
    with st.popover("Tag rows", icon=":material/label:", key="tag rows"):
        ids = [row.row_id for row in shown]
        rows = st.multiselect("Rows of this screen", ids, key="tagged rows", select_all=True)
        tag = st.selectbox(
            "Tag",
            list(known),
            index=None,
            key="tag of rows",
            accept_new_options=True,
            placeholder="Choose a tag, or write a new one",
        )

        def store() -> None:
            try:
                tag_rows(ws, run, rows, tag or "")
                st.session_state["tagged rows"] = []
            except WorkbenchError as error:
                st.session_state[state.PROBLEM] = str(error)

        st.button("Put it on", key="put tag on", type="primary", disabled=not (rows and tag), on_click=store)
