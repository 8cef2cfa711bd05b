"""What a rater writes beside an item: a note, a better answer. A draft until the item is rated."""

from __future__ import annotations

from collections import OrderedDict

import streamlit as st

from workbench.app import state
from workbench.app.widgets.rate_actions import Written
from workbench.engine import Shown

NOTE = f"{state.RATE}note "
BETTER = f"{state.RATE}better "
WHICH = f"{state.RATE}which "
WAS = " was"  # what stood in a field at first
LONGEST = {NOTE: 5_000, BETTER: 100_000}  # characters
MOST_DRAFTS = 2_000
Drafts = OrderedDict[tuple[str, ...], str]


def writing(run: str, rater: str, shown: Shown) -> None:
    """The two fields, filled with what was written of this item before."""
    note, better = st.columns(2)
    with note:
        _field(run, rater, shown, NOTE, "Note", "N", shown.note)
    with better:
        _field(run, rater, shown, BETTER, "Write the better answer", "W", shown.correction or "")
        if len(shown.texts) > 1 and st.session_state.get(BETTER + shown.item):
            st.radio(
                "Better than",
                [0, 1],
                index=shown.correction_for,
                key=WHICH + shown.item,
                format_func=lambda place: ("the left one", "the right one")[place],
                horizontal=True,
            )


def written(item: str) -> Written:
    """What stands in the fields of this item now, where it is not what stood there at first."""
    return Written(
        note=_changed(NOTE + item),
        better=_changed(BETTER + item),
        better_than=1 if st.session_state.get(WHICH + item) == 1 else 0,
    )


def _changed(field: str) -> str | None:
    now = st.session_state.get(field)
    return None if now is None or now == st.session_state.get(f"{field}{WAS}") else str(now)


def forget(run: str, rater: str, item: str) -> None:
    """Drops the drafts of an item, as they are kept with its rating now."""
    for field in (NOTE, BETTER):
        _drafts().pop((run, rater, item, field), None)


def _field(run: str, rater: str, shown: Shown, field: str, label: str, hint: str, kept: str) -> None:
    draft = (run, rater, shown.item, field)

    def keep() -> None:
        drafts = _drafts()
        drafts[draft] = st.session_state[field + shown.item] or ""
        while len(drafts) > MOST_DRAFTS:
            drafts.popitem(last=False)

    st.session_state[field + shown.item + WAS] = kept
    st.text_area(
        f"{label} `{hint}`",
        value=_drafts().get(draft, kept),
        key=field + shown.item,
        height=90,
        max_chars=LONGEST[field],
        placeholder="Esc goes back to rating",
        on_change=keep,
    )


@st.cache_resource(show_spinner=False)
def _drafts() -> Drafts:
    """Of all raters, in the memory of the server: a closed tab loses nothing that was written."""
    return OrderedDict()
