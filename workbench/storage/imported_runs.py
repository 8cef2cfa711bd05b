"""Runs that were made elsewhere: written whole, in one transaction, or not at all."""

from __future__ import annotations

import datetime
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Table, insert, select

from workbench.core.rating import Rating
from workbench.core.run import Output
from workbench.storage.database import Database
from workbench.storage.outputs import output_values
from workbench.storage.ratings import rating_values
from workbench.storage.scores import CellScores, score_values
from workbench.storage.tables import outputs, ratings, row_sets, runs, scores

BATCH_ROWS = 500
BATCH_CHARACTERS = 1_000_000


@dataclass(frozen=True)
class ImportedContent:
    """All that a run made elsewhere consists of; rows and outputs are read once, as they are written.

    `rows` are (position, row id, row as JSON).
    """

    run: str
    name: str
    definition: dict[str, Any]
    row_set: str
    rows: Iterable[tuple[int, str, str]]
    outputs: Iterable[Output]
    total: int
    errors: int
    cost_usd: float
    message: str = ""
    scores: Sequence[CellScores] = ()
    ratings: Sequence[Rating] = field(default_factory=list)


class ImportedRuns:
    """Writes runs that are complete from the start."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, content: ImportedContent) -> None:
        """Stores the run with its rows, outputs, scores and ratings. Raises StorageError, storing nothing."""
        now = datetime.datetime.now(datetime.UTC)
        seconds = time.time()
        with self._database.write() as connection:
            known = connection.execute(
                select(row_sets.c.position).where(row_sets.c.hash == content.row_set).limit(1)
            ).first()
            if known is None:
                values = (
                    {"hash": content.row_set, "position": position, "row_id": row_id, "row": row}
                    for position, row_id, row in content.rows
                )
                _insert(connection, row_sets, values)
            connection.execute(
                insert(runs).values(
                    id=content.run,
                    experiment=content.name,
                    definition=content.definition,
                    dataset=content.name,
                    row_set=content.row_set,
                    owner="import",
                    status="completed",
                    message=content.message,
                    total=content.total,
                    done=content.total,
                    errors=content.errors,
                    cost_usd=content.cost_usd,
                    created_at=now,
                    finished_at=now,
                )
            )
            _insert(
                connection, outputs, (output_values(content.run, one, seconds) for one in content.outputs)
            )
            _insert(connection, scores, (score_values(content.run, one) for one in content.scores))
            _insert(connection, ratings, (rating_values(one, now) for one in content.ratings))


def _insert(connection: Connection, table: Table, values: Iterable[dict[str, Any]]) -> None:
    for batch in _batches(values):
        connection.execute(insert(table), batch)


def _batches(values: Iterable[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    """Lists of bounded length, counted in rows and in characters."""
    batch: list[dict[str, Any]] = []
    characters = 0
    for one in values:
        batch.append(one)
        characters += sum(len(part) for part in one.values() if isinstance(part, (str, bytes)))
        if len(batch) >= BATCH_ROWS or characters >= BATCH_CHARACTERS:
            yield batch
            batch, characters = [], 0
    if batch:
        yield batch
