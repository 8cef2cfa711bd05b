"""The rows that raters see differently: what was asked, who said what, and a way to see what they saw."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import streamlit as st

from workbench.app.pages import link
from workbench.app.widgets.controls import pager
from workbench.app.widgets.numbers import many
from workbench.app.widgets.rating_words import share
from workbench.app.widgets.text import escaped, short
from workbench.app.workspace import cells_of
from workbench.engine import Workspace
from workbench.engine.rating.disagreeing import DisputedRow
from workbench.engine.row_groups import question_columns, text_of

ON_SCREEN = 12
MOST_RATERS = 4


def disputed_rows(ws: Workspace, run: str, disputed: Sequence[DisputedRow]) -> None:
    """A few at a time, the most disputed first; nothing where all agree."""
    record = ws.store.runs.get(run)
    if not disputed or record is None:
        return
    st.subheader("Rows that raters disagree on most", anchor=False)
    offset = pager(len(disputed), ON_SCREEN)
    here = disputed[offset : offset + ON_SCREEN]
    rows = ws.store.runs.rows(record.row_set, [one.position for one in here])
    columns = question_columns(record, list(rows.values()))
    names = {cell.index: cell.label for cell in cells_of(ws, run)}
    for one in here:
        with st.container(border=True):
            with st.container(horizontal=True, vertical_alignment="center"):
                link(
                    "compare",
                    escaped(short(one.row_id, 60)),
                    ":material/search:",
                    run=run,
                    view="rows",
                    row=one.row_id,
                    cells=",".join(map(str, one.cells)),
                )
                apart = f"{share(one.disagreement)} apart over {many(one.pairs, 'comparison')}"
                st.markdown(f":gray[{escaped(apart)}]", width="content")
            row = rows.get(one.position, {})
            asked = " ".join(text_of(row[name]) for name in columns if row.get(name))
            st.markdown(f"{escaped(short(asked, 200))}  \n:gray[{escaped(said_of(one, names))}]")
    st.caption(
        "0 %: all say the same, 100 %: each two say the opposite. "
        "Each row stands with what is disputed most in it."
    )


def said_of(one: DisputedRow, names: Mapping[int, str]) -> str:
    """`ada prefers direct · small, bob calls it a tie`, or `clear of direct · small: ada 4, bob 1`."""
    cells = [short(names.get(cell, "?"), 40) for cell in one.cells]
    more = f" and {many(len(one.said) - MOST_RATERS, 'more rater')}" if len(one.said) > MOST_RATERS else ""
    raters = [(short(rater, 24), value) for rater, value in one.said[:MOST_RATERS]]
    if len(cells) == 2:
        words = {1.0: f"prefers {cells[0]}", 0.0: f"prefers {cells[1]}", 0.5: "calls it a tie"}
        return ", ".join(f"{rater} {words[value]}" for rater, value in raters) + more
    values = ", ".join(f"{rater} {_value(one, value)}" for rater, value in raters)
    return f"{one.criterion or 'thumbs'} of {cells[0]}: {values}{more}"


def _value(one: DisputedRow, value: float) -> str:
    return f"{value:g}" if one.criterion else "up" if value else "down"
