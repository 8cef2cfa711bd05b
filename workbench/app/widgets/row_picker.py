"""The row that a prompt is shown and tried on: a dataset, a split, a place in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import streamlit as st

from workbench.app import state
from workbench.app.widgets.controls import choose
from workbench.app.widgets.text import short
from workbench.core.dataset import Dataset
from workbench.core.prompt import AnyPrompt, Prompt
from workbench.engine import Workspace

FAVOURITE = "word-problems"  # what the shipped prompts are about
FIRST_ROWS = 500  # enough to try on; the rest is on the Datasets page


@dataclass(frozen=True)
class Picked:
    """A split in memory, the row chosen, and its place."""

    dataset: Dataset
    place: int

    @property
    def row(self) -> dict[str, Any]:
        """The chosen row."""
        return self.dataset.rows[self.place]

    @property
    def reference(self) -> str | None:
        """The right answer of the row, where there is one."""
        value = self.row.get(self.dataset.reference or "")
        return None if value is None else str(value)

    def following(self, count: int) -> list[dict[str, Any]]:
        """The chosen row and those after it, round the end."""
        rows = self.dataset.rows
        return [rows[(self.place + step) % len(rows)] for step in range(min(count, len(rows)))]


def pick_row(ws: Workspace, prompt: AnyPrompt | None) -> Picked | None:
    """Shows the pickers. None when there is no dataset."""
    names = ws.datasets.names()
    if not names:
        return None
    data, part, number = st.columns([2.2, 1.2, 1])
    with data:
        name = choose(
            "Dataset",
            names,
            state.DATASET,
            _likely(ws, prompt, names),
            (state.SPLIT, state.ROW),
            sticky=False,
        )
    with part:
        splits = ws.datasets.splits(name or names[0])
        split = choose("Split", splits, state.SPLIT, "dev" if "dev" in splits else None, (state.ROW,))
    dataset = first_rows(ws, name or names[0], split or splits[0])
    with number:
        last = len(dataset.rows)
        place = state.whole(state.ROW, 1, last, 1)
        state.hold("url row", place)
        st.number_input(
            f"Row, of {last}",
            1,
            last,
            key="url row",
            on_change=lambda: state.put(row=st.session_state["url row"]),
        )
    picked = Picked(dataset, place - 1)
    asked = next((str(value) for key, value in picked.row.items() if key != "id" and value), "")
    right = f"right answer: {short(picked.reference, 80)}" if picked.reference is not None else ""
    with st.container(border=True):
        st.text(short(asked, 240))
        if right:
            st.text(right)
    return picked


def first_rows(ws: Workspace, name: str, split: str) -> Dataset:
    """The beginning of a split."""
    return ws.datasets.load(name, split, limit=FIRST_ROWS)


def _likely(ws: Workspace, prompt: AnyPrompt | None, names: list[str]) -> str | None:
    """The dataset that a prompt draws its examples from, else one that has its variables."""
    if isinstance(prompt, Prompt):
        if prompt.examples and prompt.examples.from_:
            found = prompt.examples.from_.partition("#")[0]
            if found in names:
                return found
        text = " ".join(message.content for message in prompt.messages)
        fitting = [name for name in names if any(f"{{{{ {one} }}}}" in text for one in _columns(ws, name))]
        if fitting:
            return next((one for one in (state.last(state.DATASET), FAVOURITE) if one in fitting), fitting[0])
    return FAVOURITE if FAVOURITE in names else None


def _columns(ws: Workspace, name: str) -> list[str]:
    rows, _ = ws.datasets.page(name, ws.datasets.splits(name)[0], 0, 1)
    return [column for row in rows for column in row if column != "id"]
