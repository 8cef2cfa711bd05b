"""What a rater can do with the item on the screen, by key or by button, and doing it.

actions(shown)  ->  Action("left", "Left is better", "←", ("ArrowLeft",)), Action("tie", …), …
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from workbench.engine import RatingDesk, Shown


@dataclass(frozen=True, slots=True)
class Action:
    """One thing to do: its name, its words, the key shown on its button, and every key that does it."""

    name: str
    words: str
    hint: str
    keys: tuple[str, ...]
    icon: str | None = None


PAIR = (
    Action("left", "Left is better", "←", ("ArrowLeft",)),
    Action("tie", "Tie", "T", ("t",)),
    Action("bad", "Both are bad", "B", ("b",)),
    Action("right", "Right is better", "→", ("ArrowRight",)),
)
THUMBS = (
    Action("up", "Good", "+", ("+", "="), ":material/thumb_up:"),
    Action("down", "Bad", "−", ("-",), ":material/thumb_down:"),
)
STEPS = (
    Action("before", "Criterion before", "←", ("ArrowLeft",)),
    Action("after", "Next criterion", "→", ("ArrowRight",)),
)
SKIP = Action("skip", "Skip", "S", ("s",))
UNDO = Action("undo", "Undo", "U", ("u",))
FIELDS = {"n": "rate-note", "w": "rate-better"}
"""Key → the text area that it leads to."""

VALUES = {"left": 1.0, "right": 0.0, "tie": 0.5, "bad": 0.5, "up": 1.0, "down": 0.0}


@dataclass(frozen=True, slots=True)
class Written:
    """What the rater wrote beside the item; None leaves what was written before."""

    note: str | None = None
    better: str | None = None
    better_than: Literal[0, 1] = 0


def answers(shown: Shown) -> tuple[Action, ...]:
    """What can be said of the item; on the Likert scale of one criterion, a number each."""
    if shown.mode == "pairwise":
        return PAIR
    if shown.mode == "thumbs":
        return THUMBS
    numbers = [str(number) for number in range(1, shown.scale + 1)]
    return tuple(Action(number, number, number, (number,)) for number in numbers)


def keys_of(shown: Shown | None) -> dict[str, str]:
    """Each key that is heard → the name of what it does."""
    offered: list[Action] = [UNDO]
    if shown is not None:
        offered += [SKIP, *answers(shown)]
        if len(shown.criteria) > 1:
            offered += STEPS
    return {key: action.name for action in offered for key in action.keys}


def first_open(shown: Shown) -> int:
    """The place of the first criterion that has no value yet."""
    names = [criterion.name for criterion in shown.criteria]
    return next((place for place, name in enumerate(names) if name not in shown.given), 0)


def carry_out(
    desk: RatingDesk,
    item: str,
    action: str,
    criterion: str = "",
    written: Written | None = None,
    seconds: float | None = None,
) -> None:
    """Does one thing with an item; it is kept when this returns. Raises WorkbenchError.

    Args:
        criterion: what a number on the Likert scale is about.
        seconds: how long the rater took, where that is known.
    """
    if action == "undo":
        desk.undo()
    elif action == "skip":
        desk.skip(item)
    else:
        wrote = written or Written()
        desk.rate(
            item,
            VALUES[action] if action in VALUES else {criterion: float(action)},
            both_bad=action == "bad",
            note=wrote.note,
            correction=wrote.better,
            correction_for=wrote.better_than,
            seconds=seconds,
        )
