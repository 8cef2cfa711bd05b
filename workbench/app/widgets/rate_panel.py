"""The rating screen: one item, what can be said of it, and how far the rater is. Only this part is redrawn.

Nothing here may name a prompt, a model or a cell: what is drawn goes to the browser of a blind rater.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import streamlit as st

from workbench.app import state
from workbench.app.pages import link
from workbench.app.widgets.errors import explained
from workbench.app.widgets.numbers import count, many, seconds
from workbench.app.widgets.rate_actions import (
    FIELDS,
    SKIP,
    UNDO,
    Action,
    answers,
    carry_out,
    first_open,
    keys_of,
)
from workbench.app.widgets.rate_keys import Press, carried_out, listen
from workbench.app.widgets.rate_raters import raters_line
from workbench.app.widgets.rate_text import outputs, question
from workbench.app.widgets.rate_writing import writing, written
from workbench.app.widgets.text import escaped
from workbench.engine import Draft, RatingDesk, RatingProgress, Shown, Workspace
from workbench.errors import WorkbenchError

KEYBOARD = f"{state.RATE}keyboard"
TURN = f"{state.RATE}turn"
CRITERION = f"{state.RATE}criterion"  # the item on the screen, its criteria and which of them is asked

PAIR_BUTTON_PX = 185  # four beside each other, or two and two in a narrow window


@dataclass(frozen=True, slots=True)
class _After:
    """What the session keeps after something was done: the criterion that is asked, and what went wrong."""

    criterion: tuple[str, list[str], int] | None = None
    problem: str = ""


def rate_panel(ws: Workspace, run: str, rater: str) -> None:
    """The item that is open for this rater; drawn by `st.fragment`."""
    with state.drawing(), explained("rating"):
        problem = state.told(state.PROBLEM)
        desk = RatingDesk(ws, run, rater)
        shown = desk.next()
        _progress(desk.progress(), ws, run, rater, shown)
        if problem:
            st.error(escaped(problem), icon=":material/error:")
        if shown is None:
            _finished(run)
        else:
            question(shown)
            if shown.mode == "likert":
                _criteria(ws, run, rater, shown)
            else:
                _buttons(ws, run, rater, shown)
            plain = st.session_state.get(f"{state.RATE}plain", False)
            outputs(shown, plain)
            writing(shown, lambda draft: _keep_draft(ws, run, rater, shown.item, draft))
            st.toggle("As plain text", key=f"{state.RATE}plain")
        st.session_state[TURN] = st.session_state.get(TURN, 0) + 1
        listen(
            shown.item if shown else "",
            st.session_state[TURN],
            keys_of(shown),
            FIELDS if shown else {},
            lambda: _heard(ws, run, rater),
            KEYBOARD,
        )


def _progress(now: RatingProgress, ws: Workspace, run: str, rater: str, shown: Shown | None) -> None:
    words = f"{count(now.done)} of {many(now.total, 'item')} done"
    if now.seconds_per_item is not None and now.seconds_left is not None and shown is not None:
        words += f" · {seconds(now.seconds_per_item)} each · about {seconds(now.seconds_left)} left"
    others = {name: done for name, done in now.by_rater.items() if name != rater}
    if others:
        words += f" · {count(now.all_raters_done)} by all raters together"
    item = shown.item if shown else ""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.progress(min(1.0, now.done / now.total) if now.total else 1.0, text=words)
        nothing_yet = now.done == 0 and not (shown and shown.given)
        _button(ws, run, rater, item, UNDO, disabled=nothing_yet, width="content")
        _button(ws, run, rater, item, SKIP, disabled=shown is None, width="content")
    raters_line(others, "Also rated")


def _buttons(ws: Workspace, run: str, rater: str, shown: Shown) -> None:
    """What can be said of a pair, or of one output with a thumb; said before: filled."""
    offered = answers(shown)
    given = shown.given.get("")
    said = {1.0: ("left", "up"), 0.0: ("right", "down"), 0.5: ("bad",) if shown.both_bad else ("tie",)}
    width: Literal["stretch"] | int = PAIR_BUTTON_PX if shown.mode == "pairwise" else "stretch"
    with st.container(horizontal=True, horizontal_alignment="distribute"):
        for action in offered:
            chosen = given is not None and action.name in said.get(given, ())
            _button(ws, run, rater, shown.item, action, primary=chosen, width=width)


def _criteria(ws: Workspace, run: str, rater: str, shown: Shown) -> None:
    """A line a criterion, the one that the keys are about marked."""
    names = [criterion.name for criterion in shown.criteria]
    held = st.session_state.get(CRITERION)
    place = held[2] if held is not None and held[0] == shown.item else first_open(shown)
    st.session_state[CRITERION] = (shown.item, names, place)
    for number, criterion in enumerate(shown.criteria):
        words, *columns = st.columns([3, *[1] * shown.scale], vertical_alignment="center")
        mark = "▶ " if number == place else ""
        about = f"  \n:gray[{escaped(criterion.description)}]" if criterion.description else ""
        words.markdown(f"{mark}**{escaped(criterion.name)}**{about}")
        given = shown.given.get(criterion.name)
        for column, action in zip(columns, answers(shown), strict=True):
            with column:
                chosen = given is not None and float(action.name) == given
                _button(ws, run, rater, shown.item, action, criterion.name, primary=chosen)


def _button(
    ws: Workspace,
    run: str,
    rater: str,
    item: str,
    action: Action,
    criterion: str = "",
    primary: bool = False,
    disabled: bool = False,
    width: Literal["stretch", "content"] | int = "stretch",
) -> None:
    # the item is part of the key: a second click of a double click is about the same item, not the next
    label = f"`{action.hint}` {action.words}" if action.words != action.hint else action.words
    st.button(
        label,
        key=f"{state.RATE}{action.name} {criterion} {item}",
        icon=action.icon,
        type="primary" if primary else "secondary",
        width=width,
        disabled=disabled,
        help=f"{criterion}: {action.words}" if criterion else None,
        on_click=_do,
        args=(ws, run, rater, item, action.name, criterion),
    )


def _heard(ws: Workspace, run: str, rater: str) -> None:
    held = st.session_state.get(CRITERION)
    found = carried_out(KEYBOARD, lambda press: _press(ws, run, rater, press, held))
    if found is not None:
        _keep(found)


def _press(
    ws: Workspace, run: str, rater: str, press: Press, held: tuple[str, list[str], int] | None
) -> _After:
    """Does what a key stands for, about the criterion that is `held` in the session."""
    if held is None or held[0] != press.item:
        return _done(ws, run, rater, press.item, press.action, "", press.seconds)
    item, names, place = held
    if press.action in ("before", "after"):
        step = 1 if press.action == "after" else -1
        return _After((item, names, (place + step) % len(names)))
    return _done(ws, run, rater, item, press.action, names[place], press.seconds)


def _do(ws: Workspace, run: str, rater: str, item: str, action: str, criterion: str = "") -> None:
    """Does what a button stands for."""
    _keep(_done(ws, run, rater, item, action, criterion))


def _done(
    ws: Workspace,
    run: str,
    rater: str,
    item: str,
    action: str,
    criterion: str,
    took: float | None = None,
) -> _After:
    """Keeps what was said, at once; what goes wrong is said on the screen that follows."""
    wrote = written(item)
    try:
        carry_out(RatingDesk(ws, run, rater), item, action, criterion, wrote, took)
    except WorkbenchError as error:
        return _After(problem=str(error))
    return _After()


def _keep(found: _After) -> None:
    if found.criterion is None:
        st.session_state.pop(CRITERION, None)
    else:
        st.session_state[CRITERION] = found.criterion
    if found.problem:
        st.session_state[state.PROBLEM] = found.problem


def _keep_draft(ws: Workspace, run: str, rater: str, item: str, draft: Draft) -> None:
    try:
        RatingDesk(ws, run, rater).keep_draft(item, draft)
    except WorkbenchError as error:
        st.session_state[state.PROBLEM] = str(error)


def _finished(run: str) -> None:
    with st.container(border=True):
        st.markdown("**Nothing is left for you to rate here.** Thank you.")
        st.markdown(
            "What others have on their screens right now comes back if they leave it. See what the "
            "ratings say, or have more outputs rated."
        )
        link("ratings", "Leaderboard", ":material/leaderboard:", run=run)
        link("rate", "Rate more of this run", ":material/tune:", run=run, view="setup")
