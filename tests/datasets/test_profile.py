"""The profile says what a dataset is made of, and warns of rows that stand in two splits."""

from __future__ import annotations

from typing import Any

from workbench.core.dataset import Dataset, DatasetCard
from workbench.datasets import profile


def dataset(*rows: dict[str, Any], split: str = "test", reference: str | None = "answer") -> Dataset:
    with_ids = tuple({"id": str(n), **row} for n, row in enumerate(rows))
    return Dataset("d", split, with_ids, reference, DatasetCard(name="d"))


def test_columns_are_described() -> None:
    found = profile(
        dataset(
            {"q": "a" * 10, "n": "7", "x": 1.5, "tags": ["a"], "ok": True, "answer": "yes"},
            {"q": "b" * 20, "n": "-8", "x": "2", "tags": [], "ok": False, "answer": "no"},
            {"q": "c" * 90, "n": "", "x": None, "answer": "yes"},
            {"q": "a" * 10, "n": "9", "x": "1e3", "ok": "true", "answer": "yes"},
        )
    )
    kinds = {column.name: column.kind for column in found.columns}
    assert kinds == {
        "id": "integer",
        "q": "text",
        "n": "integer",
        "x": "number",
        "tags": "nested",
        "ok": "boolean",
        "answer": "label",
    }
    by_name = {column.name: column for column in found.columns}
    assert (by_name["n"].missing, by_name["tags"].missing, by_name["q"].distinct) == (1, 2, 3)
    q = by_name["q"]
    assert (q.shortest, q.length_p50, q.length_p90, q.longest) == (10, 10, 90, 90)
    assert found.labels == (("yes", 3), ("no", 1))
    assert found.rows == 4 and found.warnings == ()


def test_numbers_that_are_answers_are_not_labels() -> None:
    assert profile(dataset(*({"q": f"q{n}", "answer": str(n)} for n in range(9)))).labels is None


def test_duplicates_within_and_leaks_between_splits_are_warned_of() -> None:
    test = dataset({"q": "one", "answer": "1"}, {"q": "one", "answer": "I"}, {"q": "two", "answer": "2"})
    train = dataset({"q": " two ", "answer": "zwei"}, {"q": "three", "answer": "3"}, split="train")
    dev = dataset({"q": "four", "answer": "4"}, split="dev")
    found = profile(test, others=[train, dev])
    assert found.duplicates == 1
    assert [(leak.split, leak.rows, leak.ids) for leak in found.leaks] == [("train", 1, ("2",))]
    assert found.warnings[0].startswith("1 of 3 rows also stand in split 'train'")
    assert found.warnings[1] == "1 rows repeat the text of an earlier row."


def test_a_missing_reference_is_warned_of() -> None:
    assert "No column holds the right answer" in profile(dataset({"q": "a"}, reference=None)).warnings[0]
    assert (
        "missing in 1 rows"
        in profile(dataset({"q": "a", "answer": ""}, {"q": "b", "answer": "x"})).warnings[0]
    )


def test_thousands_with_commas_are_integers() -> None:
    (_, column) = profile(dataset({"q": "1,450"}, {"q": "-7"}, {"q": "12"})).columns
    assert column.kind == "integer"
    (_, column) = profile(dataset({"q": "1,45"}, {"q": "7.5"}, {"q": "12,3456"})).columns
    assert column.kind == "text"


def test_nan_and_inf_as_text_are_text() -> None:
    (_, column) = profile(dataset({"q": "nan"}, {"q": "-inf"}, {"q": "infinite jest"})).columns
    assert column.kind == "text"
