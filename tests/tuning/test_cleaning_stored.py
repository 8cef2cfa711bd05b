"""A stored collection is cleaned and balanced as one change each, and as it was again after undo."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.tuning.items import item
from workbench.core.collection import CollectionItem
from workbench.core.tuning import Balance
from workbench.engine import Workspace
from workbench.errors import CollectionError, UnknownName
from workbench.tuning import (
    apply_balance,
    apply_cleaning,
    cleaning_preview,
    clear_balance,
    kept_balance,
    taught_items,
    training_items,
)
from workbench.tuning.collecting import edit, reject

ID = "20261121-100000-abc123"
ITEMS = [
    item("a", "yes ", row={"kind": "x"}),
    item("b", "no", row={"kind": "x"}),
    item("a", "yes", row={"kind": "y"}),
    item("c", "mail ann@example.org", row={"kind": "x"}),
    item("d", "rejected by a person", row={"kind": "y"}),
]


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    for folder in ("prompts", "experiments"):
        (tmp_path / folder).mkdir()
    opened = Workspace.open(tmp_path)
    places = [CollectionItem(n, one) for n, one in enumerate(ITEMS[:4])]
    places.append(CollectionItem(4, ITEMS[4], "dropped", "person"))
    opened.store.collections.create(ID, "best", "completion", {"clean": [], "limit": 9}, {}, places)
    yield opened
    opened.close()


def stored(workspace: Workspace) -> list[tuple[str, str, str, str]]:
    found = workspace.store.collections.items(ID)
    return [(one.state, one.reason, one.detail, one.item.completion) for one in found]


def test_cleaning_is_one_change_that_can_be_undone(workspace: Workspace):
    before = stored(workspace)
    done = apply_cleaning(workspace, ID, ["white_space", "exact_duplicates", "pii"], "ann")
    assert stored(workspace) == [
        ("kept", "", "", "yes"),
        ("kept", "", "", "no"),
        ("dropped", "exact_duplicates", "repeats item 0", "yes"),
        ("kept", "", "", "mail [EMAIL]"),
        ("dropped", "person", "", "rejected by a person"),
    ]
    assert (done.dropped, done.changed) == (1, 2)
    assert workspace.store.collections.changes(ID) == [
        "Cleaned: white_space (1 changed), exact_duplicates (1 dropped), pii (1 changed)"
    ]
    assert workspace.store.collections.undo(ID, "ann") is not None
    assert stored(workspace) == before
    assert workspace.store.collections.changes(ID) == []


def test_a_preview_changes_nothing_and_counts_what_applying_does(workspace: Workspace):
    before = stored(workspace)
    kept = [one.item for one in workspace.store.collections.items(ID, state="kept")]
    reports = cleaning_preview(kept, ["white_space", "exact_duplicates"])
    assert stored(workspace) == before
    applied = apply_cleaning(workspace, ID, ["white_space", "exact_duplicates"])
    assert applied.reports == reports


def test_cleaning_that_finds_nothing_leaves_no_change(workspace: Workspace):
    apply_cleaning(workspace, ID, ["refusals", {"contains": "zebra"}])
    assert workspace.store.collections.changes(ID) == []


def test_what_a_person_does_while_cleaning_works_stays(workspace: Workspace):
    def meanwhile(step: str, done: int, total: int) -> None:
        if done == total:
            reject(workspace, ID, [0], "bob")
            edit(workspace, ID, 3, "mail Bob", "bob")

    apply_cleaning(workspace, ID, ["white_space", "pii"], "ann", on_progress=meanwhile)
    assert [(state, text) for state, _, _, text in stored(workspace)][::3] == [
        ("dropped", "yes "),
        ("kept", "mail Bob"),
    ]


def test_an_item_that_a_person_takes_back_is_masked(workspace: Workspace):
    apply_cleaning(workspace, ID, ["pii", {"contains": "mail"}])
    assert stored(workspace)[3] == ("dropped", "contains", "holds 'mail'", "mail [EMAIL]")


def test_under_sampling_is_one_change_that_can_be_undone(workspace: Workspace):
    before = stored(workspace)
    counts = apply_balance(workspace, ID, Balance(by="kind", how="under", seed=1))
    assert [(one.value, one.before, one.after) for one in counts] == [("x", 3, 1), ("y", 1, 1)]
    reasons = [reason for _, reason, _, _ in stored(workspace)]
    assert reasons.count("balance") == 2 and reasons[2] == "" and reasons[4] == "person"
    assert workspace.store.collections.changes(ID) == ["Balanced by kind: 2 dropped"]
    workspace.store.collections.undo(ID)
    assert stored(workspace) == before


def test_over_sampling_is_a_setting_by_which_training_repeats_items(workspace: Workspace):
    before = stored(workspace)
    counts = apply_balance(workspace, ID, Balance(by="kind", how="over"))
    assert [(one.value, one.before, one.after) for one in counts] == [("x", 3, 3), ("y", 1, 3)]
    assert stored(workspace) == before
    record = workspace.store.collections.get(ID)
    assert record is not None and record.settings["limit"] == 9
    kept = [one.item for one in workspace.store.collections.items(ID, state="kept")]
    repeated = training_items(kept, kept_balance(record.settings))
    assert [one.row["kind"] for one in repeated] == ["x", "x", "y", "x", "y", "y"]

    assert [one.item for one in taught_items(workspace, ID)] == repeated

    clear_balance(workspace, ID, "ann")
    assert [one.item for one in taught_items(workspace, ID)] == kept
    assert workspace.store.collections.undo(ID, "ann") == "Nothing is repeated any more by kind"
    assert len(taught_items(workspace, ID)) == len(repeated)
    assert workspace.store.collections.undo(ID) == "Balanced by kind: rare ones are repeated"
    record = workspace.store.collections.get(ID)
    assert record is not None and record.settings == {"clean": [], "limit": 9}
    clear_balance(workspace, ID)
    assert workspace.store.collections.changes(ID) == [], "nothing was repeated, so nothing is changed"


def test_what_under_sampling_did_is_not_done_again_when_training_data_are_written():
    assert kept_balance({"balance": {"by": "kind", "how": "under"}}) is None
    assert kept_balance({}) is None
    with pytest.raises(CollectionError, match="`balance` cannot be read"):
        kept_balance({"balance": {"how": "sideways"}})


def test_an_unknown_or_deleted_collection_and_a_wrong_step_change_nothing(workspace: Workspace):
    before = stored(workspace)
    with pytest.raises(UnknownName, match="collection named 'nothing'"):
        apply_cleaning(workspace, "nothing", ["pii"])
    with pytest.raises(UnknownName, match="Did you mean 'white_space'"):
        apply_cleaning(workspace, ID, ["pii", "whitespace"])
    with pytest.raises(CollectionError, match=r"No item has a 'knd' to balance by\. Did you mean 'kind'"):
        apply_balance(workspace, ID, Balance(by="knd"))
    assert stored(workspace) == before
