"""Two to six cells side by side, row by row, with the words that differ from the first one marked."""

from __future__ import annotations

from urllib.parse import urlencode

import streamlit as st

from workbench.app import state
from workbench.app.pages import link
from workbench.app.widgets.controls import pager, pick_numbers
from workbench.app.widgets.empty import empty
from workbench.app.widgets.numbers import many
from workbench.app.widgets.row_card import LONGEST, LONGEST_ALONE, row_card
from workbench.app.widgets.row_filters import (
    FILTER_KEYS,
    KEPT,
    SORT_KEYS,
    Offered,
    active_line,
    asked,
    filters,
)
from workbench.app.widgets.row_tags import tag_badges, tag_problem, tag_several, tags_of_row
from workbench.app.widgets.text import escaped
from workbench.core.run import Comparison, Report
from workbench.engine import RowQuery, Workspace, row_choices, rows, winner
from workbench.engine.browsing import RowPage

PER_SCREEN = 50
MOST_CELLS = 6
MOST_PAGES = 1_000_000


def rows_view(ws: Workspace, table: Report, found: Comparison) -> None:
    """The filters, and one screen of rows or one row."""
    labels = {cell.cell.index: cell.cell.label for cell in table.cells}
    default = []
    if not state.wholes(state.CELLS, list(labels), MOST_CELLS):
        default = _two(
            found.baseline.index, winner(ws, table.run, found.metric, table).cell.index, list(labels)
        )
    picked = pick_numbers("Cells side by side (2 to 6)", labels, state.CELLS, default, MOST_CELLS)
    if not picked:
        empty("No cell is chosen.", "Choose two cells above to see their outputs side by side.")
        return
    offered = Offered(
        {index: labels[index] for index in picked},
        list(table.cells[0].metrics),
        found.metric,
        row_choices(ws, table.run),
        frozenset(cell.cell.index for cell in table.cells if cell.stopped is not None),
    )
    tag_problem()
    state.show_address(state.ROW)
    query = asked(offered)
    address = state.here(*KEPT, *FILTER_KEYS, *SORT_KEYS) | {"view": "rows", "cells": _listed(picked)}
    if single := state.text(state.ROW):
        _one_row(ws, table.run, single, offered, query, address)
        return
    filters(ws, table.run, offered, query)
    offset = (state.whole(state.PAGE, 1, MOST_PAGES, 1) - 1) * PER_SCREEN
    page = rows(ws, table.run, picked, query, offset, PER_SCREEN, most=LONGEST)
    if not page.rows and page.total:  # the address asks for a page that is not there any more
        page = rows(ws, table.run, picked, query, (page.total - 1) // PER_SCREEN * PER_SCREEN, PER_SCREEN)
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        active_line(page.total, offered, query)
        if page.rows:
            tag_several(ws, table.run, page.rows, offered.choices.tags)
        pager(page.total, PER_SCREEN)
    if not page.rows:
        empty("No row matches.", "Take one of the filters away, or clear them all.")
    for row in page.rows:
        row_card(row, offered.labels, offered.stopped, False, address)


def _one_row(
    ws: Workspace, run: str, row_id: str, offered: Offered, query: RowQuery, address: dict[str, str]
) -> None:
    """One row by itself, with ways to those before and after it under the filters, its tags and its link."""
    page = rows(ws, run, list(offered.labels), query, row=row_id, most=LONGEST_ALONE)
    with st.container(horizontal=True, vertical_alignment="center"):
        link("compare", "Show all rows", ":material/undo:", **address)
        _step("Previous", "K", ":material/chevron_left:", page.before)
        _step("Next", "J", ":material/chevron_right:", page.after)
        with st.popover("Link", icon=":material/link:", key="link to row"):
            where = (st.context.url or "").partition("?")[0]
            st.code(f"{where}?{urlencode(address | {'row': row_id})}", language=None, wrap_lines=True)
    if not page.rows:
        empty(f"There is no row “{escaped(row_id)}” in this run.", "Go back to all rows.")
        return
    row = page.rows[0]
    st.markdown(f"Row **{escaped(row_id)}** {tag_badges(row.tags)}  \n:gray[{_place(page)}]")
    tags_of_row(ws, run, row, offered.choices.tags)
    row_card(row, offered.labels, offered.stopped, True, address)


def _step(label: str, key: str, icon: str, row_id: str | None) -> None:
    st.button(
        label,
        key=f"step {label}",
        icon=icon,
        shortcut=key,
        disabled=row_id is None,
        on_click=lambda: state.put(row=row_id),
    )


def _place(page: RowPage) -> str:
    if page.place is None:
        return f"not among the {many(page.total, 'row')} that the filters let through"
    return f"{page.place + 1:,} of {many(page.total, 'row')}"


def _two(baseline: int, best: int, indexes: list[int]) -> list[int]:
    """The cells to begin with: the baseline and the best other one."""
    pair = list(dict.fromkeys([baseline, best]))
    return pair if len(pair) == 2 else indexes[:2]


def _listed(picked: list[int]) -> str:
    return ",".join(map(str, picked))
