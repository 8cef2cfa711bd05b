"""How pages speak of collections and their items."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from workbench.app import state
from workbench.app.widgets.numbers import count, many
from workbench.core.collection import BY_PERSON, ItemState, Task
from workbench.tuning.collecting.held_back import REPEATS

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
    "same_texts": "chosen and rejected say the same",
}
"""Reasons for which an item is dropped that are no cleaning step."""
APP = "app"
"""Who changed what is changed here by someone who has not said who they are."""

Counts = Mapping[tuple[ItemState, str], int]


def author() -> str:
    """Who changes things on this visit: the name of the rater, where one was given."""
    return state.last(state.RATER) or APP


def suggested_name(experiment: str) -> str:
    """What a collection of an experiment's outputs may be called."""
    plain = re.sub(r"[^A-Za-z0-9._-]+", "-", experiment)[:90].strip("-._")
    return f"{plain or 'outputs'}-best"


def repeating_words(report: Mapping[str, Any]) -> str:
    """What was picked and yet left out, as its row repeats one kept for evaluation; empty without any."""
    outputs, rows = report.get("left_out", {}).get(REPEATS, 0), report.get("overlaps", {}).get("rows", 0)
    if not outputs:
        return ""
    return (
        f"{many(outputs, 'output')} of {many(rows, 'row')} passed and yet stayed out: these rows repeat rows "
        "kept for evaluation. Sources lists each, with the words in common."
    )


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
