"""Rows drawn anew for every question, the same ones in every process and on every run."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator

from workbench.prompting.select import selector
from workbench.prompting.select.pool import Pool, Row


@selector("random")
class Random:
    """A draw without repetition, decided by `seed` and the question's text."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    def select(self, row: Row) -> list[Row]:
        """`count` rows in random order."""
        return self._pool.take(_draws(len(self._pool.rows), f"{self._pool.seed}\n{self._pool.key(row)}"), row)


def _draws(size: int, key: str) -> Iterator[int]:
    # Python's own hash of a text differs between processes, so the seed is a digest
    digest = hashlib.sha256(key.encode("utf-8", "surrogatepass")).digest()
    numbers = random.Random(int.from_bytes(digest))
    moved: dict[int, int] = {}  # a shuffle that is only carried out as far as it is read
    for left in range(size, 0, -1):
        drawn = numbers.randrange(left)
        yield moved.get(drawn, drawn)
        moved[drawn] = moved.get(left - 1, left - 1)
