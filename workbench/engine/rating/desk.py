"""The rating desk: gives one rater one item after the other, blind, and keeps what they say of each.

    desk = RatingDesk(workspace, run, "Ada")
    shown = desk.next()          Shown(item="9f3c…", texts=("Answer: 7", "It is 8."), …)
    desk.rate(shown.item, 1)     the left one is better

What is shown carries no cell, prompt, model or run. Several raters may sit at desks of one run at
once, in one process or in many: the database decides who gets what.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from workbench.core.rating import Criterion, Mode, RatingPlan
from workbench.engine.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Shown:
    """What a rater sees of one item, and what they have said of it so far.

    Attributes:
        item: random hex that says nothing.
        row: the row's columns as text, without its id and the reference.
        texts: one whole output, or two of one row in the order in which they stand.
        criteria: likert: what is to be rated, each from 1 to `scale`.
        given: by criterion ("" unless likert), what this rater said already. Of a pair: 1 where the
            first text is better, 0 where the second is, 0.5 for a tie. Empty: nothing yet.
        correction_for: which of `texts` the correction betters.
    """

    item: str
    mode: Mode
    row: dict[str, str]
    reference: str | None
    texts: tuple[str, ...]
    criteria: tuple[Criterion, ...] = ()
    scale: int = 5
    given: Mapping[str, float] = field(default_factory=dict)
    both_bad: bool = False
    note: str = ""
    correction: str | None = None
    correction_for: Literal[0, 1] = 0


@dataclass(frozen=True, slots=True)
class RatingProgress:
    """How far a rater is.

    Attributes:
        done: items that this rater has rated or skipped, those shown once more among them.
        total: `done` and what is still there for this rater.
        all_raters_done: items that all raters together have rated.
        seconds_per_item: this rater's median; None before the first.
        seconds_left: for what is still there, by that median.
    """

    done: int
    total: int
    all_raters_done: int
    seconds_per_item: float | None
    seconds_left: float | None


class RatingDesk:
    """One rater's place at a run. Cheap to make: make a new one whenever it is needed.

    Args:
        rater: the rater's name; case and spaces make no other rater of it.

    Raises UsageError for a name that is none, UnknownName for an unknown run, RunError for a deleted one.
    """

    def __init__(self, workspace: Workspace, run: str, rater: str) -> None:
        raise NotImplementedError

    def next(self) -> Shown | None:
        """The item that is open for this rater, else a new one; None when there is nothing left."""
        raise NotImplementedError

    def show(self, item: str) -> Shown:
        """An item that this rater got, once more, with what they said of it. Raises UnknownName."""
        raise NotImplementedError

    def rate(
        self,
        item: str,
        value: float | Mapping[str, float],
        *,
        both_bad: bool = False,
        note: str = "",
        correction: str | None = None,
        correction_for: Literal[0, 1] = 0,
        seconds: float | None = None,
    ) -> None:
        """Keeps what the rater says; it is committed when this returns.

        The same said twice counts once; something else replaces what was said before, which stays in
        the history. A likert item is done once each criterion has a value; until then `next` gives it
        again, so that every key can be kept as it is pressed.

        Args:
            value: thumbs 1 or 0; of a pair 1 where the first text is better, 0 where the second is, 0.5
                for a tie; likert: from 1 to `scale` by criterion (a plain number where there is one).
            both_bad: a tie in which neither is acceptable; only with 0.5.
            correction: a better answer than `texts[correction_for]`.
            seconds: how long it took; default: since the item was shown.

        Raises UsageError for a value that is none, UnknownName for an item that this rater did not get.
        """
        raise NotImplementedError

    def skip(self, item: str) -> None:
        """Leaves an item unrated; it does not come back to this rater, but to others."""
        raise NotImplementedError

    def undo(self) -> Shown | None:
        """Takes back the last item that this rater rated or skipped, and shows it again; None without one.

        Again and again it goes further back; `next` then leads forward through the same items.
        """
        raise NotImplementedError

    def progress(self) -> RatingProgress:
        """How far this rater is, and all together."""
        raise NotImplementedError


def default_plan(workspace: Workspace, run: str) -> RatingPlan:
    """How a run is rated: as somebody said before, else by pairs (by thumbs where it has one cell)."""
    raise NotImplementedError


def start_rating(workspace: Workspace, run: str, plan: RatingPlan) -> RatingPlan:
    """Says how a run is rated from now on, and returns it. Ratings given before stay.

    Raises UsageError where the plan does not fit the run, such as pairs of one cell.
    """
    raise NotImplementedError
