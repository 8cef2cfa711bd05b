"""Columns, the reference that is guessed, and the hash that evidence names."""

from __future__ import annotations

import pytest

from workbench.core.dataset import Dataset, DatasetCard, guess_reference


def dataset(*rows: dict) -> Dataset:
    return Dataset("d", "test", rows, None, DatasetCard(name="d"))


def test_columns_stand_in_order_of_first_appearance():
    assert dataset({"id": "1", "b": 1}, {"id": "2", "a": 1, "b": 2}).columns == ["id", "b", "a"]


def test_the_hash_follows_the_rows():
    assert dataset({"id": "1", "a": "x"}).hash == dataset({"id": "1", "a": "x"}).hash
    assert dataset({"id": "1", "a": "x"}).hash != dataset({"id": "1", "a": "y"}).hash


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        (["id", "question", "answer"], "answer"),
        (["text", "Label"], "Label"),
        (["answer", "reference"], "reference"),
        (["question", "notes"], None),
        ([], None),
    ],
)
def test_the_reference_is_guessed_by_its_name(columns: list[str], expected: str | None):
    assert guess_reference(columns) == expected
