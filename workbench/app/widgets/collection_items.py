"""The items of a collection: fifty on a screen with filters, or one by itself that keys accept and reject."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from workbench.app import state
from workbench.app.widgets.collection_deeds import CURATE, Deeds, listen_to
from workbench.app.widgets.collection_item import item_card
from workbench.app.widgets.collection_words import Counts, counts_line, reason_words, repeating_words
from workbench.app.widgets.controls import pager, search
from workbench.app.widgets.empty import empty
from workbench.app.widgets.numbers import many
from workbench.app.widgets.text import escaped, short
from workbench.core.collection import CollectionItem, ItemState
from workbench.engine import Workspace
from workbench.storage.collections import CollectionRecord

PER_SCREEN = 50
LONGEST = 160
ALL, KEPT, DROPPED, OF_REASON = "all", "kept", "dropped", "reason:"


@dataclass(frozen=True, slots=True)
class Filter:
    """Which items are shown."""

    state: ItemState | None = None
    reason: str | None = None
    find: str = ""


def items_view(ws: Workspace, record: CollectionRecord) -> None:
    """Filters, and fifty items or the one that the address names."""
    counts = ws.store.collections.count(record.id)
    st.markdown(counts_line(counts))
    chosen = _filters(counts)
    deeds = Deeds(ws, record.id, chosen.state, chosen.reason, chosen.find)
    deeds.said()
    if state.text(state.ITEM):
        _one(ws, record, deeds)
    else:
        _page(ws, record, chosen, counts, deeds)


def _filters(counts: Counts) -> Filter:
    """Kept, dropped, dropped for one reason, or all; and a text to look for."""
    reasons = sorted({reason for its_state, reason in counts if its_state == "dropped"})
    # no counts in these words: Streamlit takes a changed label for another choice
    options = {KEPT: "kept", DROPPED: "dropped"}
    options |= {f"{OF_REASON}{reason}": f"dropped: {reason_words(reason)}" for reason in reasons}
    options |= {ALL: "all"}
    asked = state.text(state.SHOWN)
    shown = asked if asked in options else KEPT
    widget = f"url {state.SHOWN}"
    state.hold(widget, shown)

    def store() -> None:
        value = st.session_state[widget]
        state.put(shown=None if value == KEPT else value, page=None, item=None)

    left, right = st.columns([2, 3])
    left.selectbox("Show", list(options), key=widget, format_func=lambda name: options[name], on_change=store)
    with right:
        find = search(
            "Find",
            clears=(state.PAGE, state.ITEM),
            placeholder="in the texts, the row, and where it comes from",
        )
    if shown.startswith(OF_REASON):
        return Filter("dropped", shown.removeprefix(OF_REASON), find)
    states: dict[str, ItemState] = {KEPT: "kept", DROPPED: "dropped"}
    return Filter(states.get(shown), None, find)


def _page(ws: Workspace, record: CollectionRecord, chosen: Filter, counts: Counts, deeds: Deeds) -> None:
    """One screen of items."""
    table = ws.store.collections
    left_out = repeating_words(record.report)
    if left_out:
        st.caption(left_out)
    if chosen.find:
        total = table.place(record.id, 0, chosen.state, chosen.reason, chosen.find).total
    else:
        total = sum(
            number
            for (its_state, reason), number in counts.items()
            if chosen.state in (None, its_state) and chosen.reason in (None, reason)
        )
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.markdown(many(total, "item"), width="content")
        offset = pager(total, PER_SCREEN)
    items = table.items(
        record.id, chosen.state, chosen.reason, limit=PER_SCREEN, offset=offset, find=chosen.find
    )
    numbers = [one.number for one in items]
    deeds.for_page(numbers)
    if not items:
        empty("No item is shown.", "Show others, or look for another text.")
    for one in items:
        _line(one)
    listen_to(deeds, numbers[0] if numbers else None, alone=False)


def _line(one: CollectionItem) -> None:
    """A button that opens an item, above it in two or three lines."""
    with st.container(border=True, gap=None):
        st.button(
            f"Item {one.number}",
            key=f"{CURATE}open {one.number}",
            type="tertiary",
            on_click=lambda: state.put(item=one.number),
        )
        st.markdown(_shortly(one))


def _shortly(one: CollectionItem) -> str:
    item = one.item
    said = escaped(short(item.completion, LONGEST)) or ":gray[empty]"
    lines = [f":gray[{escaped(short(item.question, LONGEST))}]", f"**{said}**"]
    if item.rejected is not None:
        lines.append(f":gray[rather than] {escaped(short(item.rejected, LONGEST))}")
    badges = []
    if item.label is not None:
        badges.append(":green-badge[good]" if item.label else ":red-badge[not good]")
    if item.original is not None:
        badges.append(":blue-badge[edited]")
    if one.state == "dropped":
        why = " · ".join(part for part in (reason_words(one.reason), short(one.detail, 80)) if part)
        badges.append(f":orange-badge[dropped] :gray[{escaped(why)}]")
    return "  \n".join([*lines, " ".join(badges)] if badges else lines)


def _one(ws: Workspace, record: CollectionRecord, deeds: Deeds) -> None:
    """One item by itself, and the ways to those before and after it."""
    number = state.whole(state.ITEM, 0, 999_999_999, 0)
    found = ws.store.collections.items(record.id, numbers=[number])
    place = ws.store.collections.place(record.id, number, deeds.state, deeds.reason, deeds.find)
    deeds.for_one(number, place, found[0] if found else None)
    if not found:
        empty(f"There is no item {number} in this collection.", "Go back to all of them.")
    else:
        item_card(record, found[0], deeds)
    listen_to(deeds, number if found else None, alone=True)
