"""Items as rows of `collection_items`, both ways, and which of them are asked for."""

from __future__ import annotations

import json
from typing import Any, cast

from workbench.core.collection import CollectionItem, Item, ItemState
from workbench.storage.tables import collection_items

_encode = json.JSONEncoder(ensure_ascii=False).encode


def asked(collection: str, state: ItemState | None, reason: str | None, find: str) -> list[Any]:
    """Conditions for the items of a state, of a reason, and that hold a text."""
    table = collection_items
    conditions = [table.c.collection == collection]
    if state is not None:
        conditions.append(table.c.state == state)
    if reason is not None:
        conditions.append(table.c.reason == reason)
    if find:
        conditions.append(table.c.item.icontains(_encode(find)[1:-1], autoescape=True))
    return conditions


def values(collection: str, one: CollectionItem) -> dict[str, Any]:
    """The row of an item."""
    return {
        "collection": collection,
        "number": one.number,
        "state": one.state,
        "reason": one.reason,
        "detail": one.detail,
        **text_values(one.item),
    }


def text_values(item: Item) -> dict[str, Any]:
    """The columns that hold what an item says."""
    text = _encode(item.to_json())
    try:
        text.encode()
    except UnicodeEncodeError:  # half of a surrogate pair: no database takes it, but JSON's own escapes do
        text = json.dumps(item.to_json())
    return {"key": item.key, "item": text}


def read_item(row: Any) -> CollectionItem:
    """What `values` wrote."""
    item = Item.from_json(json.loads(row.item))
    return CollectionItem(row.number, item, cast(ItemState, row.state), row.reason, row.detail)
