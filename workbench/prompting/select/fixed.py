"""The first rows of the pool, the same for every question: what the prompts share is computed once."""

from __future__ import annotations

from workbench.prompting.select import selector
from workbench.prompting.select.pool import Pool, Row


@selector("fixed")
class Fixed:
    """The first `count` rows in file order."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    def select(self, row: Row) -> list[Row]:
        """The first rows that are not `row` itself."""
        return self._pool.take(range(len(self._pool.rows)), row)
