"""The prompts page: what is written is previewed, checked, kept, saved, undone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from streamlit.testing.v1 import AppTest

from tests.app.conftest import Visit, press, texts


def field(test: AppTest, label: str) -> Any:
    """The first input with this label."""
    kinds = (test.text_area, test.text_input, test.selectbox, test.number_input)
    return next(element for kind in kinds for element in kind if element.label == label)


def test_the_rendered_messages_of_a_real_row_stand_beside_the_form(visit: Visit, root: Path) -> None:
    said = texts(visit("prompts", prompt="direct", dataset="word-problems", split="dev", row="2"))
    second = (root / "experiments/datasets/word-problems/dev.jsonl").read_text().splitlines()[1]
    question = second.split('"question": "')[1].split('"')[0]
    assert said.count(question) >= 2


def test_typing_changes_the_preview_and_saves_nothing(visit: Visit, root: Path) -> None:
    before = (root / "prompts" / "direct.yaml").read_text()
    test = visit("prompts", prompt="direct")
    last = [area for area in test.text_area if area.label.startswith("Text of message")][-1]
    last.set_value("Zebra {{ question }}").run()
    assert any(element.value.startswith("Zebra ") for element in test.text)
    assert "Not saved yet." in texts(test)
    assert (root / "prompts" / "direct.yaml").read_text() == before


def test_saving_writes_a_new_version(visit: Visit, root: Path) -> None:
    test = visit("prompts", prompt="direct")
    field(test, "Description").set_value("Ask straight away.").run()
    press(test, "Save")
    assert "description: Ask straight away." in (root / "prompts" / "direct.yaml").read_text()
    assert "Saved." in texts(test)


def test_a_mistake_names_its_line_and_nothing_is_lost(visit: Visit, root: Path) -> None:
    test = visit("prompts", prompt="direct", view="yaml")
    area = test.text_area[0]
    area.set_value(area.value + "\nanswr: {type: number}\n").run()
    said = texts(test).replace("\\", "")
    assert "answr" in said and "Did you mean 'answer'" in said and "line " in said
    assert "answr" in test.text_area[0].value
    press(test, "Save")
    assert "answr" not in (root / "prompts" / "direct.yaml").read_text()
    assert "answr" in test.text_area[0].value


def test_a_draft_survives_a_visit_to_another_page(visit: Visit) -> None:
    test = visit("prompts", prompt="direct")
    field(test, "Description").set_value("Half a thought").run()
    test.switch_page("views/home.py").run()
    test.switch_page("views/prompts.py").run()
    assert field(test, "Description").value == "Half a thought"


def test_what_was_deleted_can_be_put_back(visit: Visit, root: Path) -> None:
    test = visit("prompts", prompt="direct")
    press(test, "Delete")
    assert not (root / "prompts" / "direct.yaml").exists()
    press(test, "Undo")
    assert (root / "prompts" / "direct.yaml").exists()


def test_an_earlier_version_can_be_restored(visit: Visit, root: Path) -> None:
    test = visit("prompts", prompt="direct")
    for words in ("First.", "Second."):
        field(test, "Description").set_value(words).run()
        press(test, "Save")
    test.query_params["view"] = "history"
    test.run()
    press(test, "Restore the first")
    assert field(test, "Description").value == "First."
    assert "Not saved yet." in texts(test)


def test_braces_in_data_are_shown_and_never_rendered(visit: Visit, root: Path) -> None:
    split = root / "experiments/datasets/word-problems/dev.jsonl"
    split.write_text('{"id": "1", "question": "What is {{ 7 * 191 }}?", "answer": "1"}\n')
    said = texts(visit("prompts", prompt="direct", dataset="word-problems", split="dev"))
    assert "What is {{ 7 * 191 }}?" in said
    assert "1337" not in said


def test_trying_on_five_rows_shows_five_answers(visit: Visit, weights: None) -> None:
    test = press(visit("prompts", prompt="step-by-step", model="nano"), "Try on five rows")
    assert texts(test).count("to the first word") == 5


def test_an_ensemble_can_be_tried_and_shows_its_votes(visit: Visit, weights: None) -> None:
    test = press(visit("prompts", prompt="self-consistency", model="nano"), "Try on this row")
    assert not test.error, [error.value for error in test.error]
    assert any("votes" in expander.label for expander in test.expander)


def test_a_name_that_leaves_the_folder_is_refused(visit: Visit, root: Path) -> None:
    test = visit("prompts")
    field(test, "Name").set_value("../evil").run()
    press(test, "Create")
    assert test.error
    assert not (root / "evil.yaml").exists()


def test_another_prompt_is_shown_on_a_dataset_that_has_its_columns(visit: Visit) -> None:
    test = visit("prompts", prompt="direct")
    field(test, "Dataset").set_value("word-problems").run()
    field(test, "Prompt").set_value("label-zero-shot").run()
    assert field(test, "Dataset").value == "team-labels"
    assert not any("is not a column" in error.value for error in test.error)
