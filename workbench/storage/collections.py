"""Collections and their items: never changed without a note of what was before, so that all can be undone."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from sqlalchemy import case, func, insert, select, update

from workbench.core.collection import CollectionItem, ItemState, Task, repeated_by, version_of_keys
from workbench.storage.collection_changes import (
    MOST_VALUES,
    ItemChange,
    change_items,
    change_setting,
    take_back,
)
from workbench.storage.collection_rows import asked, read_item, values
from workbench.storage.database import Database
from workbench.storage.prompt_versions import aware
from workbench.storage.tables import collection_changes, collection_items, collections

BATCH = 5_000


@dataclass(frozen=True, slots=True)
class CollectionRecord:
    """One row of `collections`."""

    id: str
    name: str
    task: Task
    settings: dict[str, Any]
    report: dict[str, Any]
    created_at: datetime.datetime
    deleted_at: datetime.datetime | None


@dataclass(frozen=True, slots=True)
class ItemPlace:
    """Where an item stands among those that a filter lets through.

    Attributes:
        before, after: the numbers of the nearest ones; None at the ends.
        ahead: how many stand before it.
        total: how many there are.
    """

    before: int | None
    after: int | None
    ahead: int
    total: int


COLUMNS = [collections.c[name] for name in CollectionRecord.__dataclass_fields__]


class Collections:
    """Reads and writes `collections`, `collection_items` and `collection_changes`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def create(
        self,
        collection: str,
        name: str,
        task: Task,
        settings: Mapping[str, Any],
        report: Mapping[str, Any],
        items: Iterable[CollectionItem],
    ) -> None:
        """Adds a collection with its items, all or nothing."""
        now = datetime.datetime.now(datetime.UTC)
        with self._database.write() as connection:
            connection.execute(
                insert(collections).values(
                    id=collection,
                    name=name,
                    task=task,
                    settings=dict(settings),
                    report=dict(report),
                    created_at=now,
                )
            )
            waiting = iter(items)
            while batch := [values(collection, item) for item in islice(waiting, BATCH)]:
                connection.execute(insert(collection_items), batch)

    def get(self, collection: str) -> CollectionRecord | None:
        """One collection by its id, deleted ones too, or None."""
        with self._database.read() as connection:
            found = connection.execute(select(*COLUMNS).where(collections.c.id == collection)).first()
        return _record(found) if found else None

    def newest(self, name: str | None = None, limit: int = 50, offset: int = 0) -> list[CollectionRecord]:
        """Newest first, without the deleted ones."""
        query = select(*COLUMNS).where(collections.c.deleted_at.is_(None))
        if name is not None:
            query = query.where(collections.c.name == name)
        query = query.order_by(collections.c.created_at.desc(), collections.c.id.desc())
        with self._database.read() as connection:
            return [_record(row) for row in connection.execute(query.limit(limit).offset(offset))]

    def set(self, collection: str, **values: Any) -> None:
        """Changes columns of one collection."""
        with self._database.write() as connection:
            connection.execute(update(collections).where(collections.c.id == collection).values(**values))

    def count(self, collection: str) -> dict[tuple[ItemState, str], int]:
        """How many items there are by state and reason."""
        by = (collection_items.c.state, collection_items.c.reason)
        query = select(*by, func.count()).where(collection_items.c.collection == collection).group_by(*by)
        with self._database.read() as connection:
            return {(state, reason): count for state, reason, count in connection.execute(query)}

    def items(
        self,
        collection: str,
        state: ItemState | None = None,
        reason: str | None = None,
        numbers: Sequence[int] | None = None,
        limit: int | None = None,
        offset: int = 0,
        find: str = "",
    ) -> list[CollectionItem]:
        """Items in their order, those asked for; `find` is a text in anything that they hold, in any case."""
        table = collection_items
        query = select(table.c.number, table.c.state, table.c.reason, table.c.detail, table.c.item)
        query = query.where(*asked(collection, state, reason, find)).order_by(table.c.number)
        with self._database.read() as connection:
            if numbers is not None:
                parts = [numbers[at : at + MOST_VALUES] for at in range(0, len(numbers), MOST_VALUES)]
                found = [
                    row for part in parts for row in connection.execute(query.where(table.c.number.in_(part)))
                ]
            else:
                found = list(connection.execute(query.limit(limit).offset(offset)))
        return sorted((read_item(row) for row in found), key=lambda one: one.number)

    def place(
        self,
        collection: str,
        number: int,
        state: ItemState | None = None,
        reason: str | None = None,
        find: str = "",
    ) -> ItemPlace:
        """Where a number stands, or would stand, among the items that `items` gives for the same filter."""
        here = collection_items.c.number
        query = select(
            func.max(case((here < number, here))),
            func.min(case((here > number, here))),
            func.count(case((here < number, here))),
            func.count(),
        ).where(*asked(collection, state, reason, find))
        with self._database.read() as connection:
            return ItemPlace(*connection.execute(query).one())

    def version(self, collection: str) -> str:
        """The name of what is taught, as `collection_version` gives it, without reading the items."""
        table = collection_items
        query = select(table.c.key).where(table.c.collection == collection, table.c.state == "kept")
        settings = select(collections.c.settings).where(collections.c.id == collection)
        with self._database.read() as connection:
            keys = connection.execute(query.order_by(table.c.number)).scalars()
            return version_of_keys(keys, repeated_by(connection.execute(settings).scalar() or {}))

    def change(self, collection: str, what: str, changes: Sequence[ItemChange], author: str = "") -> int:
        """Changes items together and gives how many; `undo` takes the whole of it back."""
        if not changes:
            return 0
        with self._database.write() as connection:
            return change_items(connection, collection, what, changes, author)

    def change_setting(self, collection: str, what: str, name: str, value: Any, author: str = "") -> bool:
        """Gives one of a collection's settings another value; `undo` takes it back, too.

        Whether it was another value before; None takes the setting away.
        """
        with self._database.write() as connection:
            return change_setting(connection, collection, what, name, value, author)

    def undo(self, collection: str, author: str | None = None) -> str | None:
        """Takes the last change back and gives its words; None where there is none.

        With `author`, the last change of that person; items that somebody changed since stay as they are,
        and become what they were before either change once that one is taken back, too.
        """
        with self._database.write() as connection:
            return take_back(connection, collection, author)

    def changes(self, collection: str, limit: int = 20) -> list[str]:
        """What was changed, in words, the newest first."""
        table = collection_changes
        query = select(table.c.what).where(table.c.collection == collection)
        with self._database.read() as connection:
            return list(connection.execute(query.order_by(table.c.id.desc()).limit(limit)).scalars())


def _record(row: Any) -> CollectionRecord:
    values = dict(zip(CollectionRecord.__dataclass_fields__, row, strict=True))
    for key in ("created_at", "deleted_at"):
        values[key] = aware(values[key]) if values[key] is not None else None
    return CollectionRecord(**values)
