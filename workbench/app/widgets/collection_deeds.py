"""What can be done with items, by key or by button: on to the next, accept, reject, edit, take back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import streamlit as st

from workbench.app import state
from workbench.app.widgets.collection_words import author
from workbench.app.widgets.numbers import many
from workbench.app.widgets.rate_keys import listen, pressed
from workbench.app.widgets.text import escaped
from workbench.core.collection import CollectionItem, ItemState
from workbench.engine import Workspace
from workbench.errors import WorkbenchError
from workbench.storage.collections import ItemPlace
from workbench.tuning import accept, edit, reject, undo

CURATE = state.CURATE
KEYBOARD = f"{CURATE}keyboard"
TURN = f"{CURATE}turn"
HEARD = f"{CURATE}heard"  # the last press: of which item, on which drawing of the page
LED_TO = f"{CURATE}led to"  # what that press led to: the item to show, and what is said of it
SAID = f"{CURATE}said"
EDITING = f"{CURATE}editing"  # the item that is being edited
TOUCHED = f"{CURATE}touched"  # items that were changed one by one on this visit, the last one last
COMPLETION, REJECTED = f"{CURATE}completion ", f"{CURATE}rejected "  # + the item: what is being written
ALONE = {"j": "after", "k": "before", "a": "accept", "r": "reject", "e": "edit", "u": "undo"}
ALONE |= {"ArrowRight": "after", "ArrowLeft": "before", "Escape": "all"}
ON_A_PAGE = {"j": "first", "u": "undo"}
EDITED = {"Escape": "leave"}
"""A key → what it does: with one item on the screen, with fifty, while one is edited."""


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
        held = st.session_state.get(EDITING)
        return held[1] if held is not None and held[0] == self.collection else None

    def said(self) -> None:
        """What the last thing did, or why it could not be done."""
        problem = st.session_state.pop(state.PROBLEM, None)
        if problem:
            st.error(escaped(problem), icon=":material/error:")
        said = st.session_state.pop(SAID, None)
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
        try:
            if action == "undo":
                self._undo()
            elif action == "all":
                state.put(item=None)
            elif number is not None:
                self._with(action, number)
        except WorkbenchError as error:
            st.session_state[state.PROBLEM] = str(error)

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
        self._touched(number)
        st.session_state[SAID] = f"Edited item {number}."
        st.session_state.pop(EDITING, None)

    def _with(self, action: str, number: int) -> None:
        if action == "leave":
            st.session_state.pop(EDITING, None)
        elif action == "edit":
            st.session_state[EDITING] = (self.collection, number)
        elif action == "first":
            state.put(item=number)
        else:
            place = self.ws.store.collections.place(
                self.collection, number, self.state, self.reason, self.find
            )
            if action == "before":
                state.put(item=number if place.before is None else place.before)
                return
            if action == "accept":
                changed = accept(self.ws, self.collection, [number], author())
                self._say("Accepted", number, changed, "it was kept already")
            elif action == "reject":
                changed = reject(self.ws, self.collection, [number], author())
                self._say("Rejected", number, changed, "it was dropped already")
            if place.after is None:
                told = st.session_state.get(SAID, "")
                st.session_state[SAID] = f"{told} This was the last one shown.".strip()
            else:
                state.put(item=place.after)

    def _say(self, what: str, number: int, changed: int, else_words: str) -> None:
        if changed:
            self._touched(number)
        st.session_state[SAID] = f"{what} item {number}." if changed else f"Item {number}: {else_words}."

    def _several(self, numbers: Sequence[int], good: bool) -> None:
        try:
            changed = (accept if good else reject)(self.ws, self.collection, list(numbers), author())
        except WorkbenchError as error:
            st.session_state[state.PROBLEM] = str(error)
            return
        self._touched(None)
        st.session_state[SAID] = (
            f"{'Accepted' if good else 'Rejected'} {many(changed, 'item')}; U takes it back."
        )

    def _undo(self) -> None:
        words = undo(self.ws, self.collection, author())
        st.session_state.pop(EDITING, None)
        if words is None:
            st.session_state[SAID] = "There is nothing of yours to take back."
            return
        touched = st.session_state.get(TOUCHED, [])
        last = touched.pop() if touched else None
        if last is not None and last[0] == self.collection and state.text(state.ITEM):
            state.put(item=last[1])
        st.session_state[SAID] = f"Took back: {words[:1].lower()}{words[1:]}."

    def _touched(self, number: int | None) -> None:
        held = st.session_state.setdefault(TOUCHED, [])
        held.append(None if number is None else (self.collection, number))

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
    found = pressed(KEYBOARD)
    if found is None:
        return
    action, item, _ = found
    # the browser can tell of one press twice, the second time with the address as it was before
    if st.session_state.get(HEARD) == item:
        number, said, problem = st.session_state[LED_TO]
        state.put(item=number)
        st.session_state.update({SAID: said, state.PROBLEM: problem})
        return
    number, _, _ = item.partition(" ")
    deeds.do(action, int(number) if number.isascii() and number.isdigit() else None)
    st.session_state[HEARD] = item
    st.session_state[LED_TO] = (
        state.text(state.ITEM) or None,
        st.session_state.get(SAID),
        st.session_state.get(state.PROBLEM),
    )
