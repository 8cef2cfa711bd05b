"""Why cells fail: the failing rows in groups of like texts, and which cell fails which kind."""

from __future__ import annotations

import streamlit as st

from workbench.app import state
from workbench.app.pages import link
from workbench.app.widgets.breakdown_charts import failures_chart
from workbench.app.widgets.controls import choose, segments
from workbench.app.widgets.empty import empty
from workbench.app.widgets.numbers import count, many
from workbench.app.widgets.text import escaped, escaped_lines, short
from workbench.core.run import Comparison, Report
from workbench.engine import Failures, Workspace, failures
from workbench.engine.failure_groups import FailureGroup, Read

ANY = "any"
NOTHING = "\u00a0"
CARD = 440  # pixels: two beside each other in a wide window, one in a narrow
NOTABLE = 0.05  # share of rows that a kind must be harder by than all rows to be called hard
READS: dict[str, str] = {"question": "Question", "output": "Output", "reason": "Reason given by the metric"}


def failures_view(ws: Workspace, table: Report, found: Comparison) -> None:
    """Whose failures and by which text, then the heatmap and a card a group."""
    labels = {ANY: "any cell"} | {str(cell.cell.index): cell.cell.label for cell in table.cells}
    whose, how = st.columns([2, 2.4], vertical_alignment="bottom")
    with whose:
        cell = choose(
            "Rows that fail in", list(labels), state.FAILING, ANY, shown=lambda one: labels[one], sticky=False
        )
    with how:
        read = segments("Grouped by", READS, state.READ)
    index = int(cell) if cell and cell != ANY else None
    with st.spinner("Grouping the rows that fail …"):
        shown = failures(ws, table.run, index, found.metric, _read(read))
    whom = "Some cell" if shown.cell is None else shown.cell.label
    if shown.failing == 0:
        empty(
            "No row fails here.",
            f"By {escaped(found.metric)}, nothing scored so far is failed by {escaped(whom)}.",
        )
        return
    st.markdown(
        f"{escaped(whom)} fails **{many(shown.failing, 'row')}** of {count(shown.rows)}"
        + (f", in {many(len(shown.groups), 'group')}." if shown.groups else ".")
    )
    for note in shown.notes:
        st.caption(f":material/info: {escaped(note)}")
    if shown.sampled is not None:
        st.caption(f"Counts are estimated from {count(shown.sampled)} rows drawn at random.")
    if not shown.groups:
        return
    st.subheader("Share of rows that each cell fails", anchor=False)
    failures_chart(shown, "chart failures")
    st.caption(
        "A group holds every row that is most like its failing ones, also those that did not fail. "
        "Where a square is above its column's “all rows”, the cell has trouble with that kind. "
        "The groups are found in the failures themselves: take them as leads to follow."
    )
    with st.container(horizontal=True):
        for place, group in enumerate(shown.groups):
            _card(shown, group, place)


def _read(name: str) -> Read:
    return "output" if name == "output" else "reason" if name == "reason" else "question"


def _card(shown: Failures, group: FailureGroup, place: int) -> None:
    """A group's counts, and rows near its middle with the way to each."""
    cells = _cells(shown)
    with st.container(border=True, key=f"failure group {place}", width=CARD):
        st.markdown(
            f"**{escaped(group.name)}**  \n"
            f"{many(group.failing, 'failing row')} of {count(group.rows)} of this kind "
            f"({_percent(group.failing, group.rows)}; over all rows {_percent(shown.failing, shown.rows)})"
            + _hardest(shown, group)
        )
        for example in group.examples:
            text, way = st.columns([4, 1.3], vertical_alignment="center")
            said = escaped_lines(short(example.text, 220))
            text.markdown(f":gray[{escaped(short(example.row_id, 40))}]  \n{said or NOTHING}")
            with way:
                link(
                    "compare",
                    "Open",
                    ":material/search:",
                    run=shown.run,
                    view="rows",
                    row=example.row_id,
                    cells=cells,
                )
        if group.words and shown.read == "question":
            link(
                "compare",
                f"Failing rows with “{escaped(group.words[0])}”",
                ":material/filter_alt:",
                run=shown.run,
                view="rows",
                cells=cells,
                only="wrong",
                find=group.words[0],
            )


def _hardest(shown: Failures, group: FailureGroup) -> str:
    """The cell that this kind troubles most beyond what it fails anyway; "" where none is."""
    pairs = [
        (here, whole)
        for here, whole in zip(group.cells, shown.overall, strict=True)
        if here.rows and here.share - whole.share >= NOTABLE
    ]
    if not pairs:
        return ""
    here, whole = max(pairs, key=lambda pair: pair[0].share - pair[1].share)
    return (
        f"  \nHardest for {escaped(short(here.cell.label, 60))}: it fails {100 * here.share:.0f} % here, "
        f"{100 * whole.share:.0f} % of all rows"
    )


def _cells(shown: Failures) -> str:
    """The cell whose failures they are beside the one that fails least; else the first two."""
    best = min(shown.overall, key=lambda one: (one.failing, one.cell.index)).cell.index
    first = (
        shown.cell.index
        if shown.cell is not None
        else max(shown.overall, key=lambda one: (one.failing, -one.cell.index)).cell.index
    )
    pair = dict.fromkeys([first, best])
    if len(pair) < 2:
        pair = dict.fromkeys([first, *(one.cell.index for one in shown.overall)])
    return ",".join(str(index) for index in list(pair)[:2])


def _percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:.0f} %" if whole else "–"
