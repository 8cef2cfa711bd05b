"""How pages speak of collections and their items."""

from __future__ import annotations

from collections.abc import Mapping

from workbench.app import state
from workbench.app.widgets.numbers import count
from workbench.core.collection import BY_PERSON, ItemState, Task

TEACHES: dict[Task, str] = {
    "completion": "completions",
    "preference": "preferences",
    "label": "good and bad completions",
}
REASONS = {
    BY_PERSON: "rejected by a person",
    "balance": "left out to even out values",
    "limit": "beyond the limit",
    "held_back": "repeats a row kept for evaluation",
}
"""Reasons for which an item is dropped that are no cleaning step."""
APP = "app"
"""Who changed what is changed here by someone who has not said who they are."""

Counts = Mapping[tuple[ItemState, str], int]


def author() -> str:
    """Who changes things on this visit: the name of the rater, where one was given."""
    return state.last(state.RATER) or APP


def reason_words(reason: str) -> str:
    """Why an item was dropped."""
    return REASONS.get(reason, reason.replace("_", " "))


def kept_of(counts: Counts) -> int:
    """How many items are kept."""
    return sum(number for (its_state, _), number in counts.items() if its_state == "kept")


def counts_line(counts: Counts) -> str:
    """Kept and dropped in words: `312 kept · 40 dropped: exact duplicates 30, rejected by a person 10`."""
    dropped = {reason: number for (its_state, reason), number in counts.items() if its_state == "dropped"}
    words = f"**{count(kept_of(counts))} kept**"
    if not dropped:
        return f"{words} · none dropped"
    ordered = sorted(dropped.items(), key=lambda one: (-one[1], one[0]))
    told = ", ".join(f"{reason_words(reason)} {count(number)}" for reason, number in ordered)
    return f"{words} · {count(sum(dropped.values()))} dropped: {told}"
