"""The filters and the order of rows on the Compare page: one line of controls, the rest a click away."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import streamlit as st

from workbench.app import state
from workbench.app.widgets.controls import choose, search
from workbench.app.widgets.numbers import many
from workbench.app.widgets.text import escaped, short
from workbench.engine import RowChoices, RowQuery, ScoreRange, Workspace, column_values

ONLY = {
    "different": "Different answers",
    "wrong": "Failures",
    "all_wrong": "All chosen fail",
    "one_right": "Exactly one right",
    "unanswered": "No answer",
    "errors": "Errors",
    "unscored": "Unscored",
    "regressed": "Regressions",
}
SORTS = {
    "row": "Order of the dataset",
    "worst": "Worst score first",
    "best": "Best score first",
    "lost": "Largest loss between two cells first",
    "gained": "Largest gain between two cells first",
    "disagreement": "Most different answers first",
    "longest": "Longest output first",
    "shortest": "Shortest output first",
    "slowest": "Slowest first",
    "costliest": "Costliest first",
}
BY_A_CELL = ("worst", "best", "lost", "gained", "longest", "shortest", "slowest", "costliest")
FILTER_KEYS = (
    state.ONLY,
    state.TEXT,
    state.TAG,
    state.COLUMN,
    state.VALUE,
    state.OTHER,
    state.SCORED,
    state.BY,
    state.LOW,
    state.HIGH,
)
SORT_KEYS = (state.SORT, state.OF, state.VERSUS)
ABOUT_ONE_RUN = (*SORT_KEYS, *FILTER_KEYS[3:], state.REPEAT)
"""What means nothing once another run is chosen."""
KEPT = (state.RUN, state.METRIC, state.BASELINE, state.VIEW, state.CELLS, state.REPEAT, state.PAGE)
STARTS_ANEW = (state.PAGE, state.ROW)
ANY = "any"
LARGEST = 999_999_999.0  # that the address can hold
LONGEST_VALUE = 200  # characters of a column's value that the address can hold


@dataclass(frozen=True)
class Offered:
    """What the controls let a person choose from."""

    labels: dict[int, str]
    """The chosen cells' indexes and names."""
    metrics: list[str]
    metric: str
    """The one that right and wrong go by."""
    choices: RowChoices
    stopped: frozenset[int] = frozenset()
    """Cells that a race stopped: not every row was asked of them."""


def asked(offered: Offered) -> RowQuery:
    """The query that the address stands for; what it names and is not there is left out."""
    only = state.words(state.ONLY, list(ONLY))
    other = _one(state.OTHER, offered.choices.runs) or next(iter(offered.choices.runs), None)
    if other is None:
        only = [name for name in only if name != "regressed"]
    cells = {str(index): index for index in offered.labels}
    column, value = _one(state.COLUMN, offered.choices.columns), state.text(state.VALUE)
    low, high = state.number(state.LOW), state.number(state.HIGH)
    by = _one(state.BY, offered.metrics) or offered.metric
    bounds = ScoreRange(by, cells.get(state.text(state.SCORED)), low, high)
    sort = _one(state.SORT, list(SORTS)) or "row"
    return RowQuery(
        only=cast(Any, tuple(only)),
        contains=state.text(state.TEXT),
        against=other if "regressed" in only else None,
        scores=() if low is None and high is None else (bounds,),
        column=column if value else None,
        value=value,
        tag=state.text(state.TAG),
        repeat=state.whole(state.REPEAT, 1, offered.choices.repeats, 1) - 1,
        metric=offered.metric,
        sort=cast(Any, sort),
        of=cells.get(state.text(state.OF)),
        versus=cells.get(state.text(state.VERSUS)),
    )


def filters(ws: Workspace, run: str, offered: Offered, query: RowQuery) -> None:
    """The line of controls."""
    active = query.filters + (query.sort != "row")
    label = f"Filter and sort ({active})" if active else "Filter and sort"
    with st.container(horizontal=True, vertical_alignment="bottom"):
        _only()
        search("Text in the row or the outputs", clears=STARTS_ANEW, width=270)
        more = st.popover(label, icon=":material/tune:", key="filter and sort")
    with more:
        _sorting(offered, query)
        _scores(offered)
        _columns(ws, run, offered)
        _others(offered)
    if "regressed" in state.words(state.ONLY, list(ONLY)) and not offered.choices.runs:
        st.info("There is no other run of this experiment, so nothing can have become worse.")


def active_line(found: int, offered: Offered, query: RowQuery) -> None:
    """How many rows were found, what narrows them down behind the button, and a way back to all of them."""
    with st.container(horizontal=True, vertical_alignment="center", width="content"):
        st.caption(" · ".join([many(found, "row"), *_described(offered, query)]), width="content")
        if query.filters or query.sort != "row":
            icon = ":material/filter_alt_off:"
            st.button("Clear filters", key="clear filters", type="tertiary", icon=icon, on_click=clear)


def clear() -> None:
    """Every row again, in the dataset's order."""
    state.put(**dict.fromkeys((*FILTER_KEYS, *SORT_KEYS, *STARTS_ANEW)))


