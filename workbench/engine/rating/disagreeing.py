"""The rows on which raters disagree most, so that one can look at what they saw.

disputed_rows(given, row_ids)  ->  (DisputedRow("row-17", 0.67, raters=("ada", "bob"), cells=(0, 3)), …)
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from workbench.core.rating import Rating
from workbench.engine.rating.given import Given

MOST_ROWS = 200


@dataclass(frozen=True, slots=True)
class DisputedRow:
    """A row of which raters said different things.

    Attributes:
        disagreement: the mean difference of two raters of the same item, as a share of the largest
            possible one: 0 all say the same, 1 each two say the opposite.
        pairs: of two ratings of the same item by two raters, that this is a mean of.
        cells: whose outputs they disagree on most.
        said: who gave what to these, as (rater, value), the value of a pair for its first cell.
    """

    row_id: str
    position: int
    disagreement: float
    pairs: int
    raters: tuple[str, ...]
    cells: tuple[int, ...]
    said: tuple[tuple[str, float], ...]
    criterion: str = ""


def disputed_rows(found: Given, row_ids: Sequence[str]) -> tuple[DisputedRow, ...]:
    """Rows with any disagreement, the most disputed first; of equals the one with more ratings."""
    items: dict[tuple[Any, ...], dict[str, Rating]] = defaultdict(dict)
    for one in found.ratings:
        items[one.position, one.repeat, one.mode, one.cell, one.other, one.criterion][one.rater] = one
    of_row: dict[int, list[tuple[float, int, list[Rating]]]] = defaultdict(list)
    for key, by_rater in items.items():
        if len(by_rater) > 1:
            ratings = list(by_rater.values())
            apart = [_apart(one, two) for one, two in itertools.combinations(ratings, 2)]
            of_row[key[0]].append((sum(apart), len(apart), ratings))
    lines = []
    for position, parts in of_row.items():
        total, pairs = sum(part[0] for part in parts), sum(part[1] for part in parts)
        if not total or position >= len(row_ids):
            continue
        worst = max(parts, key=lambda part: part[0] / part[1])[2]
        first = worst[0]
        lines.append(
            DisputedRow(
                row_id=row_ids[position],
                position=position,
                disagreement=total / pairs,
                pairs=pairs,
                raters=tuple(sorted({one.rater for part in parts for one in part[2]})),
                cells=(first.cell,) if first.other is None else (first.cell, first.other),
                said=tuple((one.rater, float(one.value or 0)) for one in worst),
                criterion=first.criterion,
            )
        )
    lines.sort(key=lambda line: (-line.disagreement, -line.pairs, line.position))
    return tuple(lines[:MOST_ROWS])


def _apart(one: Rating, two: Rating) -> float:
    widest = max(one.scale or 2, two.scale or 2) - 1 if one.mode == "likert" else 1
    return abs(float(one.value or 0) - float(two.value or 0)) / widest
