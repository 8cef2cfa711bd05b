"""What a rater sees: one item, blind, and how far they are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from workbench.core.rating import Criterion, Mode


@dataclass(frozen=True, slots=True)
class Draft:
    """What a rater has written beside an item and not sent yet; None: what was kept before still stands.

    `correction_for` is which of the item's texts the correction betters.
    """

    note: str | None = None
    correction: str | None = None
    correction_for: Literal[0, 1] = 0


@dataclass(frozen=True, slots=True)
class Shown:
    """What a rater sees of one item, and what they have said of it so far.

    Attributes:
        item: random hex that says nothing.
        row: what the models were asked of the row, by column, as text; without its id and the reference.
        texts: one whole output, or two of one row in the order in which they stand.
        criteria: likert: what is to be rated, each from 1 to `scale`.
        given: by criterion ("" unless likert), what this rater said already. Of a pair: 1 where the
            first text is better, 0 where the second is, 0.5 for a tie. Empty: nothing yet.
        correction_for: which of `texts` the correction betters.
        draft: what was written since and waits to be sent with the next rating.
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
    draft: Draft = Draft()


@dataclass(frozen=True, slots=True)
class RatingProgress:
    """How far a rater is.

    Attributes:
        done: items that this rater has rated or skipped, those shown once more among them.
        total: `done` and what is still there for this rater.
        all_raters_done: items that all raters together have rated.
        by_rater: the same of each rater.
        identical: pairs that are left out since both texts are the same, as far as was looked.
        seconds_per_item: this rater's median; None before the first.
        seconds_left: for what is still there, by that median.
    """

    done: int
    total: int
    all_raters_done: int
    seconds_per_item: float | None
    seconds_left: float | None
    by_rater: Mapping[str, int] = field(default_factory=dict)
    identical: int = 0
