"""The experiments page: a grid by form or YAML, what it would take, saved and run; and the models page."""

from __future__ import annotations

from pathlib import Path

from tests.app.conftest import Visit, press, texts
from workbench.engine import Workspace, runs


def test_the_estimate_stands_beside_the_form(visit: Visit, weights: None) -> None:
    test = visit("experiments", experiment="quickstart")
    assert not test.error, [error.value for error in test.error]
    assert "8 cells" in texts(test)
    metrics = {metric.label: metric.value for metric in test.metric}
    assert int(metrics["Calls"].replace(",", "")) > 0
    assert metrics["Cost, at most"] == "$0"


def test_a_smaller_grid_is_counted_at_once_and_not_saved_yet(visit: Visit, root: Path, weights: None) -> None:
    before = (root / "experiments" / "quickstart.yaml").read_text()
    test = visit("experiments", experiment="quickstart")
    next(box for box in test.multiselect if box.label == "Models").set_value(["nano"])
    next(box for box in test.selectbox if box.label == "Baseline prompt").set_value("the first cell")
    test.run()
    assert "4 cells" in texts(test)
    assert (root / "experiments" / "quickstart.yaml").read_text() == before


def test_comments_survive_an_edit_as_yaml(visit: Visit, root: Path, weights: None) -> None:
    test = visit("experiments", experiment="quickstart", view="yaml")
    area = test.text_area[0]
    area.set_value(area.value.replace("limit: 80", "limit: 7")).run()
    press(test, "Save")
    text = (root / "experiments" / "quickstart.yaml").read_text()
    assert "limit: 7" in text
    assert text.startswith("# Four ways of asking")


def test_a_mistake_is_a_sentence_and_nothing_can_be_run(visit: Visit, weights: None) -> None:
    test = visit("experiments", experiment="quickstart", view="yaml")
    area = test.text_area[0]
    area.set_value(area.value.replace("step-by-step", "step-by-stp")).run()
    assert "Did you mean 'step-by-step'" in test.error[0].value.replace("\\", "")
    run = next(button for button in test.button if button.label.startswith("Save and run"))
    assert run.disabled


def test_run_queues_the_saved_experiment(visit: Visit, root: Path, weights: None) -> None:
    press(visit("experiments", experiment="team-labels"), "Run")
    ws = Workspace.open(root)
    found = [run.experiment for run in runs(ws)]
    ws.close()
    assert found == ["team-labels"]


def test_a_deleted_experiment_can_be_put_back(visit: Visit, root: Path, weights: None) -> None:
    test = press(visit("experiments", experiment="transit"), "Delete")
    assert not (root / "experiments" / "transit.yaml").exists()
    press(test, "Undo")
    assert (root / "experiments" / "transit.yaml").exists()


def test_a_model_is_added_by_its_address_and_its_key_by_name_only(visit: Visit, root: Path) -> None:
    test = visit("models")
    fields = {field.label: field for field in test.text_input}
    fields["Name, as experiments will call it"].set_value("hosted")
    fields["The server's name for it"].set_value("big-1")
    fields["Base URL"].set_value("https://api.example/v1")
    fields["Environment variable with the key"].set_value("EXAMPLE_KEY")
    press(test, "Add the model")
    assert not test.error, [error.value for error in test.error]
    assert "hosted" in [spec.name for spec in Workspace.open(root).models.specs()]
    assert "! not ready" in test.table[0].value.to_string()


def test_a_key_in_place_of_its_name_is_refused_and_written_nowhere(visit: Visit, root: Path) -> None:
    test = visit("models")
    fields = {field.label: field for field in test.text_input}
    fields["Name, as experiments will call it"].set_value("hosted")
    fields["The server's name for it"].set_value("big-1")
    fields["Environment variable with the key"].set_value("sk-not-a-real-key-123")
    press(test, "Add the model")
    assert test.error
    assert "sk-not" not in (root / "experiments" / "models.yaml").read_text()


def test_an_embedded_model_says_hello(visit: Visit, weights: None) -> None:
    test = press(visit("models", model="nano"), "Send")
    assert not test.error, [error.value for error in test.error]
    assert "to the first word" in texts(test)
