"""Collections and their items: never changed without a note of what was before, so that all can be undone."""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, cast

from sqlalchemy import Connection, bindparam, case, delete, func, insert, select, update

from workbench.core.collection import CollectionItem, Item, ItemState, Task, version_of_keys
from workbench.storage.database import Database
from workbench.storage.prompt_versions import aware
from workbench.storage.tables import collection_changes, collection_items, collections

BATCH = 5_000
MOST_VALUES = 500
"""Values of one `IN (…)`: databases bound how many a statement may carry."""


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


@dataclass(frozen=True, slots=True)
class ItemChange:
    """What an item becomes; `item` None leaves its text as it is.

    Attributes:
        seen: the item from which the change was worked out; where its state or text is another by now, it
            stays as it is.
    """

    number: int
    state: ItemState
    reason: str = ""
    detail: str = ""
    item: Item | None = None
    seen: CollectionItem | None = None


_encode = json.JSONEncoder(ensure_ascii=False).encode

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
            while batch := [_values(collection, item) for item in islice(waiting, BATCH)]:
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
        query = query.where(*_asked(collection, state, reason, find)).order_by(table.c.number)
        with self._database.read() as connection:
            if numbers is not None:
                parts = [numbers[at : at + MOST_VALUES] for at in range(0, len(numbers), MOST_VALUES)]
                found = [
                    row for part in parts for row in connection.execute(query.where(table.c.number.in_(part)))
                ]
            else:
                found = list(connection.execute(query.limit(limit).offset(offset)))
        return sorted((_item(row) for row in found), key=lambda one: one.number)

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
        ).where(*_asked(collection, state, reason, find))
        with self._database.read() as connection:
            return ItemPlace(*connection.execute(query).one())

    def version(self, collection: str) -> str:
        """The name of what is kept, as `collection_version` gives it, without reading the items."""
        table = collection_items
        query = select(table.c.key).where(table.c.collection == collection, table.c.state == "kept")
        with self._database.read() as connection:
            return version_of_keys(connection.execute(query.order_by(table.c.number)).scalars())

    def change(self, collection: str, what: str, changes: Sequence[ItemChange], author: str = "") -> int:
        """Changes items together and gives how many; `undo` takes the whole of it back."""
        if not changes:
            return 0
        with self._database.write() as connection:
            changes = _as_seen(connection, collection, changes)
            if not changes:
                return 0
            before = list(_before(connection, collection, changes))
            _apply(connection, collection, changes)
            connection.execute(
                insert(collection_changes).values(
                    collection=collection,
                    what=what,
                    before=json.dumps(before, ensure_ascii=False),
                    author=author,
                    created_at=datetime.datetime.now(datetime.UTC),
                )
            )
        return len(changes)

    def undo(self, collection: str, author: str | None = None) -> str | None:
        """Takes the last change back and gives its words; None where there is none.

        With `author`, the last change of that person; items that somebody changed since stay as they are,
        and become what they were before either change once that one is taken back, too.
        """
        table = collection_changes
        query = select(table.c.id, table.c.what, table.c.before).where(table.c.collection == collection)
        mine = query if author is None else query.where(table.c.author == author)
        with self._database.write() as connection:
            last = connection.execute(mine.order_by(table.c.id.desc()).limit(1)).first()
            if last is None:
                return None
            before = {entry[0]: entry for entry in json.loads(last.before)}
            since = connection.execute(query.where(table.c.id > last.id).order_by(table.c.id)).all()
            for later in since:
                _hand_on(connection, later, before)
            _apply(
                connection,
                collection,
                [
                    ItemChange(number, state, reason, detail, None if item is None else Item.from_json(item))
                    for number, state, reason, detail, item in before.values()
                ],
            )
            connection.execute(delete(table).where(table.c.id == last.id))
        return str(last.what)

    def changes(self, collection: str, limit: int = 20) -> list[str]:
        """What was changed, in words, the newest first."""
        table = collection_changes
        query = select(table.c.what).where(table.c.collection == collection)
        with self._database.read() as connection:
            return list(connection.execute(query.order_by(table.c.id.desc()).limit(limit)).scalars())


