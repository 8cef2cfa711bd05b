"""Labels of a run: which are mistaken for which, read from what is stored."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.engine.conftest import write_workspace
from tests.engine.moods import add_moods, feels
from tests.fake_openai import openai_server
from workbench.core.experiment import Experiment
from workbench.engine import Workspace, create_run, execute_run, label_report, label_report_json, report
from workbench.errors import MetricError, RunError


@pytest.fixture
def moods(tmp_path: Path) -> Iterator[Workspace]:
    """A workspace with the classification."""
    with openai_server(answer=feels) as base_url:
        root = write_workspace(tmp_path / "root", base_url)
        add_moods(root)
        opened = Workspace.open(root)
        yield opened
        opened.close()


def finished(workspace: Workspace, experiment: Experiment) -> str:
    run = create_run(workspace, experiment)
    execute_run(workspace, run)
    return run


def test_a_cells_mistakes_are_counted_by_label(moods: Workspace) -> None:
    run = finished(moods, moods.experiment("moods"))
    found = label_report(moods, run, 0).found
    assert found.labels == ("bad", "good", "mixed")
    assert found.columns == ("bad", "good", "mixed", "no answer")
    assert found.counts.tolist() == [[4, 0, 0, 0], [0, 5, 0, 1], [2, 0, 0, 0]]
    assert found.mistakes == [("mixed", "bad", 2), ("good", "no answer", 1)]
    by_label = {line.label: line for line in found.lines}
    assert by_label["bad"].precision.mean == pytest.approx(4 / 6)
    assert by_label["good"].recall.mean == pytest.approx(5 / 6)
    assert by_label["mixed"].given == 0 and by_label["mixed"].f1.mean == 0
    metrics = report(moods, run).cells[0].metrics
    assert metrics["accuracy"].mean == pytest.approx(9 / 12)
    assert metrics["macro_f1"].mean == pytest.approx(sum(line.f1.mean for line in found.lines) / 3)


def test_the_document_is_plain_json(moods: Workspace) -> None:
    run = finished(moods, moods.experiment("moods"))
    document = json.loads(json.dumps(label_report_json(label_report(moods, run, 0)), allow_nan=False))
    assert document["prompt"] == "mood" and document["confusion"]["counts"][2] == [2, 0, 0, 0]
    never_given = next(line for line in document["labels"] if line["label"] == "mixed")
    assert never_given["precision"] == {"mean": None, "low": None, "high": None, "n": 0}


def test_repeats_are_rows_once(moods: Workspace) -> None:
    experiment = moods.experiment("moods").model_copy(update={"repeats": 3})
    found = label_report(moods, finished(moods, experiment), 0).found
    assert found.counts.sum() == 36
    once = label_report(moods, finished(moods, moods.experiment("moods")), 0).found
    good, alone = found.lines[1].recall, once.lines[1].recall
    assert good.high - good.low == pytest.approx(alone.high - alone.low, rel=0.2)


def test_answers_that_are_no_labels_say_why(
    workspace: Workspace, experiment: Callable[..., Experiment]
) -> None:
    run = finished(workspace, experiment())
    with pytest.raises(MetricError, match="12 different references in 12 rows are answers"):
        label_report(workspace, run, 0)


def test_a_cell_that_is_not_there_is_one_sentence(moods: Workspace) -> None:
    run = create_run(moods, moods.experiment("moods"))
    with pytest.raises(RunError, match="no outputs of mood · server yet"):
        label_report(moods, run, 0)
    with pytest.raises(RunError, match="no cell 7; the run has cells 0 to 0"):
        label_report(moods, run, 7)
