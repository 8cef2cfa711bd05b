"""Where a verdict holds: the metric in groups of rows, with intervals, verdicts and ways to the rows."""

from __future__ import annotations

import math

import streamlit as st

from workbench.app import state
from workbench.app.pages import link
from workbench.app.widgets.breakdown_charts import slices_chart
from workbench.app.widgets.controls import choose, pick_numbers
from workbench.app.widgets.empty import empty
from workbench.app.widgets.numbers import count, interval, signed
from workbench.app.widgets.result_table import verdict_words
from workbench.app.widgets.text import escaped, short
from workbench.core.run import CellComparison, Comparison, Report
from workbench.engine import Slices, Workspace, slice_choices, slices
from workbench.engine.sliced_rows import COLUMN
from workbench.engine.slicing import FEW_ROWS
from workbench.errors import UsageError

MOST_CELLS = 6


def slices_view(ws: Workspace, table: Report, found: Comparison) -> None:
    """What to slice by, then a dot plot, the verdicts, and links to each slice's rows."""
    labels = {cell.cell.index: cell.cell.label for cell in table.cells}
    offered = {one.by: one.label for one in slice_choices(ws, table.run)}
    asked = state.text(state.SLICE)
    if asked and asked not in offered and f"{COLUMN}{asked}" in offered:
        state.put(**{state.SLICE: f"{COLUMN}{asked}"})  # as the command line writes it
    first = next((by for by, label in offered.items() if "right answer" not in label), None)
    which, beside = st.columns([1.4, 3])
    with which:
        by = choose(
            "Slice by", list(offered), state.SLICE, first, shown=lambda one: offered[one], sticky=False
        )
    with beside:
        picked = pick_numbers(f"Cells (up to {MOST_CELLS})", labels, state.CELLS, list(labels), MOST_CELLS)
    if by is None or not picked:
        empty("No cell is chosen.", "Choose one above to see it slice by slice.")
        return
    try:
        with st.spinner("Comparing in each slice …"):
            shown = slices(ws, table.run, by, found.metric, found.baseline.index)
    except UsageError as problem:
        empty("There is nothing to slice by here.", escaped(str(problem)))
        return
    for note in shown.notes:
        if " but " not in note:
            st.caption(f":material/info: {escaped(note)}")
        else:
            st.warning(escaped(note), icon=":material/swap_vert:")
    slices_chart(shown, picked, "chart slices")
    _links(shown, table.run, picked)
    st.subheader("Slice by slice", anchor=False)
    _table(shown, picked)
    compared = sum(one.comparison is not None for part in shown.slices for one in part.cells)
    st.caption(
        f"Intervals at {100 * shown.confidence:g} %. Verdicts compare the same rows in both cells, "
        f"corrected for the {compared} comparisons made in all slices. Under {FEW_ROWS} rows an interval is "
        "wide: “undecided” there means too few rows, not no difference."
    )


def _links(shown: Slices, run: str, picked: list[int]) -> None:
    if shown.column is None:
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption("See the rows with", width="content")
        for one in shown.slices:
            if one.value is not None and len(one.value) <= state.MAX_CHARACTERS and one.value.isprintable():
                link(
                    "compare",
                    escaped(short(one.name, 40)),
                    ":material/filter_alt:",
                    run=run,
                    view="rows",
                    cells=",".join(map(str, picked[:MOST_CELLS])),
                    column=shown.column,
                    value=one.value,
                )


def _table(shown: Slices, picked: list[int]) -> None:
    lines = []
    for one in shown.slices:
        for place, index in enumerate(picked):
            cell = one.cells[index]
            few = " :orange-badge[few rows]" if one.small else ""
            words = verdict_words(cell.comparison)
            lines.append(
                {
                    escaped(_heading(shown)): f"**{escaped(short(one.name, 60))}**{few}"
                    if place == 0
                    else "",
                    "Rows": count(one.rows) if place == 0 else "",
                    "Cell": escaped(short(cell.cell.label, 60)),
                    "Verdict": f"{words} :red-badge[⇄ not as a whole]" if cell.contradicts else words,
                    escaped(shown.metric): _unbroken(interval(cell.estimate)),
                    "Against baseline": escaped(difference(cell.comparison)),
                    "Unscored": count(cell.estimate.unscored),
                }
            )
    columns = {name: [line[name] for line in lines] for name in lines[0]} if lines else {}
    if columns and set(columns["Unscored"]) == {"0"}:
        del columns["Unscored"]
    st.table(columns, border="horizontal", hide_index=True, alt=f"{shown.metric} by {shown.by}")


def _heading(shown: Slices) -> str:
    return short(shown.column or shown.by, 40)


def difference(line: CellComparison | None) -> str:
    """A paired difference with its interval, as in `+0.310 [+0.220, +0.400]`."""
    if line is None or math.isnan(line.difference):
        return "–"
    if math.isnan(line.low):
        return signed(line.difference)
    return f"{signed(line.difference)} [{signed(line.low)}, {signed(line.high)}]"


def _unbroken(text: str) -> str:
    return escaped(text).replace(" ", "\u00a0")
