"""Collections that are there: found by name or id, listed, read, deleted and brought back.

find_collection(workspace, "transit")  ->  CollectionRecord(id="20261121-120000-3f9c1a", name="transit", …)
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass

from workbench.core.collection import CollectionItem, Item, ItemState, Task
from workbench.engine.workspace import Workspace
from workbench.errors import CollectionError, UnknownName
from workbench.storage.collections import CollectionRecord

MOST_LISTED = 1_000


@dataclass(frozen=True, slots=True)
class CollectionSummary:
    """One line of the list of collections.

    Attributes:
        version: content hash of the kept items, the name of what is learnt.
    """

    id: str
    name: str
    task: Task
    version: str
    kept: int
    dropped: int
    created_at: datetime.datetime


def find_collection(workspace: Workspace, text: str) -> CollectionRecord:
    """A collection by its id, its unique beginning or end, or the newest of a name. Raises UnknownName."""
    table = workspace.store.collections
    exact = table.get(text)
    if exact is not None and exact.deleted_at is None:
        return exact
    named = table.newest(text, limit=1)
    if named:
        return named[0]
    there = table.newest(limit=MOST_LISTED)
    fitting = [one for one in there if text and (one.id.startswith(text) or one.id.endswith(text))]
    if len(fitting) > 1:
        raise CollectionError(
            f"'{text}' fits several collections, such as {fitting[0].id} and {fitting[1].id}."
        )
    if not fitting:
        known = {name for one in there for name in (one.name, one.id)}
        remedy = ""
        if exact is not None:
            remedy = f"It was deleted; bring it back with `workbench collections undelete {exact.id}`."
        raise UnknownName("collection", text, known, remedy)
    return fitting[0]


def collections(workspace: Workspace, limit: int = 50, offset: int = 0) -> list[CollectionSummary]:
    """Collections, newest first."""
    return [summary(workspace, one) for one in workspace.store.collections.newest(None, limit, offset)]


def summary(workspace: Workspace, record: CollectionRecord) -> CollectionSummary:
    """What the list says of one collection."""
    counts = workspace.store.collections.count(record.id)
    kept = sum(count for (state, _), count in counts.items() if state == "kept")
    return CollectionSummary(
        id=record.id,
        name=record.name,
        task=record.task,
        version=workspace.store.collections.version(record.id),
        kept=kept,
        dropped=sum(counts.values()) - kept,
        created_at=record.created_at,
    )


def item_page(
    workspace: Workspace,
    collection: str,
    state: ItemState | None = None,
    reason: str | None = None,
    limit: int = 50,
    offset: int = 0,
    find: str = "",
) -> list[CollectionItem]:
    """Some items of a collection in their order, of one state or reason, or that hold a text.

    Raises UnknownName.
    """
    record = find_collection(workspace, collection)
    return workspace.store.collections.items(record.id, state, reason, limit=limit, offset=offset, find=find)


def kept_items(workspace: Workspace, collection: str) -> list[Item]:
    """What a collection teaches, in its order, each item once. Raises UnknownName."""
    record = find_collection(workspace, collection)
    return [one.item for one in workspace.store.collections.items(record.id, state="kept")]


def delete_collection(workspace: Workspace, collection: str) -> str:
    """Hides a collection and gives its id, which brings it back. Raises UnknownName."""
    record = find_collection(workspace, collection)
    workspace.store.collections.set(record.id, deleted_at=datetime.datetime.now(datetime.UTC))
    return record.id


def undelete_collection(workspace: Workspace, collection: str) -> None:
    """Brings a deleted collection back, by its id. Raises UnknownName."""
    if workspace.store.collections.get(collection) is None:
        raise UnknownName("collection", collection)
    workspace.store.collections.set(collection, deleted_at=None)
