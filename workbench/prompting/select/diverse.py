"""Rows that are near the question and unlike each other: maximal marginal relevance.

One row after another is taken, each time the one with the highest

    0.5 × likeness to the question − 0.5 × likeness to the nearest row already taken

among the 100 rows nearest to the question (Carbonell, Goldstein: The Use of MMR, SIGIR 1998).
"""

from __future__ import annotations

from typing import Any

from workbench.prompting.select import selector
from workbench.prompting.select.pool import Pool, Row
from workbench.prompting.select.similar import TextSpace

RELEVANCE = 0.5
NEAREST = 100


@selector("diverse")
class Diverse:
    """`count` rows by maximal marginal relevance, the nearest one last."""

    def __init__(self, pool: Pool) -> None:
        self._pool, self._space = pool, TextSpace(pool)

    def select(self, row: Row) -> list[Row]:
        """Rows in the reverse of the order in which they were taken."""
        likeness = self._space.likeness(row)
        own = self._pool.own(row)
        near = [place for place in (-likeness).argsort(kind="stable").tolist() if place not in own]
        near = near[: max(NEAREST, self._pool.count)]
        return [self._pool.rows[place] for place in self._spread(near, likeness)][::-1]

    def _spread(self, near: list[int], likeness: Any) -> list[int]:
        import numpy

        if not near or self._space.vectors is None:
            return near[: self._pool.count]
        vectors = self._space.vectors[near]
        between = numpy.asarray((vectors @ vectors.T).todense())
        relevance = RELEVANCE * likeness[near]
        repeated = numpy.zeros(len(near))
        taken: list[int] = []
        while len(taken) < min(self._pool.count, len(near)):
            worth = relevance - (1 - RELEVANCE) * repeated
            worth[taken] = -numpy.inf
            best = int(worth.argmax())
            taken.append(best)
            repeated = numpy.maximum(repeated, between[best])
        return [near[index] for index in taken]
