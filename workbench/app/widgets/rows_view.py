"""Two to six cells side by side, row by row, with the words that differ from the first one marked."""

from __future__ import annotations

from typing import Any

import streamlit as st

from workbench.app import state
from workbench.app.pages import link
from workbench.app.widgets.controls import pager, pick_numbers, search, segments
from workbench.app.widgets.empty import empty
from workbench.app.widgets.messages import output_line, votes_view
from workbench.app.widgets.numbers import many
from workbench.app.widgets.text import escaped, escaped_lines, marked, short
from workbench.core.run import Comparison, Report
from workbench.engine import Workspace, row_page_of, rows, winner
from workbench.prompting import word_diff

PER_SCREEN = 50
MOST_CELLS = 6
LONGEST = 3_000  # characters of one output on this screen; the export holds it all
FILTERS = {
    "all": "All",
    "different": "Different answers",
    "wrong": "Wrong",
    "unanswered": "No answer",
    "errors": "Errors",
}


def rows_view(ws: Workspace, table: Report, found: Comparison) -> None:
    """The filters, and one screen of rows."""
    labels = {cell.cell.index: cell.cell.label for cell in table.cells}
    best = winner(ws, table.run, found.metric).cell.index
    default = list(dict.fromkeys([found.baseline.index, best]))
    if len(default) < 2:
        default = list(labels)[:2]
    picked = pick_numbers("Cells side by side (2 to 6)", labels, state.CELLS, default, MOST_CELLS)
    which, finder = st.columns([3, 2])
    with which:
        only = segments("Rows", FILTERS, state.ONLY, clears=(state.PAGE, state.ROW))
    with finder:
        text = search("Text in the row or the outputs", clears=(state.PAGE, state.ROW))
    if not picked:
        empty("No cell is chosen.", "Choose two cells above to see their outputs side by side.")
        return
    state.show_address(state.ROW)
    single = state.text(state.ROW)
    if single:
        page = rows(
            ws, table.run, picked, offset=row_page_of(ws, table.run, single, PER_SCREEN), limit=PER_SCREEN
        )
        shown = [row for row in page.rows if row.row_id == single]
    else:
        offset = (state.whole(state.PAGE, 1, 1_000_000, 1) - 1) * PER_SCREEN
        page = rows(ws, table.run, picked, only, text, offset, PER_SCREEN)
        shown = list(page.rows)
    if single:
        st.markdown(f"Row **{escaped(single)}**")
        link(
            "compare",
            "Show all rows",
            ":material/undo:",
            run=table.run,
            view="rows",
            cells=",".join(map(str, picked)),
        )
    else:
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            st.caption(many(page.total, "row"))
            pager(page.total, PER_SCREEN)
    if not shown:
        empty("No row matches.", "Choose “All”, or clear the text.")
    baseline = picked[0]
    for row in shown:
        _row(table.run, row, picked, labels, baseline, alone=bool(single))


def _row(run_id: str, row: Any, picked: list[int], labels: dict[int, str], first: int, alone: bool) -> None:
    # few elements a row: fifty rows are drawn at once
    with st.container(border=True):
        asked, here = st.columns([7, 1])
        asked.markdown(_asked(row, alone))
        if not alone:
            with here:
                cells = ",".join(map(str, picked))
                link("compare", "Only this", run=run_id, view="rows", row=row.row_id, cells=cells)
        before = row.outputs.get(first)
        for column, cell in zip(st.columns(len(picked)), picked, strict=True):
            output = row.outputs.get(cell)
            head = f"**{escaped(short(labels[cell], 60))}**  \n"
            if output is None:
                column.markdown(f"{head}no output yet")
                continue
            head += f"{_mark(output, row.reference)} {output_line(output)}\n\n"
            text = output.text[:LONGEST]
            if cell == first or before is None or output.error:
                column.markdown(head + escaped_lines(text))
            else:
                parts = word_diff(before.text[:LONGEST], text)
                column.markdown(head + marked(parts, ("same", "added")))
            if output.votes:
                with column.expander(f"{len(output.votes)} votes"):
                    votes_view(output.votes)


def _asked(row: Any, alone: bool) -> str:
    """The row's id, what was asked and the right answer, as Markdown; all columns where it stands alone."""
    fields = {key: str(value) for key, value in row.row.items() if key != "id"}
    if alone:
        return "  \n".join(
            f"**{escaped(key)}**: {escaped_lines(text[:LONGEST])}" for key, text in fields.items()
        )
    others = {key: text for key, text in fields.items() if text != str(row.reference)}
    first = next(iter(others.values()), "")
    said = f":gray[{escaped(short(row.row_id, 60))}]  \n{escaped_lines(short(first, 600))}"
    if row.reference is not None:
        said += f"  \n:gray[right answer] **{escaped(short(row.reference, 200))}**"
    return said


def _mark(output: Any, reference: str | None) -> str:
    """Right or wrong at a glance, in a sign as well as a colour."""
    if output.error or reference is None:
        return ""
    judged = [value for value in (output.scores or {}).values() if value is not None]
    if not judged:
        return ""
    if judged[0] >= 1:
        return ":green-badge[✓]"
    return ":red-badge[✗]" if judged[0] <= 0 else ""
