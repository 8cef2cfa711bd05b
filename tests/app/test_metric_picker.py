"""A metric is chosen where one edits an experiment, and added where one reads its results."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from tests.app.conftest import Visit, press, texts
from workbench.app.widgets.metric_picker import in_one_line, read_spec
from workbench.core.document import parse
from workbench.engine import Workspace, report


@pytest.mark.parametrize(
    "spec", ["bleu", {"name": "bleu", "tokenize": "zh"}, {"judge": "j", "model": "a: b", "as": "ü, {x}"}]
)
def test_a_line_of_yaml_reads_back_as_the_spec(spec: Any) -> None:
    assert read_spec(in_one_line(spec)) == spec
    assert "\n" not in in_one_line(spec)


@pytest.mark.parametrize("text", ["{name: [", "[1, 2]", "{}"])
def test_what_is_no_metric_is_kept_for_validation_to_refuse(text: str) -> None:
    assert read_spec(text) == text


def _field(found: Any, label: str) -> Any:
    return next(one for one in found if one.label == label)


def test_a_metric_with_settings_is_added_to_an_experiment(visit: Visit, root: Path, weights: None) -> None:
    test = visit("experiments", experiment="rewriting")
    _field(test.selectbox, "Metric").set_value("bleu")
    test.run()
    _field(test.text_area, "Settings, as YAML (optional)").set_value("lowercase: true")
    test.run()
    press(test, "Add")
    assert not test.error, [error.value for error in test.error]
    press(test, "Save")
    content, _ = parse((root / "experiments" / "rewriting.yaml").read_text())
    assert content["metrics"][-1] == {"name": "bleu", "lowercase": True}
    assert _field(test.text_input, "With settings 1").value == "{name: bleu, lowercase: true}"


def test_a_setting_that_is_not_there_is_a_sentence_and_changes_nothing(
    visit: Visit, root: Path, weights: None
) -> None:
    test = visit("experiments", experiment="rewriting")
    _field(test.selectbox, "Metric").set_value("bleu")
    test.run()
    _field(test.text_area, "Settings, as YAML (optional)").set_value("lowercse: true")
    test.run()
    press(test, "Add")
    assert "lowercase" in test.error[0].value
    assert next(button for button in test.button if button.label == "Save").disabled


def test_a_finished_run_is_measured_by_another_metric_and_back(visit: Visit, finished_run: str) -> None:
    test = visit("compare", run=finished_run)
    _field(
        test.selectbox,
        "Metric",
    ).set_value("exact_match")
    picker = [box for box in test.selectbox if box.label == "Metric"][-1]
    picker.set_value("f1")
    test.run()
    press(test, "Add")
    assert not test.error, [error.value for error in test.error]
    ws = Workspace.open(Path(os.environ["WORKBENCH_ROOT"]))
    assert list(report(ws, finished_run).cells[0].metrics) == ["exact_match", "f1"]
    assert "no output was asked again" in texts(test) or "Measured by" in str(test.success)
    press(test, "Take f1 out")
    assert list(report(ws, finished_run).cells[0].metrics) == ["exact_match"]
    press(test, "Undo")
    assert list(report(ws, finished_run).cells[0].metrics) == ["exact_match", "f1"]
    ws.close()
