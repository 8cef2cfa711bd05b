"""What people do with the items of a collection: accept, reject, edit, and take it back.

reject(workspace, "transit", [3, 17], author="ada")     ->  2
undo(workspace, "transit", author="ada")                ->  "rejected 2 items"
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from workbench.core.collection import BY_PERSON, CollectionItem
from workbench.engine.workspace import Workspace
from workbench.errors import CollectionError
from workbench.storage.collection_changes import ItemChange
from workbench.tuning.collecting.stored import find_collection


def accept(workspace: Workspace, collection: str, numbers: Sequence[int], author: str = "") -> int:
    """Keeps items, whatever dropped them; gives how many were not kept before. Raises CollectionError."""
    found, items = _items(workspace, collection, numbers)
    changes = [ItemChange(one.number, "kept") for one in items if one.state != "kept"]
    workspace.store.collections.change(found, f"accepted {_named(changes)}", changes, author)
    return len(changes)


def reject(
    workspace: Workspace, collection: str, numbers: Sequence[int], author: str = "", detail: str = ""
) -> int:
    """Drops items, for a reason in `detail` if there is one to tell; gives how many were kept before.

    Raises CollectionError for a number that the collection does not have.
    """
    found, items = _items(workspace, collection, numbers)
    changes = [
        ItemChange(one.number, "dropped", BY_PERSON, detail) for one in items if one.state != "dropped"
    ]
    workspace.store.collections.change(found, f"rejected {_named(changes)}", changes, author)
    return len(changes)


def edit(
    workspace: Workspace,
    collection: str,
    number: int,
    completion: str,
    author: str = "",
    rejected: str | None = None,
    was: str | None = None,
) -> None:
    """Gives an item another completion, and of a preference another worse text; it is kept from then on.

    Args:
        was: the completion that the person saw; where it is another one by now, nothing is changed.

    Raises CollectionError for an empty text, a pair that says the same twice, an item that is not there,
    and one that somebody else changed meanwhile.
    """
    found, (one,) = _items(workspace, collection, [number])
    item = one.item
    meanwhile = f"Somebody changed item {number} meanwhile; look at it again before you edit it."
    if was is not None and item.completion != was:
        raise CollectionError(meanwhile)
    if rejected is not None and item.rejected is None:
        raise CollectionError(f"Item {number} is no preference, so that it has no worse text to edit.")
    worse = item.rejected if rejected is None else rejected
    if not completion.strip() or (worse is not None and not worse.strip()):
        raise CollectionError(f"Item {number} needs a text to teach; to leave it out, reject it.")
    if worse is not None and worse.strip() == completion.strip():
        raise CollectionError(
            f"Item {number} would prefer a text to itself; make the two differ, or reject it."
        )
    edited = replace(item.edited(completion), rejected=worse)
    if edited == item and one.state == "kept":
        return
    change = ItemChange(number, "kept", item=None if edited == item else edited, seen=one)
    if not workspace.store.collections.change(found, f"edited item {number}", [change], author):
        raise CollectionError(meanwhile)


def undo(workspace: Workspace, collection: str, author: str | None = None) -> str | None:
    """Takes the last change back, of one person where `author` is named; its words, or None without one.

    What somebody else changed since stays as it is. Raises UnknownName.
    """
    return workspace.store.collections.undo(find_collection(workspace, collection).id, author)


def _items(workspace: Workspace, collection: str, numbers: Sequence[int]) -> tuple[str, list[CollectionItem]]:
    record = find_collection(workspace, collection)
    wanted = sorted(set(numbers))
    items = workspace.store.collections.items(record.id, numbers=wanted)
    missing = set(wanted) - {one.number for one in items}
    if missing:
        raise CollectionError(f"Collection '{record.name}' has no item {min(missing)}.")
    return record.id, items


def _named(changes: Sequence[ItemChange]) -> str:
    return f"item {changes[0].number}" if len(changes) == 1 else f"{len(changes):,} items"
