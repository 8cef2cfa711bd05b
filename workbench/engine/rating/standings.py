"""What a leaderboard holds: each cell's standing, every pair, thumbs and Likert means; and its JSON.

Standing(cell=Cell(…), strength=0.84, low=0.51, high=1.17, win_rate=0.71, …, n=214)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from workbench.core.run import Cell, MetricEstimate
from workbench.engine.reporting import cell_json, estimate_json, number


@dataclass(frozen=True, slots=True)
class Standing:
    """A cell by its pairwise ratings.

    Attributes:
        strength, low, high: on the log scale, mean zero; a difference of 1 is odds of e to 1.
        beats_average: the chance to be preferred to a cell of strength 0.
        win_rate, win_low, win_high: share of its ratings it won, a tie counting half.
        n: ratings it was in.
    """

    cell: Cell
    strength: float
    low: float
    high: float
    beats_average: float
    win_rate: float
    win_low: float
    win_high: float
    n: int


@dataclass(frozen=True, slots=True)
class PairRecord:
    """How two cells did against each other: times that `first` was preferred, and so on.

    `undecided`: the interval of the difference of their strengths holds 0. `both_bad` of the ties were
    of two outputs of which neither is acceptable.
    """

    first: Cell
    second: Cell
    wins: int
    ties: int
    losses: int
    both_bad: int
    undecided: bool

    @property
    def n(self) -> int:
        """Ratings of the two."""
        return self.wins + self.ties + self.losses

    @property
    def win_rate(self) -> float:
        """Share that `first` won, a tie counting half."""
        return (self.wins + self.ties / 2) / self.n if self.n else float("nan")


@dataclass(frozen=True, slots=True)
class RatedShare:
    """A cell's thumbs (share of thumbs up), or its mean on one criterion."""

    cell: Cell
    estimate: MetricEstimate
    criterion: str = ""
    scale: int | None = None


@dataclass(frozen=True, slots=True)
class Leaderboard:
    """All that ratings say of a run's cells, or of their outputs for some of its rows.

    Attributes:
        cells: rated in pairs, best lower bound first.
        pairs: every two of these cells, rated or not.
        undecided: the share of these pairs that are undecided; NaN with fewer than two cells.
        ratings_to_settle: about how many more ratings of the two best cells would tell them apart; 0 where
            they are, None where no number can be named or there is nothing to settle.
        connected: whether chains of ratings connect all cells; where not, the prior alone places some.
        thumbs, likert: best lower bound first; `likert` criterion by criterion.
        raters, rows, ratings: who rated, how many rows, how many ratings (of a criterion, each counted).
        left_out: ratings of cells that the run does not have.
        by, value: the rows it is about, where it is not about all.
    """

    run: str
    cells: tuple[Standing, ...]
    pairs: tuple[PairRecord, ...]
    undecided: float
    ratings_to_settle: int | None
    connected: bool
    thumbs: tuple[RatedShare, ...]
    likert: tuple[RatedShare, ...]
    raters: tuple[str, ...]
    rows: int
    ratings: int
    left_out: int = 0
    by: str | None = None
    value: str | None = None
    confidence: float = 0.95

    @property
    def leads_alone(self) -> bool:
        """Whether the first cell is told apart from every other one."""
        first = self.cells[0].cell if self.cells else None
        mine = [pair for pair in self.pairs if first in (pair.first, pair.second)]
        return bool(mine) and not any(pair.undecided for pair in mine)


def leaderboard_json(board: Leaderboard) -> dict[str, Any]:
    """The leaderboard as DESIGN section 6 has it, and what else is known."""
    numbers = ("strength", "low", "high", "win_rate", "win_low", "win_high", "beats_average", "n")
    return {
        "run": board.run,
        "cells": [
            {**cell_json(one.cell), **{key: number(getattr(one, key)) for key in numbers}}
            for one in board.cells
        ],
        "undecided": number(board.undecided),
        "ratings_to_settle": board.ratings_to_settle,
        "thumbs": [_share_json(one) for one in board.thumbs],
        "likert": [_share_json(one) for one in board.likert],
        "ratings": board.ratings,
        "raters": len(board.raters),
        "rows": board.rows,
        **({"by": board.by, "value": board.value} if board.by else {}),
    }


def _share_json(one: RatedShare) -> dict[str, Any]:
    criterion = {"criterion": one.criterion, "scale": one.scale} if one.criterion else {}
    values = estimate_json(one.estimate)
    del values["unscored"]
    return {**cell_json(one.cell), **criterion, **values}
