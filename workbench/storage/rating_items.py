"""What was shown to whom: a run's items are given out one at a time, whoever asks at the same moment.

    with store.rating_items.exclusively(run) as table:
        table.open()                      what lies before raters now
        table.said_after(last_id)         what was said since, in the order of saying
        table.add(RatingItem(…))

Everything inside the block is one transaction that no other process of the same run overlaps.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Connection, func, insert, select, text

from workbench.core.rating import Chosen, Mode, Rating
from workbench.storage.database import Database
from workbench.storage.ratings import COLUMNS, rating_of, rating_values
from workbench.storage.tables import outputs, rating_items, ratings

SHOWN, RATED, SKIPPED, LAPSED = "shown", "rated", "skipped", "lapsed"
"""States of an item; lapsed: shown for too long, while others got the same."""


@dataclass(frozen=True, slots=True)
class RatingItem:
    """One row of `rating_items`; `number` counts the rater's items in this run, from 1.

    `draft`: the fields of an engine's `Draft` by name, None where nothing waits to be sent.
    """

    item: str
    run: str
    rater: str
    number: int
    mode: Mode
    position: int
    repeat: int
    cell: int
    other: int | None
    first: int | None
    chosen: Chosen
    state: str
    shown_at: float
    draft: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Said:
    """One appended rating in short: what the choice of the next item needs of it."""

    id: int
    item: str
    rater: str
    mode: Mode
    position: int
    repeat: int
    cell: int
    other: int | None
    criterion: str
    value: float | None
    first: int | None
    chosen: Chosen
    seconds: float | None


ITEM_COLUMNS = [rating_items.c[name] for name in RatingItem.__dataclass_fields__]
SAID_COLUMNS = [ratings.c[name] for name in Said.__dataclass_fields__]


class RatingTable:
    """A run's items and what was said of them, inside one transaction."""

    def __init__(self, connection: Connection, run: str) -> None:
        self._connection, self._run = connection, run

    def said_after(self, last_id: int) -> list[Said]:
        """Every rating after that id, oldest first."""
        query = select(*SAID_COLUMNS).where(ratings.c.run == self._run, ratings.c.id > last_id)
        return [Said(*row) for row in self._connection.execute(query.order_by(ratings.c.id))]

    def open(self) -> list[RatingItem]:
        """The items that are shown now, in the order in which their raters got them."""
        query = select(*ITEM_COLUMNS).where(rating_items.c.run == self._run, rating_items.c.state == SHOWN)
        return [RatingItem(*row) for row in self._connection.execute(query.order_by(rating_items.c.number))]

    def get(self, item: str) -> RatingItem | None:
        """An item of this run, or None."""
        query = select(*ITEM_COLUMNS).where(rating_items.c.run == self._run, rating_items.c.item == item)
        found = self._connection.execute(query).first()
        return None if found is None else RatingItem(*found)

    def last_number(self, rater: str) -> int:
        """How many items this rater got so far."""
        query = select(func.max(rating_items.c.number)).where(
            rating_items.c.run == self._run, rating_items.c.rater == rater
        )
        return int(self._connection.execute(query).scalar() or 0)

    def last_done(self, rater: str, mode: Mode) -> RatingItem | None:
        """The newest item that this rater rated or skipped in that mode."""
        query = (
            select(*ITEM_COLUMNS)
            .where(
                rating_items.c.run == self._run,
                rating_items.c.rater == rater,
                rating_items.c.mode == mode,
                rating_items.c.state.in_((RATED, SKIPPED)),
            )
            .order_by(rating_items.c.number.desc())
            .limit(1)
        )
        found = self._connection.execute(query).first()
        return None if found is None else RatingItem(*found)

    def said_of(self, item: str) -> dict[str, Rating]:
        """By criterion, the last rating of an item, taken back or not; the newest one last."""
        query = select(*COLUMNS).where(ratings.c.item == item, ratings.c.run == self._run)
        found: dict[str, Rating] = {}
        for row in self._connection.execute(query.order_by(ratings.c.id)):
            rating = rating_of(row)
            found.pop(rating.criterion, None)
            found[rating.criterion] = rating
        return found

    def add(self, item: RatingItem) -> None:
        """Gives an item out."""
        self._connection.execute(insert(rating_items).values(**asdict(item)))

    def mark(self, item: str, **values: Any) -> None:
        """Changes columns of an item."""
        self._connection.execute(rating_items.update().where(rating_items.c.item == item).values(**values))

    def append(self, new: Sequence[Rating]) -> None:
        """Appends ratings; those without a time get now."""
        now = datetime.datetime.now(datetime.UTC)
        if new:
            self._connection.execute(insert(ratings), [rating_values(rating, now) for rating in new])


class RatingItems:
    """Reads and writes `rating_items`, and `ratings` beside them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @contextmanager
    def exclusively(self, run: str) -> Iterator[RatingTable]:
        """A transaction that waits for any other of the same run; committed at the end."""
        with self._database.write() as connection:
            if connection.dialect.name == "sqlite":
                connection.exec_driver_sql("BEGIN IMMEDIATE")
            elif connection.dialect.name == "postgresql":
                # ids are drawn under the lock: who reads up to an id has missed none before it
                connection.execute(
                    text("SELECT pg_advisory_xact_lock(7302012, hashtext(:run))"), {"run": run}
                )
            yield RatingTable(connection, run)

    @contextmanager
    def reading(self, run: str) -> Iterator[RatingTable]:
        """The same for reading, which waits for nobody."""
        with self._database.read() as connection:
            yield RatingTable(connection, run)

    def fingerprints(self, run: str, cell: int) -> dict[tuple[int, int], int]:
        """By (position, repeat), a number that equal texts share (spaces at their ends aside).

        Texts are read one after the other and not kept; outputs with errors are left out. The numbers
        hold within this process.
        """
        query = select(outputs.c.position, outputs.c.repeat, outputs.c.text).where(
            outputs.c.run == run, outputs.c.cell == cell, outputs.c.error.is_(None)
        )
        with self._database.read() as connection:
            found = connection.execution_options(yield_per=200).execute(query)
            return {(position, repeat): hash(words.strip()) for position, repeat, words in found}
