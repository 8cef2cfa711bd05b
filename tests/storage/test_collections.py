"""Collections in the database: versions without reading items, changes that can be undone by each person."""

from __future__ import annotations

from pathlib import Path

import pytest

from workbench.core.collection import CollectionItem, Item, Origin, collection_version
from workbench.storage import Store
from workbench.storage.collection_changes import ItemChange
from workbench.storage.collections import Collections


def item(number: int, completion: str | None = None) -> Item:
    messages = ({"role": "user", "content": f"What is {number} + 1?"},)
    return Item(messages, completion or str(number + 1), Origin("output", run="r", row_id=str(number)))


@pytest.fixture
def collections(tmp_path: Path):
    store = Store(f"sqlite:///{tmp_path / 'workbench.db'}")
    places = [CollectionItem(number, item(number)) for number in range(5)]
    store.collections.create("c", "sums", "completion", {}, {}, places)
    yield store.collections
    store.close()


def kept(collections: Collections) -> list[Item]:
    return [one.item for one in collections.items("c", state="kept")]


def test_the_version_is_that_of_the_kept_items(collections: Collections):
    assert collections.version("c") == collection_version(item(number) for number in range(5))
    collections.change("c", "rejected", [ItemChange(2, "dropped", "person")])
    assert collections.version("c") == collection_version(kept(collections))
    collections.change("c", "edited", [ItemChange(3, "kept", item=item(3, "four"))])
    assert collections.version("c") == collection_version(kept(collections))
    collections.undo("c")
    collections.undo("c")
    assert collections.version("c") == collection_version(item(number) for number in range(5))


def test_one_change_may_reject_some_and_rewrite_others(collections: Collections):
    collections.change(
        "c", "cleaned", [ItemChange(0, "dropped", "length"), ItemChange(1, "kept", item=item(1, "two"))]
    )
    found = collections.items("c")
    assert [one.state for one in found] == ["dropped", "kept", "kept", "kept", "kept"]
    assert found[1].item.completion == "two"
    assert collections.undo("c") == "cleaned"
    assert kept(collections) == [item(number) for number in range(5)]


def test_a_person_undoes_what_she_did_and_nothing_of_others(collections: Collections):
    collections.change("c", "ada rejects", [ItemChange(0, "dropped"), ItemChange(1, "dropped")], "ada")
    collections.change("c", "bob accepts", [ItemChange(1, "kept")], "bob")
    collections.change("c", "bob rejects", [ItemChange(4, "dropped")], "bob")
    assert collections.undo("c", "ada") == "ada rejects"
    assert [one.state for one in collections.items("c")] == ["kept", "kept", "kept", "kept", "dropped"]
    assert collections.undo("c", "ada") is None


def test_once_everybody_undid_everything_it_is_as_it_was(collections: Collections):
    before = collections.items("c")
    collections.change("c", "ada edits", [ItemChange(1, "kept", item=item(1, "uno"))], "ada")
    collections.change("c", "bob rejects", [ItemChange(1, "dropped"), ItemChange(2, "dropped")], "bob")
    collections.change("c", "cy edits", [ItemChange(1, "kept", item=item(1, "ein"))], "cy")
    assert collections.undo("c", "ada") == "ada edits"
    assert collections.items("c", numbers=[1])[0].item.completion == "ein"
    assert collections.undo("c", "bob") == "bob rejects"
    assert [one.state for one in collections.items("c", numbers=[1, 2])] == ["kept", "kept"]
    assert collections.undo("c", "cy") == "cy edits"
    assert collections.items("c") == before and collections.changes("c") == []


def test_a_change_leaves_alone_what_is_no_longer_as_it_was_seen(collections: Collections):
    seen = collections.items("c", numbers=[0, 1, 2])
    collections.change("c", "bob rejects", [ItemChange(0, "dropped", "person")], "bob")
    collections.change("c", "bob edits", [ItemChange(1, "kept", item=item(1, "uno"))], "bob")
    late = [ItemChange(one.number, "dropped", "length", seen=one) for one in seen]
    assert collections.change("c", "cleaned", late) == 1
    assert [(one.state, one.reason) for one in collections.items("c", numbers=[0, 1, 2])] == [
        ("dropped", "person"),
        ("kept", ""),
        ("dropped", "length"),
    ]
    assert collections.change("c", "again", late[:2]) == 0 and collections.changes("c")[0] == "cleaned"


def test_a_setting_is_changed_and_taken_back_as_items_are(collections: Collections):
    before = collections.get("c")
    repeat = [{"by": by, "how": "over", "seed": 0} for by in ("kind", "steps")]
    assert collections.change_setting("c", "ada repeats", "balance", repeat[0], "ada")
    assert not collections.change_setting("c", "again", "balance", repeat[0], "ada")
    collections.change("c", "ada rejects", [ItemChange(2, "dropped", "person")], "ada")
    assert collections.change_setting("c", "bob repeats", "balance", repeat[1], "bob")
    assert collections.undo("c", "ada") == "ada rejects"
    assert collections.undo("c", "ada") == "ada repeats"
    found = collections.get("c")
    assert found is not None and found.settings == {"balance": repeat[1]}, "bob's stays"
    assert collections.undo("c", "bob") == "bob repeats"
    assert collections.get("c") == before and collections.changes("c") == []


def test_what_repeats_items_is_part_of_the_version(collections: Collections):
    items, plain = kept(collections), collections.version("c")
    written = {"balance": {"by": "kind", "how": "over", "seed": 0}}
    collections.change_setting("c", "repeats", "balance", written["balance"])
    assert collections.version("c") == collection_version(items, written) != plain
    shortly = {"balance": {"by": "kind", "how": "over"}}
    assert collection_version(items, shortly) == collections.version("c")
    assert collection_version(items, {"balance": {"by": "kind"}}) == plain, "leaving out is done, not kept"


def test_half_a_surrogate_pair_is_stored(collections: Collections):
    odd = item(0, "smile \ud83d")
    collections.change("c", "edited", [ItemChange(0, "kept", item=odd)])
    assert collections.items("c", numbers=[0])[0].item == odd
