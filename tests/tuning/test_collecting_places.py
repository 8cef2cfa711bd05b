"""Items of a collection are found by what they hold, and each knows its place among those that are shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.tuning.finished_runs import make_workspace
from tests.tuning.items import item
from workbench.core.collection import CollectionItem
from workbench.engine import Workspace
from workbench.storage.collections import ItemPlace
from workbench.tuning import item_page, reject

TEXTS = ("plain", '100% of "it"', "under_score", "C:\\temp", "ÜBER Straße", "two\nlines", "🙂 smile")


@pytest.fixture
def workspace(tmp_path: Path):
    opened = make_workspace(tmp_path / "root")
    places = [CollectionItem(number, item(f"question {number}", text)) for number, text in enumerate(TEXTS)]
    opened.store.collections.create("20261121-1", "texts", "completion", {}, {}, places)
    yield opened
    opened.close()


@pytest.mark.parametrize(
    ("find", "numbers"),
    [
        ("PLAIN", [0]),
        ("question", list(range(7))),
        ("100%", [1]),
        ('of "it"', [1]),
        ("%", [1]),
        ("under_", [2]),
        ("_", [2]),
        ("\\temp", [3]),
        ("Straße", [4]),
        ("two\nlines", [5]),
        ("🙂", [6]),
        ("nowhere", []),
    ],
)
def test_a_text_is_found_as_it_is_written(workspace: Workspace, find: str, numbers: list[int]):
    assert [one.number for one in item_page(workspace, "texts", find=find)] == numbers


def test_an_item_knows_those_before_and_after_it(workspace: Workspace):
    place = workspace.store.collections.place
    assert place("20261121-1", 0) == ItemPlace(None, 1, 0, 7)
    assert place("20261121-1", 6) == ItemPlace(5, None, 6, 7)
    reject(workspace, "texts", [1, 2, 3])
    assert place("20261121-1", 4, "kept") == ItemPlace(0, 5, 1, 4)
    assert place("20261121-1", 2, "dropped", "person") == ItemPlace(1, 3, 1, 3)
    assert place("20261121-1", 2, "kept") == ItemPlace(0, 4, 1, 4)
    assert place("20261121-1", 0, find="under_") == ItemPlace(None, 2, 0, 1)
    assert place("20261121-1", 3, "dropped", "length") == ItemPlace(None, None, 0, 0)
