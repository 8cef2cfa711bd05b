"""How a race stands: who is still in, who was stopped and when, and what that saved."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from workbench.app.widgets.numbers import count, many
from workbench.app.widgets.text import escaped, short
from workbench.core.race import Race
from workbench.core.run import Cell, Report

IN = ":green-badge[● still in]"
WON = ":green-badge[🏁 won the race]"
OUT = ":gray-badge[■ stopped]"


def race_standing(race: Race, cells: Sequence[Cell]) -> None:
    """A line a cell: those that are in first, then the others, the last to stop first."""
    st.subheader("The race", anchor=False)
    st.caption(
        escaped(
            f"By {race.settings.metric}, {count(race.rows)} of {many(race.of_rows, 'row')} looked at; the "
            f"best cell is kept with {100 * race.settings.confidence:g} % confidence."
        )
    )
    order = sorted(cells, key=lambda cell: (cell.index in race.stopped, -race.rows_of(cell.index)))
    labels = {cell.index: cell.label for cell in cells}
    with st.container(border=True, key="race standing"):
        for cell in order[:60]:
            stop = race.stopped.get(cell.index)
            state = WON if race.winner == cell.index else IN if stop is None else OUT
            said = f"{state} **{escaped(short(cell.label, 80))}**"
            if stop is not None:
                said += f" after {many(stop.rows, 'row')}, beaten by {escaped(short(labels[stop.by], 80))}"
            st.markdown(said)


def race_caption(report: Report) -> str:
    """What a reader of the result table has to know of the race; '' where there was none."""
    race = report.race
    if race is None:
        return ""
    said = (
        f"A race by {race.settings.metric}: a stopped cell had been shown to be beaten, with "
        f"{100 * race.settings.confidence:g} % confidence, before it had all {count(race.of_rows)} rows. It "
        "is not compared as if it were complete: it has no p-value, and its intervals are wide, so that they "
        "hold however early it stopped."
    )
    if report.calls_saved:
        said += f" About {many(report.calls_saved, 'call')} were saved."
    return said