def _hand_on(connection: Connection, later: Any, before: dict[int, list[Any]]) -> None:
    """Takes out of `before` what a later change is about, which from now on remembers that in its place."""
    entries = json.loads(later.before)
    met = [entry for entry in entries if entry[0] in before]
    for entry in met:
        _, *place, item = before.pop(entry[0])
        entry[1:] = [*place, entry[4] if item is None else item]
    if met:
        table = collection_changes
        text = json.dumps(entries, ensure_ascii=False)
        connection.execute(update(table).where(table.c.id == later.id).values(before=text))


def _as_seen(connection: Connection, collection: str, changes: Sequence[ItemChange]) -> Sequence[ItemChange]:
    """The changes without those of items that are no longer as they were seen."""
    table = collection_items
    seen = {one.number: (one.seen.state, one.seen.item.key) for one in changes if one.seen is not None}
    query = select(table.c.number, table.c.state, table.c.key).where(table.c.collection == collection)
    numbers = list(seen)
    for at in range(0, len(numbers), MOST_VALUES):
        for row in connection.execute(query.where(table.c.number.in_(numbers[at : at + MOST_VALUES]))):
            if seen[row.number] == (row.state, row.key):
                del seen[row.number]
    return [one for one in changes if one.number not in seen] if seen else changes


def _asked(collection: str, state: ItemState | None, reason: str | None, find: str) -> list[Any]:
    table = collection_items
    asked = [table.c.collection == collection]
    if state is not None:
        asked.append(table.c.state == state)
    if reason is not None:
        asked.append(table.c.reason == reason)
    if find:
        asked.append(table.c.item.icontains(_encode(find)[1:-1], autoescape=True))
    return asked


def _values(collection: str, one: CollectionItem) -> dict[str, Any]:
    return {
        "collection": collection,
        "number": one.number,
        "state": one.state,
        "reason": one.reason,
        "detail": one.detail,
        **_text_values(one.item),
    }


def _text_values(item: Item) -> dict[str, Any]:
    text = _encode(item.to_json())
    try:
        text.encode()
    except UnicodeEncodeError:  # half of a surrogate pair: no database takes it, but JSON's own escapes do
        text = json.dumps(item.to_json())
    return {"key": item.key, "item": text}


def _before(
    connection: Connection, collection: str, changes: Sequence[ItemChange]
) -> Iterator[tuple[int, str, str, str, Any]]:
    """Number, state, reason, detail as they are, and the item of those whose text changes."""
    table = collection_items
    query = select(table.c.number, table.c.state, table.c.reason, table.c.detail, table.c.item)
    query = query.where(table.c.collection == collection)
    rewritten = {change.number for change in changes if change.item is not None}
    numbers = [change.number for change in changes]
    for at in range(0, len(numbers), MOST_VALUES):
        part = numbers[at : at + MOST_VALUES]
        for row in connection.execute(query.where(table.c.number.in_(part))):
            item = json.loads(row.item) if row.number in rewritten else None
            yield row.number, row.state, row.reason, row.detail, item


def _apply(connection: Connection, collection: str, changes: Sequence[ItemChange]) -> None:
    table = collection_items
    place = (table.c.collection == collection, table.c.number == bindparam("place"))
    states: list[dict[str, Any]] = []
    rewritten: list[dict[str, Any]] = []
    for change in changes:
        values = {
            "place": change.number,
            "state": change.state,
            "reason": change.reason,
            "detail": change.detail,
        }
        if change.item is None:
            states.append(values)
        else:
            rewritten.append(values | _text_values(change.item))
    for batch in (states, rewritten):
        if batch:
            connection.execute(update(table).where(*place), batch)


def _item(row: Any) -> CollectionItem:
    item = Item.from_json(json.loads(row.item))
    return CollectionItem(row.number, item, cast(ItemState, row.state), row.reason, row.detail)


def _record(row: Any) -> CollectionRecord:
    values = dict(zip(CollectionRecord.__dataclass_fields__, row, strict=True))
    for key in ("created_at", "deleted_at"):
        values[key] = aware(values[key]) if values[key] is not None else None
    return CollectionRecord(**values)
