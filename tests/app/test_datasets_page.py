"""The datasets page: fifty rows a screen, a profile, an import that is all or nothing, deleting with undo."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from tests.app.conftest import Visit, press, texts


def upload(test: AppTest, name: str, content: bytes) -> AppTest:
    """Chooses a file and presses Import."""
    test.file_uploader[0].upload(name, content, "text/csv")
    return test.run()


def test_rows_come_fifty_a_screen(visit: Visit) -> None:
    test = visit("datasets", dataset="word-problems", split="test")
    assert len(test.dataframe[0].value) == 50
    assert "Rows 1 to 50 of 60 rows" in texts(test)
    second = visit("datasets", dataset="word-problems", split="test", page="2")
    assert len(second.dataframe[0].value) == 10


def test_a_search_narrows_the_rows(visit: Visit) -> None:
    test = visit("datasets", dataset="word-problems", split="test", find="word-problems-test-0007")
    assert len(test.dataframe[0].value) == 1


def test_the_profile_counts_labels(visit: Visit) -> None:
    test = visit("datasets", dataset="team-labels", view="profile")
    assert not test.error, [error.value for error in test.error]
    assert "Right answers" in texts(test)


def test_an_imported_table_is_previewed_mapped_and_kept(visit: Visit, root: Path) -> None:
    test = visit("datasets", view="import")
    upload(test, "quiz.csv", b"prompt,solution\n1+1?,2\n2+2?,4\n")
    assert "1+1?" in test.dataframe[0].value.to_string()
    next(field for field in test.text_input if field.label == "prompt").set_value("question")
    next(box for box in test.selectbox if box.label == "The right answer stands in").set_value("solution")
    press(test, "Import")
    assert not test.error, [error.value for error in test.error]
    assert "Imported 2 rows" in texts(test)
    assert '"question"' in (root / "experiments/datasets/quiz/test.jsonl").read_text()


def test_a_ragged_table_names_its_line_and_leaves_nothing(visit: Visit, root: Path) -> None:
    test = visit("datasets", view="import")
    upload(test, "ragged.csv", b"a,b\n1,2\n1,2,3\n")
    assert "line 3" in test.error[0].value.replace("\\", "")
    assert not (root / "experiments" / "datasets" / "ragged").exists()


def test_a_column_name_cannot_bring_an_image(visit: Visit) -> None:
    test = visit("datasets", view="import")
    upload(test, "evil.csv", b"![x](http://a.example/b.png),b\n1,2\n")
    labels = [field.label for field in test.text_input]
    assert not any(label.startswith("![") for label in labels)


def test_a_deleted_dataset_can_be_put_back(visit: Visit, root: Path) -> None:
    test = press(visit("datasets", dataset="transit"), "Delete")
    assert not (root / "experiments/datasets/transit").exists()
    press(test, "Undo")
    assert (root / "experiments/datasets/transit/test.jsonl").exists()


@pytest.mark.parametrize("name", ["", "../up", "a/b", "con\x00"])
def test_a_name_that_is_no_file_name_is_refused(visit: Visit, root: Path, name: str) -> None:
    test = visit("datasets", view="import")
    upload(test, "quiz.csv", b"a,b\n1,2\n")
    next(field for field in test.text_input if field.label == "Name").set_value(name)
    press(test, "Import")
    assert test.error
    assert sorted(path.name for path in (root / "experiments" / "datasets").iterdir()) == [
        "rewriting",
        "team-labels",
        "transit",
        "word-problems",
    ]
