"""The store: what is listed is complete, what is deleted comes back, what is wrong is named."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from workbench.core.dataset import DatasetCard
from workbench.datasets import DatasetStore, split_file
from workbench.errors import DatasetError, InvalidFile, UnknownName, UsageError


def put(folder: Path, name: str, split: str, *lines: str) -> Path:
    path = folder / name / f"{split}.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(line + "\n" for line in lines), encoding="utf-8")
    return path


@pytest.fixture
def numbers(store: DatasetStore) -> DatasetStore:
    put(store.folder, "numbers", "test", *(json.dumps({"n": n, "answer": str(n)}) for n in range(50)))
    return store


def test_a_folder_that_is_not_there_holds_no_datasets(store: DatasetStore) -> None:
    assert store.names() == [] and store.broken() == [] and store.deleted() == []


def test_rows_without_an_id_get_their_line_number(store: DatasetStore) -> None:
    put(store.folder, "d", "test", '{"q": "a"}', "", '{"q": "b"}', '{"q": "c", "id": 9}')
    rows = store.load("d").rows
    assert [row["id"] for row in rows] == ["1", "3", "9"]
    assert all(next(iter(row)) == "id" for row in rows)


def test_an_id_that_stands_twice_is_named_with_both_lines(store: DatasetStore) -> None:
    put(store.folder, "d", "test", '{"id": "x", "q": 1}', '{"id": "y", "q": 1}', '{"id": "x", "q": 2}')
    with pytest.raises(InvalidFile, match=r"test\.jsonl, line 3: id 'x' already stands in line 1"):
        store.load("d")


def test_a_card_is_inferred_where_only_rows_stand(numbers: DatasetStore) -> None:
    assert numbers.card("numbers") == DatasetCard(name="numbers", splits=("test",))
    assert numbers.load("numbers").reference == "answer"


def test_the_card_decides_the_reference_and_the_caller_decides_over_it(numbers: DatasetStore) -> None:
    (numbers.folder / "numbers" / "dataset.yaml").write_text("name: numbers\nreference: n\n")
    assert numbers.load("numbers").reference == "n"
    assert numbers.load("numbers", reference="answer").reference == "answer"
    with pytest.raises(UnknownName, match="Did you mean 'answer'"):
        numbers.load("numbers", reference="anwser")


def test_a_reference_column_that_no_row_has_is_an_error_of_the_card(numbers: DatasetStore) -> None:
    (numbers.folder / "numbers" / "dataset.yaml").write_text("name: numbers\nreference: gold\n")
    with pytest.raises(InvalidFile, match="key `reference`: no row of split 'test' has the column 'gold'"):
        numbers.load("numbers")


def test_unknown_names_offer_the_nearest(numbers: DatasetStore) -> None:
    with pytest.raises(UnknownName, match=r"no dataset named 'numbrs'\. Did you mean 'numbers'"):
        numbers.load("numbrs")
    with pytest.raises(UnknownName, match="Known: test"):
        numbers.load("numbers", "train")


@pytest.mark.parametrize("name", ["../numbers", "/etc", "", ".", "..", ".trash", "a/b", "a\x00b", "numbers/"])
def test_names_never_leave_the_folder(numbers: DatasetStore, name: str) -> None:
    put(numbers.folder.parent, "outside", "test", '{"q": 1}')
    for act in (numbers.card, numbers.load, numbers.delete, numbers.undelete, numbers.splits):
        with pytest.raises(UnknownName):
            act(name)
    with pytest.raises(UnknownName):
        numbers.load("numbers", name)
    with pytest.raises(DatasetError):
        numbers.save_rows(name, "test", [{"q": 1}])
    with pytest.raises(DatasetError):
        numbers.save_rows("fresh", name, [{"q": 1}])
    assert numbers.names() == ["numbers"]


def test_an_empty_split_says_so(store: DatasetStore) -> None:
    put(store.folder, "d", "test")
    with pytest.raises(DatasetError, match="Dataset 'd' has no rows in split 'test'; add rows to"):
        store.load("d")


def test_a_broken_dataset_leaves_the_good_ones_usable(numbers: DatasetStore) -> None:
    put(numbers.folder, "bad", "test", '{"q": 1}')
    (numbers.folder / "bad" / "dataset.yaml").write_text("name: bad\nrefrence: q\n")
    put(numbers.folder, "renamed", "test", '{"q": 1}')
    (numbers.folder / "renamed" / "dataset.yaml").write_text("name: other\n")
    (numbers.folder / "rowless").mkdir()
    (numbers.folder / "rowless" / "dataset.yaml").write_text("name: rowless\n")
    put(numbers.folder, "short", "test", '{"q": 1}')
    (numbers.folder / "short" / "dataset.yaml").write_text("name: short\nsplits: [train, test]\n")
    assert numbers.names() == ["numbers"]
    sentences = [str(problem) for problem in numbers.broken()]
    assert len(sentences) == 4
    assert "line 2, key `refrence`: unknown key. Did you mean 'reference'?" in sentences[0]
    assert "make them equal" in sentences[1]
    assert "holds no rows" in sentences[2]
    assert "train.jsonl is not there" in sentences[3]


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ('{"q": 1', "not valid JSON"),
        ("[1, 2]", "found a list"),
        ('"text"', "found text"),
        ("null", "found null"),
        ("{}", "no columns"),
        ('{"": 1}', "no name"),
        ('{"q": 1, "q": 2}', "column 'q' stands twice"),
        ('{"q": NaN}', "NaN is not JSON; write null"),
        ('{"q": -Infinity}', "-Infinity is not JSON"),
        ('{"q": 1e999}', "too large"),
        ('{"q": ' + "9" * 5000 + "}", "too many digits"),
        ('{"q": "\\u0000"}', "NUL"),
        ('{"q": "\\ud83d"}', "half of a character"),
        ('{"id": [1], "q": 1}', "the id is a list"),
        ('{"q": ' + "[" * 100_000 + "}", "nested too deeply"),
    ],
)
def test_a_bad_row_is_named_by_its_line(store: DatasetStore, line: str, problem: str) -> None:
    put(store.folder, "d", "test", '{"q": 0}', line, '{"q": 2}')
    with pytest.raises(InvalidFile) as caught:
        store.load("d")
    assert caught.value.line == 2 and problem in caught.value.problem


def test_bytes_that_are_not_utf8_are_named_by_line_and_offset(store: DatasetStore) -> None:
    put(store.folder, "d", "test").write_bytes(b'{"q": 1}\n{"q": "caf\xe9"}\n')
    with pytest.raises(InvalidFile, match=r"line 2: not UTF-8 at byte 19"):
        store.load("d")


def test_a_byte_order_mark_is_no_part_of_the_first_row(store: DatasetStore) -> None:
    put(store.folder, "d", "test").write_bytes(b'\xef\xbb\xbf{"q": 1}\r\n{"q": 2}\r\n')
    assert [row["q"] for row in store.load("d").rows] == [1, 2]


def test_integers_of_any_size_stay_exact(store: DatasetStore) -> None:
    put(store.folder, "d", "test", '{"q": 123456789012345678901234567890}')
    assert store.load("d").rows[0]["q"] == 123456789012345678901234567890


def test_the_limit_comes_after_the_seeded_shuffle(numbers: DatasetStore) -> None:
    first = [row["n"] for row in numbers.load("numbers", limit=5).rows]
    shuffled = [row["n"] for row in numbers.load("numbers", limit=5, shuffle=3).rows]
    again = [row["n"] for row in numbers.load("numbers", limit=5, shuffle=3).rows]
    whole = [row["n"] for row in numbers.load("numbers", shuffle=3).rows]
    assert first == [0, 1, 2, 3, 4]
    assert shuffled == again == whole[:5] != first
    assert sorted(whole) == list(range(50))
    with pytest.raises(UsageError):
        numbers.load("numbers", limit=0)


def test_a_page_shows_its_rows_and_the_total(numbers: DatasetStore) -> None:
    rows, total = numbers.page("numbers", "test", offset=48, limit=10)
    assert ([row["n"] for row in rows], total) == ([48, 49], 50)
    rows, total = numbers.page("numbers", "test", offset=1, limit=2, contains="7")
    assert [(row["id"], row["n"]) for row in rows] == [("8", 7), ("17", 16)] and total == 10
    assert numbers.page("numbers", "test", contains="nowhere") == ([], 0)


def test_a_changed_row_in_hand_does_not_change_the_next_load(numbers: DatasetStore) -> None:
    numbers.load("numbers").rows[0]["n"] = "spoilt"
    assert numbers.load("numbers").rows[0]["n"] == 0


def test_large_files_are_paged_from_disk_alike(
    numbers: DatasetStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = numbers.load("numbers", shuffle=1).rows
    monkeypatch.setattr(split_file, "KEPT_BYTES", 0)
    put(numbers.folder, "large", "test", *(json.dumps({"n": n, "answer": str(n)}) for n in range(50)))
    assert numbers.load("large", shuffle=1).rows == small
    assert numbers.page("large", "test", 3, 2) == numbers.page("numbers", "test", 3, 2)
    assert numbers.page("large", "test", contains="49") == numbers.page("numbers", "test", contains="49")


def test_a_file_edited_by_hand_is_read_anew(numbers: DatasetStore) -> None:
    assert numbers.count("numbers", "test") == 50
    put(numbers.folder, "numbers", "test", '{"n": "edited"}')
    assert [row["n"] for row in numbers.load("numbers").rows] == ["edited"]


def test_what_is_deleted_comes_back_the_last_one_first(numbers: DatasetStore) -> None:
    numbers.delete("numbers")
    assert numbers.names() == [] and numbers.deleted() == ["numbers"]
    put(numbers.folder, "numbers", "test", '{"n": "second"}')
    with pytest.raises(DatasetError, match="There is a dataset 'numbers' again"):
        numbers.undelete("numbers")
    numbers.delete("numbers")
    numbers.undelete("numbers")
    assert numbers.load("numbers").rows[0]["n"] == "second"
    with pytest.raises(UnknownName):
        numbers.undelete("nombers")


def test_saving_a_split_leaves_the_others_and_keeps_the_card(numbers: DatasetStore) -> None:
    card = DatasetCard(name="numbers", description="Some numbers.", reference="answer")
    numbers.save_rows("numbers", "train", [{"id": "a", "n": 1, "answer": "1"}], card)
    assert numbers.splits("numbers") == ["train", "test"]
    assert numbers.card("numbers").description == "Some numbers."
    numbers.save_rows("numbers", "dev", [{"id": "a", "n": 1, "answer": "1"}])
    assert numbers.card("numbers").description == "Some numbers."
    assert numbers.splits("numbers") == ["train", "dev", "test"]
    assert numbers.count("numbers", "test") == 50


def test_rows_that_cannot_be_saved_change_nothing(numbers: DatasetStore) -> None:
    for bad in ({"q": float("nan")}, {"q": {1, 2}}, {"q": "\ud83d"}, {"q": "\x00"}):
        with pytest.raises(DatasetError, match="Row 2 cannot be saved"):
            numbers.save_rows("numbers", "test", [{"q": 1}, bad])
    assert numbers.count("numbers", "test") == 50
    assert [path.name for path in numbers.folder.iterdir()] == ["numbers"]
