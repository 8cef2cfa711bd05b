"""The ratings of a run that count, as what is computed from them needs them.

    given(workspace, run)  ->  Given(cells=(…), ratings=(Rating(…), …), again=(…), left_out=0)

An item shown to a rater once more tells how steady the rater is and nothing new of the cells, so that
such ratings stand apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from workbench.core.rating import Mode, Rating
from workbench.core.run import Cell
from workbench.engine.plan import stored_cells
from workbench.engine.records import get_run, repeats_of
from workbench.engine.workspace import Workspace

IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Given:
    """Ratings that count, oldest first.

    Attributes:
        cells: all cells of the run.
        ratings: of outputs of these cells, without those of items shown once more.
        again: those of items shown once more to the same rater.
        left_out: how many ratings are of cells or rows that the run does not have.
    """

    cells: tuple[Cell, ...]
    ratings: tuple[Rating, ...]
    again: tuple[Rating, ...] = ()
    left_out: int = 0

    def of(self, mode: Mode, criterion: str | None = None) -> list[Rating]:
        """Those of one mode, and of one criterion where it is named."""
        ratings = [one for one in self.ratings if one.mode == mode]
        return ratings if criterion is None else [one for one in ratings if one.criterion == criterion]

    @property
    def criteria(self) -> list[str]:
        """What was rated on the Likert scale, in the order in which it first was."""
        return list(dict.fromkeys(one.criterion for one in self.ratings if one.mode == "likert"))

    @property
    def raters(self) -> list[str]:
        """Who rated, by name."""
        return sorted({one.rater for one in (*self.ratings, *self.again)})


@dataclass(frozen=True)
class PairColumns:
    """Ratings of pairs as columns, one entry a rating: `outcome` 1, 0.5 or 0 for the cell `first`."""

    first: IntArray
    second: IntArray
    outcome: FloatArray
    row: IntArray
    repeat: IntArray


def given(workspace: Workspace, run: str) -> Given:
    """The ratings of a run that count. Raises UnknownName for a run that is not there or deleted."""
    record = get_run(workspace, run)
    cells = stored_cells(record)
    there = {None, *(cell.index for cell in cells)}
    rows = workspace.store.runs.count_rows(record.row_set)
    repeats = repeats_of(record)
    current = workspace.store.ratings.current(run)
    known = [
        one
        for one in current
        if one.cell in there and one.other in there and one.position < rows and one.repeat < repeats
    ]
    return Given(
        cells=cells,
        ratings=tuple(one for one in known if one.chosen != "again"),
        again=tuple(one for one in known if one.chosen == "again"),
        left_out=len(current) - len(known),
    )


def item_of(one: Rating) -> tuple[Any, ...]:
    """What a rating is about, whoever gave it: the same for everybody's ratings of the same texts."""
    return (one.mode, one.criterion, one.position, one.repeat, one.cell, one.other)


def values_of(ratings: Sequence[Rating]) -> FloatArray:
    """The values of ratings, NaN for one without."""
    return np.array([np.nan if one.value is None else one.value for one in ratings], dtype=np.float64)


def pair_columns(ratings: Sequence[Rating]) -> PairColumns:
    """The pairwise ratings among these."""
    pairs = [one for one in ratings if one.mode == "pairwise" and one.other is not None]

    def whole(values: list[int]) -> IntArray:
        return np.array(values, dtype=np.int64)

    return PairColumns(
        first=whole([one.cell for one in pairs]),
        second=whole([one.other or 0 for one in pairs]),
        outcome=values_of(pairs),
        row=whole([one.position for one in pairs]),
        repeat=whole([one.repeat for one in pairs]),
    )
