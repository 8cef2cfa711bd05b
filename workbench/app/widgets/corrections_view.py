"""The better answers that raters wrote, beside the outputs they better, and as a file to learn from."""

from __future__ import annotations

import streamlit as st

from workbench.app.pages import link
from workbench.app.widgets.controls import pager
from workbench.app.widgets.empty import empty
from workbench.app.widgets.numbers import ago, many
from workbench.app.widgets.text import escaped, escaped_lines, short
from workbench.engine import Correction, Workspace, corrections, corrections_jsonl

PER_SCREEN = 20
LONGEST = 2000


def corrections_view(ws: Workspace, run: str) -> None:
    """A download of all, then one card a correction."""
    found = corrections(ws, run)
    if not found:
        empty(
            "Nobody has written a better answer yet.",
            "While rating, write one under the output that it betters: it becomes an example to learn from.",
            "rate",
            "Go to Rate",
        )
        return
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.markdown(
            f"{many(len(found), 'better answer')} by {many(len({one.rater for one in found}), 'rater')}."
        )
        st.download_button(
            "JSONL",
            data=lambda: corrections_jsonl(found),
            file_name=f"{run}-corrections.jsonl",
            mime="application/jsonl",
            icon=":material/download:",
            on_click="ignore",
        )
    offset = pager(len(found), PER_SCREEN)
    for one in found[offset : offset + PER_SCREEN]:
        _card(one, run)


def _card(one: Correction, run: str) -> None:
    with st.container(border=True):
        with st.container(horizontal=True, vertical_alignment="center"):
            link(
                "compare",
                escaped(short(one.row_id, 60)),
                ":material/search:",
                run=run,
                view="rows",
                row=one.row_id,
                cells=str(one.cell.index),
            )
            when = f", {ago(one.created_at)}" if one.created_at else ""
            st.markdown(f"{escaped(one.cell.label)} :gray[by {escaped(one.rater)}{when}]", width="content")
        said, better = st.columns(2)
        said.markdown(f":gray[The output]  \n{_text(one.output)}")
        better.markdown(f":gray[The better answer]  \n{_text(one.text)}")
        if one.note:
            st.markdown(f":gray[Note\\:] {escaped(short(one.note, 600))}")


def _text(text: str) -> str:
    if not text.strip():
        return ":gray[empty]"
    cut = len(text) - LONGEST
    more = f"  \n:gray[… {many(cut, 'more character')}; the file has all]" if cut > 0 else ""
    return escaped_lines(text[:LONGEST]) + more
