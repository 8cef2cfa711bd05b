"""What a rater writes beside an item: a note, a better answer. A draft until the item is rated."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from workbench.app import state
from workbench.app.widgets.rate_actions import Written
from workbench.engine import Draft, Shown

NOTE = f"{state.RATE}note "
BETTER = f"{state.RATE}better "
WHICH = f"{state.RATE}which "
WAS = " was"  # what stands in the database with a rating
LONGEST = {NOTE: 5_000, BETTER: 100_000}  # characters


def writing(shown: Shown, keep: Callable[[Draft], None]) -> None:
    """The two fields, filled with what was written of this item before.

    Args:
        keep: called with each change, so that a closed tab or a killed server loses nothing.
    """
    draft = shown.draft
    which = shown.correction_for if draft.correction is None else draft.correction_for
    st.session_state[WHICH + shown.item + WAS] = shown.correction_for

    def changed() -> None:
        now = written(shown.item)
        keep(Draft(now.note, now.better, now.better_than))

    def field(name: str, label: str, hint: str, kept: str, written_since: str | None) -> None:
        st.session_state[name + shown.item + WAS] = kept
        st.text_area(
            f"{label} `{hint}`",
            value=kept if written_since is None else written_since,
            key=name + shown.item,
            height=90,
            max_chars=LONGEST[name],
            placeholder="Esc goes back to rating",
            on_change=changed,
        )

    note, better = st.columns(2)
    with note:
        field(NOTE, "Note", "N", shown.note, draft.note)
    with better:
        field(BETTER, "Write the better answer", "W", shown.correction or "", draft.correction)
        if len(shown.texts) > 1 and st.session_state.get(BETTER + shown.item):
            st.radio(
                "Better than",
                [0, 1],
                index=which,
                key=WHICH + shown.item,
                format_func=lambda place: ("the left one", "the right one")[place],
                horizontal=True,
                on_change=changed,
            )


def written(item: str) -> Written:
    """What stands in the fields of this item now, where it is not what was kept with a rating."""
    which = st.session_state.get(WHICH + item, 0)
    other_side = which != st.session_state.get(WHICH + item + WAS, which)
    return Written(
        note=_changed(NOTE + item),
        better=_changed(BETTER + item, also=other_side),
        better_than=1 if which == 1 else 0,
    )


def _changed(field: str, also: bool = False) -> str | None:
    now = st.session_state.get(field)
    return None if now is None or (now == st.session_state.get(f"{field}{WAS}") and not also) else str(now)
