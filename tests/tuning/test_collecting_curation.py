"""What people do with a collection: accept, reject, edit, undo, side by side; deleting and finding again."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.tuning.finished_runs import make_workspace
from workbench.core.collection import CollectionItem, Item, Origin
from workbench.engine import Workspace
from workbench.errors import CollectionError, UnknownName
from workbench.tuning.collecting import (
    accept,
    collections,
    delete_collection,
    edit,
    find_collection,
    item_page,
    kept_items,
    reject,
    undelete_collection,
    undo,
)


@pytest.fixture
def workspace(tmp_path: Path):
    opened = make_workspace(tmp_path / "root")
    yield opened
    opened.close()


def store(
    workspace: Workspace, name: str = "sums", collection: str = "20261121-1", rejected: str | None = None
) -> str:
    places = []
    for number in range(6):
        messages = ({"role": "user", "content": f"What is {number} + 1?"},)
        item = Item(messages, str(number + 1), Origin("output", row_id=str(number)), rejected=rejected)
        dropped = number == 5
        places.append(
            CollectionItem(number, item, "dropped" if dropped else "kept", "length" if dropped else "")
        )
    task = "completion" if rejected is None else "preference"
    workspace.store.collections.create(collection, name, task, {}, {}, places)
    return collection


def kept(workspace: Workspace) -> list[str]:
    return [item.completion for item in kept_items(workspace, "sums")]


def test_items_are_rejected_and_accepted_by_number(workspace: Workspace):
    store(workspace)
    assert reject(workspace, "sums", [1, 3, 3], "ada", detail="off topic") == 2
    assert kept(workspace) == ["1", "3", "5"]
    dropped = item_page(workspace, "sums", "dropped")
    assert [(one.number, one.reason, one.detail) for one in dropped] == [
        (1, "person", "off topic"),
        (3, "person", "off topic"),
        (5, "length", ""),
    ]
    assert accept(workspace, "sums", [3, 5, 0], "ada") == 2
    assert kept(workspace) == ["1", "3", "4", "5", "6"]
    assert workspace.store.collections.changes("20261121-1") == ["accepted 2 items", "rejected 2 items"]


def test_every_change_can_be_undone(workspace: Workspace):
    store(workspace)
    reject(workspace, "sums", [0, 1])
    edit(workspace, "sums", 2, "three")
    edit(workspace, "sums", 2, "drei")
    assert item_page(workspace, "sums", offset=2, limit=1)[0].item.original == "3"
    assert undo(workspace, "sums") == "edited item 2"
    assert kept(workspace) == ["three", "4", "5"]
    assert [undo(workspace, "sums") for _ in range(3)] == ["edited item 2", "rejected 2 items", None]
    assert kept(workspace) == ["1", "2", "3", "4", "5"]


def test_what_changes_nothing_is_no_change(workspace: Workspace):
    store(workspace)
    assert (
        reject(workspace, "sums", [5]),
        accept(workspace, "sums", [0]),
        reject(workspace, "sums", []),
    ) == (0, 0, 0)
    edit(workspace, "sums", 0, "1")
    assert undo(workspace, "sums") is None


def test_editing_an_item_that_was_dropped_keeps_it(workspace: Workspace):
    store(workspace)
    edit(workspace, "sums", 5, "six", "ada")
    assert kept(workspace)[-1] == "six"


def test_two_people_at_once_lose_nothing_of_each_other(workspace: Workspace):
    store(workspace)
    other = Workspace.open(workspace.root)
    reject(workspace, "sums", [0, 1], "ada")
    accept(other, "sums", [1], "bob")
    edit(other, "sums", 2, "three", "bob")
    assert undo(workspace, "sums", "ada") == "rejected 2 items"
    assert kept(other) == ["1", "2", "three", "4", "5"]
    with pytest.raises(CollectionError, match="Somebody changed item 2 meanwhile"):
        edit(workspace, "sums", 2, "drei", "ada", was="3")
    other.close()


def test_an_edit_must_leave_something_to_learn(workspace: Workspace):
    store(workspace)
    with pytest.raises(CollectionError, match="Item 0 needs a text"):
        edit(workspace, "sums", 0, " \n")
    with pytest.raises(CollectionError, match="has no item 6"):
        edit(workspace, "sums", 6, "seven")
    with pytest.raises(CollectionError, match="has no item 99"):
        reject(workspace, "sums", [0, 99])
    with pytest.raises(CollectionError, match="no preference"):
        edit(workspace, "sums", 0, "one", rejected="two")
    assert kept(workspace) == ["1", "2", "3", "4", "5"]


def test_of_a_preference_both_texts_can_be_edited_but_not_into_one(workspace: Workspace):
    store(workspace, rejected="none")
    edit(workspace, "sums", 0, "one", rejected="two")
    assert (kept_items(workspace, "sums")[0].completion, kept_items(workspace, "sums")[0].rejected) == (
        "one",
        "two",
    )
    with pytest.raises(CollectionError, match="prefer a text to itself"):
        edit(workspace, "sums", 0, " two")


def test_a_collection_is_found_by_id_beginning_or_the_newest_of_its_name(workspace: Workspace):
    older = store(workspace, collection="20261121-1a")
    newer = store(workspace, collection="20261122-1b")
    assert find_collection(workspace, "sums").id == newer
    assert find_collection(workspace, older).id == find_collection(workspace, older[-6:]).id == older
    assert find_collection(workspace, "20261122").id == newer
    with pytest.raises(CollectionError, match="fits several"):
        find_collection(workspace, "2026")
    with pytest.raises(UnknownName, match="Did you mean 'sums'"):
        find_collection(workspace, "sms")
    for nothing in ("", "%"):
        with pytest.raises(UnknownName):
            find_collection(workspace, nothing)


def test_a_deleted_collection_comes_back(workspace: Workspace):
    older = store(workspace, collection="20261121-1a")
    newer = store(workspace, collection="20261122-1b")
    assert delete_collection(workspace, "sums") == newer
    assert find_collection(workspace, "sums").id == older
    with pytest.raises(UnknownName, match=f"was deleted; .*collections undelete {newer}"):
        kept_items(workspace, newer)
    undelete_collection(workspace, newer)
    assert [line.id for line in collections(workspace)] == [newer, older]
    with pytest.raises(UnknownName):
        undelete_collection(workspace, "never")
