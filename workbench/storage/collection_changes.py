"""Changes of a collection, each with a note of what was before, so that all can be taken back.

    [[3, "kept", "", "", null], [7, "kept", "", "", {"messages": …}]]     items: number, state, reason, detail
    {"balance": {"by": "steps", "how": "over", "seed": 0}}                or one of the settings

An item's text stands in the note where the change gave it another.
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, bindparam, delete, insert, select, update

from workbench.core.collection import CollectionItem, Item, ItemState
from workbench.storage.collection_rows import text_values
from workbench.storage.tables import collection_changes, collection_items, collections

MOST_VALUES = 500
"""Values of one `IN (…)`: databases bound how many a statement may carry."""


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


def change_items(
    connection: Connection, collection: str, what: str, changes: Sequence[ItemChange], author: str
) -> int:
    """Changes items together, with a note, and gives how many."""
    changes = _as_seen(connection, collection, changes)
    if not changes:
        return 0
    before = list(_before(connection, collection, changes))
    _apply(connection, collection, changes)
    _note(connection, collection, what, before, author)
    return len(changes)


def change_setting(
    connection: Connection, collection: str, what: str, name: str, value: Any, author: str
) -> bool:
    """Gives a setting another value, with a note; whether it was another one before."""
    settings = _settings(connection, collection)
    if settings.get(name) == value:
        return False
    _set(connection, collection, settings, {name: value})
    _note(connection, collection, what, {name: settings.get(name)}, author)
    return True


def take_back(connection: Connection, collection: str, author: str | None) -> str | None:
    """Takes the last change back, of a person where one is named; its words, or None where there is none."""
    table = collection_changes
    query = select(table.c.id, table.c.what, table.c.before).where(table.c.collection == collection)
    mine = query if author is None else query.where(table.c.author == author)
    last = connection.execute(mine.order_by(table.c.id.desc()).limit(1)).first()
    if last is None:
        return None
    before = json.loads(last.before)
    about_items = isinstance(before, list)
    kept = {entry[0]: entry for entry in before} if about_items else before
    since = connection.execute(query.where(table.c.id > last.id).order_by(table.c.id)).all()
    for later in since:
        _hand_on(connection, later, kept, about_items)
    if about_items:
        _apply(
            connection,
            collection,
            [
                ItemChange(number, state, reason, detail, None if item is None else Item.from_json(item))
                for number, state, reason, detail, item in kept.values()
            ],
        )
    else:
        _set(connection, collection, _settings(connection, collection), kept)
    connection.execute(delete(table).where(table.c.id == last.id))
    return str(last.what)


def _note(connection: Connection, collection: str, what: str, before: Any, author: str) -> None:
    connection.execute(
        insert(collection_changes).values(
            collection=collection,
            what=what,
            before=json.dumps(before, ensure_ascii=False),
            author=author,
            created_at=datetime.datetime.now(datetime.UTC),
        )
    )


def _settings(connection: Connection, collection: str) -> dict[str, Any]:
    query = select(collections.c.settings).where(collections.c.id == collection)
    return dict(connection.execute(query.with_for_update()).scalar_one())


def _set(connection: Connection, collection: str, settings: dict[str, Any], becomes: dict[str, Any]) -> None:
    """A setting that becomes None stands there no more."""
    settings = {name: value for name, value in (settings | becomes).items() if value is not None}
    connection.execute(update(collections).where(collections.c.id == collection).values(settings=settings))


def _hand_on(connection: Connection, later: Any, before: dict[Any, Any], about_items: bool) -> None:
    """Takes out of `before` what a later change is about, which from now on remembers that in its place."""
    noted = json.loads(later.before)
    if isinstance(noted, list) != about_items:
        return
    met = [entry for entry in noted if (entry[0] if about_items else entry) in before]
    for entry in met:
        if about_items:
            _, *place, item = before.pop(entry[0])
            entry[1:] = [*place, entry[4] if item is None else item]
        else:
            noted[entry] = before.pop(entry)
    if met:
        table = collection_changes
        text = json.dumps(noted, ensure_ascii=False)
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
            rewritten.append(values | text_values(change.item))
    for batch in (states, rewritten):
        if batch:
            connection.execute(update(table).where(*place), batch)