def _only() -> None:
    widget = "url only several"
    state.hold(widget, state.words(state.ONLY, list(ONLY)))

    def store() -> None:
        state.put(**{state.ONLY: st.session_state[widget]}, **dict.fromkeys(STARTS_ANEW))

    st.multiselect(
        "Only rows with all of",
        list(ONLY),
        key=widget,
        format_func=lambda name: ONLY[name],
        placeholder="All rows",
        on_change=store,
        width=370,
    )


def _sorting(offered: Offered, query: RowQuery) -> None:
    choose(
        "Order",
        list(SORTS),
        state.SORT,
        "row",
        STARTS_ANEW,
        shown=lambda name: SORTS[name],
        sticky=False,
    )
    if query.sort not in BY_A_CELL:
        return
    names = {str(index): label for index, label in offered.labels.items()}
    last, first = list(names)[-1], next(iter(names))
    asked_of = [("Of the cell", state.OF, last)]
    if query.sort in ("lost", "gained"):
        asked_of.append(("Held against", state.VERSUS, first))
    for place, (label, key, default) in zip(st.columns(2), asked_of, strict=False):
        with place:
            choose(label, list(names), key, default, STARTS_ANEW, shown=lambda i: names[i], sticky=False)


def _scores(offered: Offered) -> None:
    by, cell = st.columns(2)
    with by:
        choose("Score by", offered.metrics, state.BY, offered.metric, STARTS_ANEW, sticky=False)
    names = {ANY: "any chosen cell"} | {str(index): label for index, label in offered.labels.items()}
    with cell:
        choose(
            "In the cell", list(names), state.SCORED, ANY, STARTS_ANEW, shown=lambda i: names[i], sticky=False
        )
    for place, (label, key) in zip(
        st.columns(2), (("At least", state.LOW), ("At most", state.HIGH)), strict=True
    ):
        with place:
            _bound(label, key)


def _bound(label: str, key: str) -> None:
    widget = f"url {key} of scores"
    state.hold(widget, state.number(key))

    def store() -> None:
        value = st.session_state[widget]
        state.put(**{key: None if value is None else f"{value:.3f}"}, **dict.fromkeys(STARTS_ANEW))

    st.number_input(label, -LARGEST, LARGEST, None, 0.1, "%0.3f", widget, on_change=store)


def _columns(ws: Workspace, run: str, offered: Offered) -> None:
    first, second = st.columns(2)
    with first:
        column = choose(
            "Column",
            ["", *offered.choices.columns],
            state.COLUMN,
            "",
            (state.VALUE, *STARTS_ANEW),
            shown=lambda name: name or "any",
            sticky=False,
        )
    if column:
        counts = {
            value: count
            for value, count in column_values(ws, run, column)
            if 0 < len(value) <= LONGEST_VALUE and value.isprintable()
        }
        written = state.text(state.VALUE)
        options = ["", *dict.fromkeys([*([written] if written else []), *counts])]
        with second:
            choose(
                "Value",
                options,
                state.VALUE,
                "",
                STARTS_ANEW,
                shown=lambda value: _counted(value, counts),
                sticky=False,
                accept_new_options=True,
            )
    tags = list(offered.choices.tags)
    if tags or state.text(state.TAG):
        choose(
            "Tag",
            ["", *dict.fromkeys([*tags, *([state.text(state.TAG)] if state.text(state.TAG) else [])])],
            state.TAG,
            "",
            STARTS_ANEW,
            shown=lambda tag: tag or "any",
            sticky=False,
        )


def _others(offered: Offered) -> None:
    if offered.choices.runs and "regressed" in state.words(state.ONLY, list(ONLY)):
        choose("Regressions against run", offered.choices.runs, state.OTHER, None, STARTS_ANEW, sticky=False)
    if offered.choices.repeats > 1:
        repeats = [str(number) for number in range(1, offered.choices.repeats + 1)]
        choose("Repeat that is shown", repeats, state.REPEAT, "1", STARTS_ANEW, sticky=False)


def _counted(value: str, counts: dict[str, int]) -> str:
    if not value:
        return "any"
    # not shortened: two values must not read the same
    return f"{value} ({counts[value]:,})" if value in counts else value


def _described(offered: Offered, query: RowQuery) -> list[str]:
    """What narrows and orders the rows and is not in sight, in words (Markdown)."""
    labels = offered.labels
    said = [f"regressions against {escaped(query.against)}"] if query.against else []
    for one in query.scores:
        low = [] if one.low is None else [f"at least {one.low:g}"]
        high = [] if one.high is None else [f"at most {one.high:g}"]
        cell = "some chosen cell" if one.cell is None else labels[one.cell]
        said.append(f"{escaped(one.metric)} {' and '.join(low + high)} in {escaped(cell)}")
    if query.column:
        said.append(f"{escaped(query.column)} is “{escaped(short(query.value, 40))}”")
    if query.tag:
        said.append(f"tag {escaped(query.tag)}")
    if offered.choices.repeats > 1:
        said.append(f"repeat {query.repeat + 1} of {offered.choices.repeats}")
    if query.sort != "row":
        words = SORTS[query.sort].lower()
        of = list(labels)[-1] if query.of is None else query.of
        said.append(words + (f" ({escaped(labels[of])})" if query.sort in BY_A_CELL else ""))
    return said


def _one(key: str, options: list[str] | tuple[str, ...]) -> str | None:
    found = state.text(key)
    return found if found in options else None
