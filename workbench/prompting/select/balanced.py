"""The classes in turn, so that no label is shown more often than another by more than one.

Zhao, Wallace, Feng, Klein, Singh: Calibrate Before Use (arXiv:2102.09690) shows how a prompt with
uneven labels pulls the answers towards the frequent one.
"""

from __future__ import annotations

import itertools
import random

from workbench.errors import PromptError
from workbench.prompting.select import selector
from workbench.prompting.select.pool import Pool, Row


@selector("balanced")
class Balanced:
    """Round-robin over the values of `by`, else of the reference column; `seed` orders each class."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        column = pool.by or pool.reference
        if column is None:
            raise PromptError(
                "Balanced examples need a column to balance: write `examples.by`, or name the dataset's "
                "reference column."
            )
        classes: dict[str, list[int]] = {}
        for place, row in enumerate(pool.rows):
            classes.setdefault(str(pool.column(row, column)), []).append(place)
        numbers = random.Random(pool.seed)
        for places in classes.values():
            numbers.shuffle(places)
        self._classes = list(classes.values())

    def select(self, row: Row) -> list[Row]:
        """One row of each class, then a second one of each, up to `count`."""
        own = self._pool.own(row)
        left = [itertools.filterfalse(own.__contains__, places) for places in self._classes]
        rounds = itertools.chain.from_iterable(itertools.zip_longest(*left))
        in_turn = (place for place in rounds if place is not None)
        return [self._pool.rows[place] for place in itertools.islice(in_turn, self._pool.count)]
