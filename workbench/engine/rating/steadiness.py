"""Each rater alone: do they say the same twice, does the text shown first win too often, how fast are they.

steadiness(given, confidence)
(RaterSteadiness(rater=None, ratings=240, same=0.88 [0.71, 0.96], first_won=0.52 [0.45, 0.59], …), …)
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from workbench.core.rating import Rating
from workbench.core.run import MetricEstimate
from workbench.engine.rating.given import Given, item_of
from workbench.statistics import proportion


@dataclass(frozen=True, slots=True)
class RaterSteadiness:
    """One rater alone (`rater` None: all together).

    Attributes:
        ratings: how many they gave, items shown once more among them.
        same: the share of items shown once more of which they said exactly the same.
        apart: of Likert ratings, the mean number of steps between the two; NaN without any.
        first_won: of the pairs that they decided, the share in which the text shown first won; 0.5 is
            no bias.
        ties: share of their pairs that they called a tie; NaN without pairs.
        seconds: their median time for an item; None where it is not known.
    """

    rater: str | None
    ratings: int
    same: MetricEstimate
    apart: float
    first_won: MetricEstimate
    ties: float
    seconds: float | None


def steadiness(found: Given, confidence: float) -> tuple[RaterSteadiness, ...]:
    if not found.raters:
        return ()
    every = [*found.ratings, *found.again]
    mine: dict[str, list[Rating]] = defaultdict(list)
    again: dict[str, list[Rating]] = defaultdict(list)
    for one in every:
        mine[one.rater].append(one)
    for one in found.again:
        again[one.rater].append(one)
    before = {(one.rater, item_of(one)): one.value for one in found.ratings}
    lines = [_steady(None, every, found.again, before, confidence)]
    lines += [
        _steady(rater, mine[rater], again[rater], before, confidence)
        for rater in sorted(mine, key=lambda rater: (-len(mine[rater]), rater))
    ]
    return tuple(lines)


def _steady(
    rater: str | None,
    ratings: Sequence[Rating],
    again: Sequence[Rating],
    before: Mapping[tuple[str, tuple[Any, ...]], float | None],
    confidence: float,
) -> RaterSteadiness:
    twice = [(before.get((one.rater, item_of(one))), one) for one in again]
    twice = [(earlier, one) for earlier, one in twice if earlier is not None]
    same = proportion(
        np.array([earlier == one.value for earlier, one in twice], dtype=np.float64),
        [one.position for _, one in twice],
        confidence,
    )
    steps = [
        abs(float(one.value or 0) - float(earlier or 0)) for earlier, one in twice if one.mode == "likert"
    ]
    pairs = [one for one in ratings if one.mode == "pairwise"]
    placed = [one for one in pairs if one.value in (0.0, 1.0) and one.first in (one.cell, one.other)]
    first_won = proportion(
        np.array([(one.value == 1) == (one.first == one.cell) for one in placed], dtype=np.float64),
        [one.position for one in placed],
        confidence,
    )
    times = [one.seconds for one in ratings if one.seconds is not None]
    return RaterSteadiness(
        rater=rater,
        ratings=len(ratings),
        same=MetricEstimate(**asdict(same)),
        apart=float(np.mean(steps)) if steps else float("nan"),
        first_won=MetricEstimate(**asdict(first_won)),
        ties=sum(one.value == 0.5 for one in pairs) / len(pairs) if pairs else float("nan"),
        seconds=float(np.median(times)) if times else None,
    )
