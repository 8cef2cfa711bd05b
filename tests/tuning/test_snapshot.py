"""Promises of what is learnt and what is held back: no row on both sides, the same split every time."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.core.collection import Item, Origin
from workbench.errors import TuningError
from workbench.tuning.folders import TuningFolder
from workbench.tuning.snapshot import (
    learnt_items,
    read_items,
    row_of,
    sample_prompts,
    split_by_row,
    write_examples,
    write_items,
)


def item(row: int, repeat: int = 0, text: str = "yes", **more: object) -> Item:
    origin = Origin("output", dataset="d", split="train", row_id=f"r{row}", repeat=repeat)
    return Item(({"role": "user", "content": f"{row}?"},), f"{text} {repeat}", origin, **more)  # type: ignore[arg-type]


@given(
    rows=st.lists(st.integers(0, 40), max_size=120),
    share=st.floats(0, 0.5),
    seed=st.integers(0, 5),
)
def test_all_items_of_a_row_go_to_one_side_and_none_is_lost(rows: list[int], share: float, seed: int) -> None:
    items = [item(row, repeat) for repeat, row in enumerate(rows)]
    learnt, held_back = split_by_row(items, share, seed)
    assert not {row_of(one) for one in learnt} & {row_of(one) for one in held_back}
    assert sorted([*learnt, *held_back], key=repr) == sorted(items, key=repr)
    assert (learnt, held_back) == split_by_row(items, share, seed)
    if items:
        assert learnt, "something must be left to learn"


def test_about_the_share_of_the_rows_is_held_back() -> None:
    items = [item(row, repeat) for row in range(100) for repeat in range(3)]
    learnt, held_back = split_by_row(items, 0.1, seed=0)
    assert (len(learnt), len(held_back)) == (270, 30)
    assert split_by_row(items, 0.1, seed=1)[1] != held_back
    assert split_by_row(items, 0.0, seed=0) == (items, [])


def test_a_row_that_joins_does_not_move_the_others_about() -> None:
    items = [item(row) for row in range(100)]
    before = {row_of(one) for one in split_by_row(items, 0.2, 0)[1]}
    after = {row_of(one) for one in split_by_row([*items, item(100)], 0.2, 0)[1]}
    assert len(before ^ after) <= 2


def test_few_rows_are_all_learnt_from() -> None:
    assert split_by_row([item(row) for row in range(9)], 0.5, 0)[1] == []


def test_imported_items_with_the_same_question_stay_together() -> None:
    asked = ({"role": "user", "content": "Which?"},)
    one, other = Item(asked, "a", Origin("import")), Item(asked, "b", Origin("import"))
    assert row_of(one) == row_of(other) != row_of(item(1))


def test_what_is_written_is_read_back_whatever_it_holds(tmp_path: Path) -> None:
    folder = TuningFolder(tmp_path)
    items = [item(1, text="a\u2028b \U0001f68b {{x}}"), item(2, label=False), item(3, rejected="no")]
    write_items(folder, items)
    assert read_items(folder) == items
    write_examples(folder, items, [])
    lines = [json.loads(line) for line in folder.train.read_text().splitlines()]
    assert lines[0] == {
        "messages": [{"role": "user", "content": "1?"}],
        "completion": "a\u2028b \U0001f68b {{x}} 0",
    }
    assert lines[1]["label"] is False and lines[2]["rejected"] == "no"
    assert not folder.validation.exists()


def test_what_was_held_back_is_not_learnt_though_it_answers_alike(tmp_path: Path) -> None:
    folder = TuningFolder(tmp_path)
    items = [item(row, label=True) for row in range(4)]
    assert learnt_items(folder, items) == items
    write_examples(folder, [*items[:3], items[0]], items[3:])
    assert learnt_items(folder, items) == items[:3]


def test_a_damaged_snapshot_is_one_clear_error(tmp_path: Path) -> None:
    folder = TuningFolder(tmp_path)
    with pytest.raises(TuningError, match=r"items\.jsonl"):
        read_items(folder)
    folder.items.write_text('{"half')
    with pytest.raises(TuningError, match="start a new tuning"):
        read_items(folder)


def test_prompts_to_look_at_are_fixed_and_of_rows_held_back() -> None:
    learnt, held_back = [item(row) for row in range(20)], [item(row) for row in range(20, 25)]
    shown = sample_prompts(learnt, held_back, 3, seed=0)
    assert len(shown) == 3 and shown == sample_prompts(learnt, held_back[::-1], 3, seed=0)
    assert {messages[0]["content"] for messages in shown} <= {f"{row}?" for row in range(20, 25)}
    assert len(sample_prompts(learnt, [], 4, seed=0)) == 4 and sample_prompts([], [], 4, 0) == ()
