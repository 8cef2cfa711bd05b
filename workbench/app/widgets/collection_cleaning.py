"""Cleaning a collection: what each step would do is counted and shown before it is applied."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Callable
from typing import Any

import streamlit as st

from workbench.app import state
from workbench.app.widgets.collection_balance import balance_view
from workbench.app.widgets.collection_steps import choose_steps
from workbench.app.widgets.collection_words import author, counts_line
from workbench.app.widgets.empty import empty
from workbench.app.widgets.errors import explained
from workbench.app.widgets.numbers import count, many
from workbench.app.widgets.said import say_next
from workbench.app.widgets.text import Kind, escaped, escaped_lines, marked
from workbench.engine import Workspace
from workbench.prompting import word_diff
from workbench.storage.collections import CollectionRecord
from workbench.tuning import apply_cleaning, cleaning_preview, undo
from workbench.tuning.cleaning import Spec, build_step
from workbench.tuning.cleaning.applying import StepExample, StepReport

USUAL = ["unicode", "white_space", "exact_duplicates"]
PREVIEW = f"{state.CURATE}preview "  # + the collection: of which content, which steps, what they would do
MOST_CHANGES = 5
MOST_SHOWN = 8
"""Examples of what a step would do."""
UNSEEN = ("Cc", "Cf", "Cs")
"""Unicode's categories of controls, of marks of format and of halves of characters."""


def cleaning_view(ws: Workspace, record: CollectionRecord) -> None:
    """Steps with their settings, what they would do, and doing it; then balancing."""
    counts = ws.store.collections.count(record.id)
    st.markdown(counts_line(counts))
    _last_changes(ws, record)
    if not any(its_state == "kept" for its_state, _ in counts):
        empty("Nothing is kept that could be cleaned.", "Accept items, or undo what dropped them.")
        return
    st.subheader("Clean", anchor=False)
    with explained("cleaning"):
        steps = choose_steps(f"{state.CURATE}clean {record.id}", USUAL)
        _preview(ws, record, steps)
    st.subheader("Even out", anchor=False)
    with explained("balancing"):
        balance_view(ws, record)


def _last_changes(ws: Workspace, record: CollectionRecord) -> None:
    """What was changed last, and taking it back."""
    changes = ws.store.collections.changes(record.id, limit=MOST_CHANGES)
    if not changes:
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f":gray[Last change\\:] {escaped(changes[0])}", width="content")
        st.button("Undo", icon=":material/undo:", key="cleaning undo", on_click=_undo, args=(ws, record))


def _undo(ws: Workspace, record: CollectionRecord) -> None:
    words = undo(ws, record.id, author())
    say_next(
        "There is nothing of yours to take back: the last change was somebody else's."
        if words is None
        else f"Took back: {escaped(words)}."
    )


def _preview(ws: Workspace, record: CollectionRecord, steps: list[Spec]) -> None:
    for one in steps:
        build_step(one)
    version = ws.store.collections.version(record.id)
    wanted = (version, json.dumps(steps, default=list))
    held = st.session_state.get(f"{PREVIEW}{record.id}")
    shown: tuple[StepReport, ...] | None = held[1] if held is not None and held[0] == wanted else None
    with st.container(horizontal=True, vertical_alignment="center"):
        look = st.button(
            "Preview",
            icon=":material/visibility:",
            type="secondary" if shown else "primary",
            disabled=not steps,
            key="cleaning preview",
        )
        does_something = bool(shown) and any(report.dropped or report.changed for report in shown or ())
        apply = st.button(
            "Apply",
            icon=":material/cleaning_services:",
            type="primary" if does_something else "secondary",
            disabled=not does_something,
            key="cleaning apply",
        )
    place = st.empty()
    if apply:
        done = apply_cleaning(ws, record.id, steps, author(), on_progress=_told(place))
        say_next(f"{count(done.dropped)} dropped, {count(done.changed)} changed. Undo takes it back.")
        st.rerun()
    if look:
        kept = ws.store.collections.items(record.id, state="kept")
        items, numbers = [one.item for one in kept], [one.number for one in kept]
        reports = cleaning_preview(items, steps, numbers=numbers, on_progress=_told(place))
        st.session_state[f"{PREVIEW}{record.id}"] = (wanted, reports)
        st.rerun()
    if shown is None:
        st.caption("Nothing is changed by a preview. What is applied is one change, which can be undone.")
        return
    for report in shown:
        _report(report)


def _told(place: Any) -> Callable[[str, int, int], None]:
    def tell(step: str, done: int, total: int) -> None:
        words = f"{step.replace('_', ' ')}: {count(done)} of {many(total, 'item')}"
        place.progress(done / total if total else 1.0, text=escaped(words))

    return tell


def _report(report: StepReport) -> None:
    """What a step would do: the counts in a line, examples when it is opened."""
    name = report.step.replace("_", " ")
    if not report.dropped and not report.changed:
        st.markdown(f"**{escaped(name)}** finds nothing among {many(report.seen, 'item')}.")
        return
    told = []
    if report.dropped:
        told.append(f"drops {count(report.dropped)}")
    if report.changed:
        told.append(f"changes {count(report.changed)}")
    with st.expander(
        f"**{escaped(name)}** {' and '.join(told)} of {many(report.seen, 'item')}", expanded=True
    ):
        for example in report.examples[:MOST_SHOWN]:
            st.markdown(_example(example))


def _example(one: StepExample) -> str:
    head = f"**Item {one.number}**, {escaped(one.text)}"
    if one.after is None:
        return f"{head} :orange-badge[dropped] {escaped(one.detail)}  \n{escaped_lines(one.before)}"
    if " ".join(one.before.split()) == " ".join(one.after.split()):
        # words are the same: white space is what differs, and a difference of words would not show it
        return f"{head}  \n{_visible(one.before)}  \n:gray[becomes]  \n{_visible(one.after)}"
    parts: list[tuple[Kind, str]] = list(word_diff(*_named(one.before, one.after)))
    return f"{head}  \n{marked(parts)}"


def _named(before: str, after: str) -> tuple[str, str]:
    """Both texts, with characters that nobody sees as their numbers where one has more of them."""
    unseen = {
        ord(letter): f"⟨U+{ord(letter):04X}⟩"
        for letter in {*before, *after}
        if unicodedata.category(letter) in UNSEEN
        and letter not in "\n\t"
        and before.count(letter) != after.count(letter)
    }
    return before.translate(unseen), after.translate(unseen)


def _visible(text: str) -> str:
    """Text whose blanks and line ends can be seen."""
    signs = {"\r": "¬", "\n": "¶", "\t": "→", "\u00a0": "°", " ": "·"}
    return escaped("".join(signs.get(letter, letter) for letter in text))
