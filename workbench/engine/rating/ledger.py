"""What has been said of a run's outputs so far, counted up rating by rating as they are appended.

ledger.take(table.said_after(ledger.last_id))     only what is new is read
ledger.holders[(0, 3), 17]                        raters of row 17's pair of cells 0 and 3
"""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from statistics import median

import numpy as np

from workbench.core.rating import Chosen, RatingPlan
from workbench.storage.rating_items import Said

Target = tuple[int, int | None]
"""A cell, or two of them, the smaller index first."""
Key = tuple[Target, int]
"""What is rated: a target and a unit (a row's position times the repeats, plus the repeat)."""

REMEMBERED = 50
"""Of how many ratings the seconds per item are the median."""
IMPORTED = "import"


@dataclass(slots=True)
class Known:
    """An item of which something has been said, and its values that count, by criterion."""

    rater: str
    key: Key
    chosen: Chosen
    first: int | None
    values: dict[str, float] = field(default_factory=dict)


class Ledger:
    """Counts of all ratings of a run in the mode of one plan.

    Attributes:
        last_id: the newest rating that is counted.
        items: by item, what is known of it.
        items_of: by rater, their items of which something was said, in that order.
        holders: by key, the raters whose rating of it counts, each with how many of their items it is.
            Imported ratings are no holder: they take no work away from people.
        begun: the keys that have holders, but fewer than the plan wants.
        taken, full: by target, the units that somebody has rated; that as many as the plan wants have.
        reasons: by key, why it was shown to the first of its holders.
        seen: by rater and target, the units that the rater said something of.
        rated: by rater, items that count.
        wins, ties: wins[a, b] counts how often cell a was preferred to cell b, ties[a, b] how often the
            two tied; imported ratings too.
        lean: by rater and cell, how much more often it stood first than second.
        seconds: by rater, how long the last items took.
    """

    def __init__(self, plan: RatingPlan, cells: int, repeats: int) -> None:
        self.last_id = 0
        self.items: dict[str, Known] = {}
        self.items_of: dict[str, dict[str, None]] = defaultdict(dict)
        self.holders: dict[Key, Counter[str]] = {}
        self.reasons: dict[Key, Chosen] = {}
        self.begun: dict[Key, None] = {}
        self.taken: dict[Target, set[int]] = defaultdict(set)
        self.full: dict[Target, set[int]] = defaultdict(set)
        self.seen: dict[str, dict[Target, set[int]]] = defaultdict(lambda: defaultdict(set))
        self.rated: Counter[str] = Counter()
        self.wins = np.zeros((cells, cells))
        self.ties = np.zeros((cells, cells))
        self.lean: dict[str, Counter[int]] = defaultdict(Counter)
        self.seconds: dict[str, deque[float]] = defaultdict(lambda: deque(maxlen=REMEMBERED))
        self._mode, self._overlap, self._repeats = plan.mode, plan.overlap, repeats
        self._criteria = [criterion.name for criterion in plan.criteria] or [""]

    def take(self, said: Iterable[Said]) -> None:
        """Counts ratings that were appended since; those of another mode are passed over."""
        for one in said:
            self.last_id = max(self.last_id, one.id)
            if one.mode == self._mode and max(one.cell, one.other or 0) < len(self.wins):
                self._count(one)

    def is_complete(self, item: str) -> bool:
        """Whether each criterion of an item has a value."""
        known = self.items.get(item)
        return known is not None and all(name in known.values for name in self._criteria)

    def seconds_per_item(self, rater: str) -> float | None:
        """The median of this rater's last ratings, None before the first."""
        return median(self.seconds[rater]) if self.seconds[rater] else None

    def _count(self, said: Said) -> None:
        known = self.items.get(said.item)
        if known is None:
            key = ((said.cell, said.other), said.position * self._repeats + said.repeat)
            known = self.items[said.item] = Known(said.rater, key, said.chosen, said.first)
            self.items_of[said.rater][said.item] = None
            self.seen[said.rater][key[0]].add(key[1])
            if said.other is not None and said.first is not None:
                second = said.other if said.first == said.cell else said.cell
                self.lean[said.rater][said.first] += 1
                self.lean[said.rater][second] -= 1
        before = self.is_complete(said.item)
        if said.other is not None:
            self._prefer(said, known.values.get(said.criterion), -1)
            self._prefer(said, said.value, 1)
        if said.value is None:
            if said.criterion in known.values:
                del known.values[said.criterion]
        else:
            known.values[said.criterion] = said.value
        after = self.is_complete(said.item)
        if after != before:
            self._hold(known, 1 if after else -1)
        if after and not before and said.seconds is not None:
            self.seconds[said.rater].append(said.seconds)

    def _prefer(self, said: Said, value: float | None, sign: int) -> None:
        if value is None or said.other is None:
            return
        cell, other = said.cell, said.other
        if value == 0.5:
            self.ties[cell, other] += sign
            self.ties[other, cell] += sign
        elif value > 0.5:
            self.wins[cell, other] += sign
        else:
            self.wins[other, cell] += sign

    def _hold(self, known: Known, sign: int) -> None:
        if known.chosen == IMPORTED:
            return
        self.rated[known.rater] += sign
        raters = self.holders.setdefault(known.key, Counter())
        self.reasons.setdefault(known.key, known.chosen)
        raters[known.rater] += sign
        if raters[known.rater] <= 0:
            del raters[known.rater]
        if 0 < len(raters) < self._overlap:
            self.begun[known.key] = None
        else:
            self.begun.pop(known.key, None)
        target, unit = known.key
        for units, holds in ((self.taken, bool(raters)), (self.full, len(raters) >= self._overlap)):
            if holds:
                units[target].add(unit)
            else:
                units[target].discard(unit)
