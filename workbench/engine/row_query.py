"""Which rows of a run to look at, and in which order: what the Compare page's filters say.

    RowQuery(only=("different", "wrong"), tag="ambiguous", sort="lost", versus=0)

Filters combine: a row is shown where all of them hold.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, get_args

from workbench.errors import UsageError

Only = Literal[
    "different", "wrong", "all_wrong", "one_right", "unanswered", "errors", "unscored", "regressed"
]
Sort = Literal[
    "row",
    "worst",
    "best",
    "gained",
    "lost",
    "disagreement",
    "longest",
    "shortest",
    "slowest",
    "costliest",
]


@dataclass(frozen=True, slots=True)
class ScoreRange:
    """Rows on which a cell scores from `low` to `high` by a metric; None is no bound, or any chosen cell."""

    metric: str
    cell: int | None = None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class RowQuery:
    """Filters and order of rows. All filters look at the chosen cells and at one repeat.

    Attributes:
        only: any of these, all of which must hold:
            `different` where the answers differ (no answer is one of them, an error is not);
            `wrong` where some chosen cell fails: scores below the metric's best, or is an error;
            `all_wrong` where every chosen cell fails; `one_right` where exactly one is right;
            `unanswered` where some output has no answer; `errors`;
            `unscored` where some output without an error has no score;
            `regressed` where some chosen cell scored better in the run `against`.
        contains: text in a column, an output or an answer; upper and lower case are the same.
        against: the other run, for `regressed`.
        scores: each must hold.
        column, value: rows with this value in this column, compared as text.
        tag: rows that carry this tag.
        repeat: which repeat is looked at, from 0.
        metric: what right, wrong, worst and best go by; default: the experiment's first.
        sort: `row` is the dataset's order; `worst` and `best` by the score of the cell `of`; `gained` and
            `lost` by how much it is better or worse than the cell `versus`; `disagreement` by how many
            different answers there are; the others by the cell `of`. What has no value comes last.
        of: the cell that `sort` is about; default: the last chosen one.
        versus: the cell that `gained` and `lost` compare with; default: the first chosen one.
    """

    only: tuple[Only, ...] = ()
    contains: str = ""
    against: str | None = None
    scores: tuple[ScoreRange, ...] = ()
    column: str | None = None
    value: str = ""
    tag: str = ""
    repeat: int = 0
    metric: str | None = None
    sort: Sort = "row"
    of: int | None = None
    versus: int | None = None

    def __post_init__(self) -> None:
        for name in self.only:
            if name not in get_args(Only):
                raise UsageError(f"'{name}' is no filter; use some of {', '.join(get_args(Only))}.")
        if self.sort not in get_args(Sort):
            raise UsageError(f"'{self.sort}' is no order of rows; use one of {', '.join(get_args(Sort))}.")
        if "regressed" in self.only and not self.against:
            raise UsageError("To see regressions, say which run to hold this one against.")
        bounds = [bound for one in self.scores for bound in (one.low, one.high) if bound is not None]
        if any(math.isnan(bound) for bound in bounds):
            raise UsageError("A bound of scores must be a number.")

    @property
    def filters(self) -> int:
        """How many filters narrow the rows down."""
        return len(self.only) + len(self.scores) + sum(map(bool, (self.contains, self.column, self.tag)))
