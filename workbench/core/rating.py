"""A rating: what a person said of an output, or of two outputs of one row beside each other.

    Rating(run="20261121-…", item="3f9c…", rater="ada", mode="pairwise", cell=0, other=3, value=1.0, …)

Ratings are never changed. Who thinks again adds another one under the same `item`, and the last one
counts; a rating that is taken back is one without a value.
"""

from __future__ import annotations

import datetime
import re
from dataclasses import dataclass
from typing import Literal

from pydantic import Field, field_validator, model_validator

from workbench.core.document import Strict

Mode = Literal["thumbs", "likert", "pairwise"]
Chosen = Literal["uncertain", "random", "again", "import"]
"""Why an item was shown: it tells most, by chance, once more to see how steady a rater is; or imported."""

LONGEST_RATER = 60


class Criterion(Strict):
    """One thing that a Likert rating is about."""

    name: str = Field(pattern=r"^\S(.{0,58}\S)?$")
    description: str = ""


class RatingPlan(Strict):
    """How a run's outputs are rated: in which way, which of them, by how many."""

    mode: Mode = "pairwise"
    criteria: tuple[Criterion, ...] = Field((), description="likert: what is rated, each from 1 to `scale`")
    scale: int = Field(5, ge=2, le=9)
    cells: tuple[int, ...] = Field((), description="cells whose outputs are shown; empty: all")
    rows: int | None = Field(None, ge=1, description="at most this many rows, drawn by `seed`")
    overlap: int = Field(1, ge=1, le=100, description="how many raters see the same item")
    random_share: float = Field(
        0.2, ge=0, le=1, description="share of pairs drawn at random instead of the most uncertain ones"
    )
    again_share: float = Field(0.05, ge=0, le=0.5, description="share of items shown once more to a rater")
    seed: int = 0

    @model_validator(mode="after")
    def _likert_is_about_something(self) -> RatingPlan:
        names = [criterion.name.casefold() for criterion in self.criteria]
        if len(set(names)) < len(names):
            raise ValueError("two criteria have the same name")
        if self.mode == "likert" and not self.criteria:
            raise ValueError("likert ratings need at least one criterion")
        if self.mode != "likert" and self.criteria:
            raise ValueError(f"criteria have no meaning with mode `{self.mode}`")
        return self

    @field_validator("cells")
    @classmethod
    def _cells_once(cls, value: tuple[int, ...]) -> tuple[int, ...]:
        return tuple(dict.fromkeys(value))


@dataclass(frozen=True, slots=True)
class Rating:
    """One rating of one criterion of one item, as it was given.

    Attributes:
        item: names what was shown to whom; ratings of one item are one after the other, the last counts.
        position, repeat: the row's place in the run's rows, and which of its repeats.
        cell, other: the cell rated; for a pair both, `cell` the one with the smaller index.
        criterion: what was rated on the Likert scale; "" otherwise.
        value: thumbs 1 or 0; likert 1 to `scale`; pairwise 1 where `cell` is preferred, 0 where `other`
            is, 0.5 for a tie. None: the rating was taken back, or the item skipped.
        scale: the highest value of a Likert rating, else None.
        both_bad: a tie in which neither is acceptable.
        first: the cell that stood first (left), or None where that is not known.
        correction: a better answer that the rater wrote, for row and cell.
        corrects: the cell whose output the correction betters, None without a correction.
        seconds: how long the rater took, where that is known.
    """

    run: str
    item: str
    rater: str
    mode: Mode
    position: int
    repeat: int
    cell: int
    other: int | None = None
    criterion: str = ""
    value: float | None = None
    scale: int | None = None
    both_bad: bool = False
    first: int | None = None
    chosen: Chosen = "uncertain"
    note: str = ""
    correction: str | None = None
    corrects: int | None = None
    seconds: float | None = None
    created_at: datetime.datetime | None = None


def rater_name(text: str) -> str:
    """A rater's name as it is kept: one spelling whatever the case and spaces. Raises ValueError."""
    name = " ".join(text.split()).casefold()
    if not name:
        raise ValueError("a rater needs a name")
    if len(name) > LONGEST_RATER or re.search(r"[\x00-\x1f\x7f]", name):
        raise ValueError(f"a rater's name has at most {LONGEST_RATER} printable characters")
    return name
