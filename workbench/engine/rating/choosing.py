"""Which item a rater gets next.

Pairs: what others have begun and the plan wants seen by more raters comes first; else, with the
plan's `random_share`, any row of any pair, so that estimates stay honest; else a random row of the
two cells whose order is the least certain. Single outputs: the rows in an order drawn by the plan's
seed, all cells of one row before the next. The question is read once so, and whoever grows stricter
over the hours does so for all cells alike; the cells' order within a row is shuffled, since the first
answer colours the second.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from workbench.core.rating import Chosen, RatingPlan
from workbench.engine.rating.ledger import Key, Ledger, Target
from workbench.engine.rating.offer import Offer, Units
from workbench.statistics import most_uncertain_pairs

AGAIN_AFTER = 8
"""So many items lie at least between an item and its return: fewer, and the rater remembers."""
TRIES = 200
MOST_FITTED = 64
"""Cells whose strengths are fitted anew for each item, which takes 20 to 30 ms."""

Counts = npt.NDArray[np.float64]
Places = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Choice:
    """What to show next, and why; `first` is the cell to stand first, None for a single output."""

    key: Key
    chosen: Chosen
    first: int | None


def choose(
    plan: RatingPlan,
    offer: Offer,
    ledger: Ledger,
    rater: str,
    opened: Mapping[Key, set[str]],
    dice: random.Random,
) -> Choice | None:
    """The rater's next item; None when there is nothing left for them.

    Args:
        opened: by key, the other raters before whom it lies now.
    """
    table = _Table(plan, offer, ledger, rater, opened)
    if dice.random() < plan.again_share and (again := _again(ledger, offer, rater, dice)) is not None:
        return again
    if plan.mode != "pairwise":
        key = _next_output(table, dice)
        return None if key is None else Choice(key, "random", None)
    chosen: Chosen = "random" if dice.random() < plan.random_share else "uncertain"
    found = table.begun()
    if found is not None:
        key, chosen = found
    else:
        drawn = _any_pair(table, dice) if chosen == "random" else _uncertain_pair(table, dice)
        if drawn is None:
            return None
        key = drawn
    return Choice(key, chosen, _first(ledger, rater, key[0], dice))


class _Table:
    """What is still free for one rater."""

    def __init__(
        self,
        plan: RatingPlan,
        offer: Offer,
        ledger: Ledger,
        rater: str,
        opened: Mapping[Key, set[str]],
    ) -> None:
        self.plan, self.offer, self.ledger, self.rater = plan, offer, ledger, rater
        self._seen = ledger.seen.get(rater, {})
        self.shut: dict[Target, set[int]] = {}
        for key, others in opened.items():
            if len({*others, *ledger.holders.get(key, ())}) >= plan.overlap:
                self.shut.setdefault(key[0], set()).add(key[1])

    def free(self, target: Target) -> Units:
        """Units of a target that this rater may get."""
        units = self.offer.usable(target).copy()
        for gone in (self._seen.get(target), self.ledger.full.get(target), self.shut.get(target)):
            if gone:
                units[np.fromiter(gone, dtype=np.int64, count=len(gone))] = False
        return units

    def is_free(self, target: Target, unit: int) -> bool:
        """The same of one unit."""
        return (
            unit not in self._seen.get(target, ())
            and unit not in self.ledger.full.get(target, ())
            and unit not in self.shut.get(target, ())
            and bool(self.offer.usable(target)[unit])
        )

    def begun(self) -> tuple[Key, Chosen] | None:
        """What somebody else has rated and the plan wants seen by more, the oldest first."""
        if self.plan.overlap == 1:
            return None
        for target, unit in self.ledger.begun:
            if self.offer.covers(target, unit) and self.is_free(target, unit):
                return (target, unit), self.ledger.reasons[target, unit]
        return None


def _any_pair(table: _Table, dice: random.Random) -> Key | None:
    """One of all free pairs, each as likely as any other."""
    targets, units = table.offer.targets, table.offer.there.shape[1]
    for _ in range(TRIES):
        target, unit = targets[dice.randrange(len(targets))], dice.randrange(units)
        if table.offer.covers(target, unit) and table.is_free(target, unit):
            return target, unit
    counts = [int(table.free(target).sum()) for target in targets]
    if not any(counts):
        return None
    target = dice.choices(targets, counts)[0]
    return target, _one_of(table.free(target), dice)


def _uncertain_pair(table: _Table, dice: random.Random) -> Key | None:
    """A random row of the two cells of which one more rating tells most, and that have a row left."""
    cells = sorted({cell for target in table.offer.targets for cell in target if cell is not None})
    dice.shuffle(cells)  # pairs that tell equally much come in any order
    grid = np.ix_(cells, cells)
    wins, ties = table.ledger.wins[grid], table.ledger.ties[grid]
    for first, second in zip(*(fitted if len(cells) <= MOST_FITTED else counted)(wins, ties), strict=True):
        cell, other = sorted((cells[first], cells[second]))
        free = table.free((cell, other))
        if free.any():
            return (cell, other), _one_of(free, dice)
    return None


def fitted(wins: Counts, ties: Counts) -> tuple[Places, Places]:
    """The pairs in the order of what one more rating is expected to tell, all ratings taken together."""
    found = most_uncertain_pairs(wins, ties)
    return found.first, found.second


def counted(wins: Counts, ties: Counts) -> tuple[Places, Places]:
    """The same from each pair's own ratings alone: the largest variance of its win rate first.

    For many cells, whose strengths cannot be fitted between one key and the next.
    """
    first, second = np.triu_indices(len(wins), 1)
    won, lost = (wins[at] + ties[at] / 2 + 1 for at in ((first, second), (second, first)))
    n = won + lost
    order = np.argsort(-won * lost / (n * n * (n + 1)), kind="stable")
    return first[order], second[order]


def _next_output(table: _Table, dice: random.Random) -> Key | None:
    """The next single output: of the row at hand, else of a row that nobody is at, else of any."""
    targets = table.offer.targets
    free = np.stack([table.free(target) for target in targets])
    left: Units = np.asarray(free.any(axis=0))
    if not left.any():
        return None
    order = np.random.default_rng(table.plan.seed).permutation(len(left))
    unit = _row_at_hand(table, left)
    if unit is None:
        waiting = order[left[order]]
        begun: Units = np.zeros(len(left), dtype=np.bool_)
        if table.plan.overlap == 1:  # with more raters a row, all go the same way
            for units in (*table.ledger.taken.values(), *table.shut.values()):
                begun[list(units)] = True
        fresh = waiting[~begun[waiting]]
        unit = int(fresh[0] if len(fresh) else waiting[0])
    return targets[_one_of(free[:, unit], dice)], unit


def _row_at_hand(table: _Table, left: Units) -> int | None:
    for item in reversed(table.ledger.items_of.get(table.rater, {})):
        known = table.ledger.items[item]
        if known.chosen != "again":
            return known.key[1] if left[known.key[1]] else None
    return None


def _again(ledger: Ledger, offer: Offer, rater: str, dice: random.Random) -> Choice | None:
    """An item of this rater's once more, two outputs the other way round; None while none is old enough."""
    items = [ledger.items[item] for item in ledger.items_of.get(rater, ()) if ledger.is_complete(item)]
    repeated = {known.key for known in items if known.chosen == "again"}
    old = [
        known
        for known in items[:-AGAIN_AFTER]
        if known.chosen not in ("again", "import") and known.key not in repeated and offer.covers(*known.key)
    ]
    if not old:
        return None
    known = dice.choice(old)
    cell, other = known.key[0]
    return Choice(known.key, "again", None if other is None else cell if known.first == other else other)


def _first(ledger: Ledger, rater: str, target: Target, dice: random.Random) -> int | None:
    """Which of two cells stands first: the one that did so less often for this rater, else either."""
    cell, other = target
    if other is None:
        return None
    lean = ledger.lean.get(rater) or Counter()
    difference = lean.get(cell, 0) - lean.get(other, 0)
    if difference == 0:
        return dice.choice((cell, other))
    return other if difference > 0 else cell


def _one_of(mask: Units, dice: random.Random) -> int:
    places = np.flatnonzero(mask)
    return int(places[dice.randrange(len(places))])
