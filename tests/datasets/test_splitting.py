"""Splits: the shares asked for, the same for the same seed, and nothing that stands in two of them."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.datasets import split_rows
from workbench.errors import DatasetError, UnknownName, UsageError

THIRDS = {"train": 0.5, "dev": 0.25, "test": 0.25}


def rows_of(count: int) -> list[dict[str, object]]:
    return [{"id": str(n), "q": f"question {n}", "answer": str(n)} for n in range(count)]


def test_the_shares_are_met_and_the_order_is_kept() -> None:
    parts = split_rows(rows_of(100), {"train": 0.8, "dev": 0.1, "test": 0.1}, seed=1)
    assert {split: len(rows) for split, rows in parts.items()} == {"train": 80, "dev": 10, "test": 10}
    for rows in parts.values():
        assert [int(row["id"]) for row in rows] == sorted(int(row["id"]) for row in rows)


def test_the_seed_decides() -> None:
    assert split_rows(rows_of(40), THIRDS, seed=1) == split_rows(rows_of(40), THIRDS, seed=1)
    assert split_rows(rows_of(40), THIRDS, seed=1) != split_rows(rows_of(40), THIRDS, seed=2)


@settings(deadline=None)
@given(st.lists(st.integers(0, 30), min_size=20, max_size=200), st.integers(0, 5))
def test_rows_of_equal_text_never_stand_in_two_splits(numbers: list[int], seed: int) -> None:
    rows = [{"id": str(n), "q": f"question  {number}", "answer": str(n)} for n, number in enumerate(numbers)]
    try:
        parts = split_rows(rows, THIRDS, seed)
    except DatasetError:
        assert len(set(numbers)) < 10, "only few groups can leave a split empty"
        return
    found = [{row["q"] for row in part} for part in parts.values()]
    assert sum(map(len, found)) == len(set(numbers))
    assert sum(map(len, parts.values())) == len(rows)


def test_spacing_does_not_make_a_text_another() -> None:
    rows = [*rows_of(10), {"id": "x", "q": " question \n 3", "answer": "other"}]
    for seed in range(10):
        parts = split_rows(rows, THIRDS, seed)
        assert any({"3", "x"} <= {row["id"] for row in part} for part in parts.values())


def test_rows_of_one_group_stay_together() -> None:
    rows = [{"id": str(n), "q": f"question {n}", "document": n // 5} for n in range(100)]
    parts = split_rows(rows, THIRDS, seed=4, group_by="document")
    found = [{row["document"] for row in part} for part in parts.values()]
    assert sum(map(len, found)) == 20 and {split: len(part) for split, part in parts.items()} == {
        "train": 50,
        "dev": 25,
        "test": 25,
    }
    with pytest.raises(UnknownName, match="Did you mean 'document'"):
        split_rows(rows, THIRDS, group_by="dokument")


def test_shares_that_make_no_sense_are_refused() -> None:
    for fractions in ({}, {"train": 0.5}, {"train": 1.5, "test": -0.5}, {"train": float("nan")}):
        with pytest.raises(UsageError):
            split_rows(rows_of(10), fractions)
    with pytest.raises(DatasetError, match="leave split 'test' empty"):
        split_rows(rows_of(10), {"train": 0.99, "test": 0.01})
