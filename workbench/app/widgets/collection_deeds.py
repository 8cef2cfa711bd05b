"""What can be done with items, by key or by button: on to the next, accept, reject, edit, take back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import streamlit as st

from workbench.app import state
from workbench.app.widgets.collection_words import author
from workbench.app.widgets.numbers import many
from workbench.app.widgets.rate_keys import Press, carried_out, listen
from workbench.app.widgets.text import escaped
from workbench.core.collection import CollectionItem, ItemState
from workbench.engine import Workspace
from workbench.errors import WorkbenchError
from workbench.storage.collections import ItemPlace
from workbench.tuning import accept, edit, reject, undo

CURATE = state.CURATE
KEYBOARD = f"{CURATE}keyboard"
TURN = f"{CURATE}turn"
SAID = f"{CURATE}said"
VISIT = f"{CURATE}visit"
COMPLETION, REJECTED = f"{CURATE}completion ", f"{CURATE}rejected "  # + the item: what is being written
ALONE = {"j": "after", "k": "before", "a": "accept", "r": "reject", "e": "edit", "u": "undo"}
ALONE |= {"ArrowRight": "after", "ArrowLeft": "before", "Escape": "all"}
ON_A_PAGE = {"j": "first", "u": "undo"}
EDITED = {"Escape": "leave"}
"""A key → what it does: with one item on the screen, with fifty, while one is edited."""


@dataclass
class _Visit:
    """What is kept from one drawing of the page to the next, also by a script that is ended in the middle.

    Attributes:
        editing: the collection and the item whose text is being edited.
        touched: what was changed one by one, the last one last; None for several at once.
    """

    editing: tuple[str, int] | None = None
    touched: list[tuple[str, int] | None] = field(default_factory=list)


@dataclass(frozen=True)
class _LedTo:
    """What a deed led to: the item to show, what is said of it, or why it could not be done."""

    item: int | None
    said: str = ""
    problem: str = ""


@dataclass(frozen=True)
class Deeds:
    """What is done, in one collection under one filter."""

    ws: Workspace
    collection: str
    state: ItemState | None
    reason: str | None
    find: str

    @property
    def editing(self) -> int | None:
        """The item whose text is being edited."""
        held = _visit().editing
        return held[1] if held is not None and held[0] == self.collection else None

    def said(self) -> None:
        """What the last thing did, or why it could not be done."""
        problem = state.told(state.PROBLEM)
        if problem:
            st.error(escaped(problem), icon=":material/error:")
        said = state.told(SAID)
        if said:
            st.info(escaped(said), icon=":material/check:")

    def for_page(self, numbers: Sequence[int]) -> None:
        """Buttons above a screen of items."""
        some = many(len(numbers), "item")
        with st.container(horizontal=True, vertical_alignment="center"):
            first = numbers[0] if numbers else None
            self._button(
                "One by one", "J", ":material/play_arrow:", lambda: self.do("first", first), not numbers
            )
            self._button(
                f"Accept these {some}",
                "",
                ":material/done_all:",
                lambda: self._several(numbers, True),
                not numbers,
            )
            self._button(
                f"Reject these {some}",
                "",
                ":material/remove_done:",
                lambda: self._several(numbers, False),
                not numbers,
            )
            self._button("Undo", "U", ":material/undo:", lambda: self.do("undo", None))

    def for_one(self, number: int, place: ItemPlace, one: CollectionItem | None) -> None:
        """Buttons above one item, and where it stands."""
        with st.container(horizontal=True, vertical_alignment="center"):
            for name, words, hint, can in (
                ("all", "All items", "Esc", True),
                ("before", "Previous", "K", place.before is not None),
                ("after", "Next", "J", place.after is not None),
                ("accept", "Accept", "A", one is not None),
                ("reject", "Reject", "R", one is not None),
                ("edit", "Edit", "E", one is not None),
                ("undo", "Undo", "U", True),
            ):
                self._button(words, hint, None, _doing(self, name, number), not can, of=number)
            among = one is not None and self.state in (None, one.state) and self.reason in (None, one.reason)
            where = f"{place.ahead + 1:,} of" if among else "not among the"
            st.markdown(f":gray[{where} {many(place.total, 'item')} shown]", width="content")

    def do(self, action: str, number: int | None) -> None:
        """Does one thing; it is kept when this returns. What goes wrong is said on the next screen."""
        self.show(self.done(action, number))

    def show(self, led_to: _LedTo) -> None:
        """Has the next screen show what a deed led to."""
        state.put(item=led_to.item)
        st.session_state.update({SAID: led_to.said, state.PROBLEM: led_to.problem})

    def done(self, action: str, number: int | None) -> _LedTo:
        """Does one thing, and tells what it led to. Nothing is written to the session."""
        visit, by = _visit(), author()
        shown = state.whole(state.ITEM, 0, 999_999_999, 0) if state.text(state.ITEM) else None
        try:
            if action == "undo":
                return self._undone(visit, by, shown)
            if action == "all" or number is None:
                return _LedTo(None if action == "all" else shown)
            if action in ("leave", "edit"):
                visit.editing = (self.collection, number) if action == "edit" else None
                return _LedTo(number)
            return _LedTo(number) if action == "first" else self._passed(action, number, visit, by)
        except WorkbenchError as error:
            return _LedTo(shown, problem=str(error))

    def save(self, one: CollectionItem) -> None:
        """Keeps what stands in the fields of the item that is edited."""
        number = one.number
        written = str(st.session_state.get(f"{COMPLETION}{number}", ""))
        worse = None
        if one.item.rejected is not None:
            worse = str(st.session_state.get(f"{REJECTED}{number}", ""))
        try:
            edit(
                self.ws,
                self.collection,
                number,
                written,
                author(),
                rejected=worse,
                was=one.item.completion,
            )
        except WorkbenchError as error:
            st.session_state[state.PROBLEM] = str(error)
            return
        visit = _visit()
        visit.touched.append((self.collection, number))
        visit.editing = None
        st.session_state[SAID] = f"Edited item {number}."

    def _passed(self, action: str, number: int, visit: _Visit, by: str) -> _LedTo:
        """An item is accepted or rejected, or neither, and left for another."""
        place = self.ws.store.collections.place(self.collection, number, self.state, self.reason, self.find)
        if action == "before":
            return _LedTo(number if place.before is None else place.before)
        said = ""
        if action in ("accept", "reject"):
            accepts = action == "accept"
            changed = (accept if accepts else reject)(self.ws, self.collection, [number], by)
            if changed:
                visit.touched.append((self.collection, number))
                said = f"{'Accepted' if accepts else 'Rejected'} item {number}."
            else:
                said = f"Item {number}: it was {'kept' if accepts else 'dropped'} already."
        if place.after is None:
            return _LedTo(number, f"{said} This was the last one shown.".strip())
        return _LedTo(place.after, said)

    def _several(self, numbers: Sequence[int], good: bool) -> None:
        try:
            changed = (accept if good else reject)(self.ws, self.collection, list(numbers), author())
        except WorkbenchError as error:
            st.session_state[state.PROBLEM] = str(error)
            return
        _visit().touched.append(None)
        st.session_state[SAID] = (
            f"{'Accepted' if good else 'Rejected'} {many(changed, 'item')}; U takes it back."
        )

    def _undone(self, visit: _Visit, by: str, shown: int | None) -> _LedTo:
        words = undo(self.ws, self.collection, by)
        visit.editing = None
        if words is None:
            return _LedTo(shown, "There is nothing of yours to take back.")
        last = visit.touched.pop() if visit.touched else None
        if last is not None and last[0] == self.collection and shown is not None:
            shown = last[1]
        return _LedTo(shown, f"Took back: {words[:1].lower()}{words[1:]}.")

    def _button(
        self,
        words: str,
        hint: str,
        icon: str | None,
        on_click: Callable[[], None],
        disabled: bool = False,
        of: int | None = None,
    ) -> None:
        # the item is part of the key: a second click of a double click is about the same item, not the next
        st.button(
            f"`{hint}` {words}" if hint else words,
            key=f"{CURATE}{words.split()[0]} {'' if of is None else of}",
            icon=icon,
            disabled=disabled,
            on_click=on_click,
        )


def listen_to(deeds: Deeds, number: int | None, alone: bool) -> None:
    """Hears keys about the item on the screen, or about the first of fifty."""
    st.session_state[TURN] = st.session_state.get(TURN, 0) + 1
    editing = alone and number is not None and deeds.editing == number
    keys = EDITED if editing else ALONE if alone else ON_A_PAGE
    listen(
        f"{'' if number is None else number} {st.session_state[TURN]}",
        st.session_state[TURN],
        keys,
        {},
        lambda: _heard(deeds),
        KEYBOARD,
        focus=f"{COMPLETION.replace(' ', '-')}{number}" if editing else "",
    )


def _doing(deeds: Deeds, action: str, number: int) -> Callable[[], None]:
    return lambda: deeds.do(action, number)


def _heard(deeds: Deeds) -> None:
    led_to = carried_out(KEYBOARD, lambda press: _press(deeds, press))
    if led_to is not None:
        deeds.show(led_to)


def _press(deeds: Deeds, press: Press) -> _LedTo:
    number, _, _ = press.item.partition(" ")
    return deeds.done(press.action, int(number) if number.isascii() and number.isdigit() else None)


def _visit() -> _Visit:
    found: _Visit = st.session_state.setdefault(VISIT, _Visit())
    return found
