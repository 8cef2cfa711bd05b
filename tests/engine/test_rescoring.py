"""A finished run takes another metric without asking for a single output again."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.fake_openai import BaseUrl
from workbench.core.experiment import Experiment
from workbench.engine import (
    Workspace,
    add_metrics,
    compare,
    create_run,
    execute_run,
    remove_metric,
    report,
    unmeasured,
    winner,
)
from workbench.errors import MetricError, RunError, UnknownName
from workbench.metrics import Metric, labelling
from workbench.metrics.classification import LabelMetric

Build = Callable[..., Experiment]


@pytest.fixture
def run(workspace: Workspace, experiment: Build) -> str:
    created = create_run(workspace, experiment())
    execute_run(workspace, created)
    return created


def test_a_new_metric_stands_in_the_table_and_costs_no_call(
    workspace: Workspace, run: str, server: BaseUrl
) -> None:
    calls = len(server.bodies)
    names, queued = add_metrics(workspace, run, ["f1", {"name": "bleu", "lowercase": True, "as": "bleu_low"}])
    assert (names, queued) == (["f1", "bleu_low"], False)
    shown = report(workspace, run)
    assert list(shown.cells[0].metrics) == ["exact_match", "f1", "bleu_low"]
    assert shown.cells[1].metrics["f1"].mean == 1.0
    assert compare(workspace, run, "bleu_low").comparisons[0].verdict in ("better", "undecided")
    assert len(server.bodies) == calls


def test_a_metric_that_is_there_already_is_not_added_twice(workspace: Workspace, run: str) -> None:
    assert add_metrics(workspace, run, ["exact_match"]) == ([], False)
    assert list(report(workspace, run).cells[0].metrics) == ["exact_match"]


@pytest.mark.parametrize(
    "spec", ["no_such", {"name": "f1", "colour": "red"}, {"name": "bleu", "as": "exact_match"}]
)
def test_a_metric_that_cannot_be_set_up_changes_nothing(workspace: Workspace, run: str, spec: object) -> None:
    before = workspace.store.runs.get(run)
    if isinstance(spec, dict) and spec.get("as") == "exact_match":
        assert add_metrics(workspace, run, [spec]) == ([], False)
    else:
        with pytest.raises((MetricError, UnknownName)):
            add_metrics(workspace, run, ["f1", spec])  # type: ignore[list-item]
    assert workspace.store.runs.get(run) == before


def test_a_metric_can_be_taken_out_and_put_back(workspace: Workspace, run: str) -> None:
    add_metrics(workspace, run, ["f1"])
    spec = remove_metric(workspace, run, "exact_match")
    assert list(report(workspace, run).cells[0].metrics) == ["f1"]
    add_metrics(workspace, run, [spec])
    assert list(report(workspace, run).cells[0].metrics) == ["f1", "exact_match"]
    with pytest.raises(UnknownName):
        remove_metric(workspace, run, "bleu")


def test_the_last_metric_stays(workspace: Workspace, run: str) -> None:
    with pytest.raises(RunError, match="only metric"):
        remove_metric(workspace, run, "exact_match")


def test_a_live_run_keeps_its_metrics(workspace: Workspace, experiment: Build) -> None:
    queued = create_run(workspace, experiment())
    with pytest.raises(RunError, match="queued"):
        add_metrics(workspace, queued, ["f1"])


def test_a_metric_that_can_score_nothing_leaves_the_others_alone(
    workspace: Workspace, run: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(labelling, "MOST_LABELS", 3)
    with pytest.raises(MetricError, match="hold 12 different labels"):
        add_metrics(workspace, run, ["macro_f1"])  # the right answers tell, before anything is asked
    monkeypatch.setattr(LabelMetric, "check_references", Metric.check_references)
    add_metrics(workspace, run, ["macro_f1"])
    shown = report(workspace, run)
    for line in shown.cells:
        assert line.metrics["exact_match"].n == 12
        assert (line.metrics["macro_f1"].n, line.metrics["macro_f1"].unscored) == (0, 12)
    ((metric, reason),) = unmeasured(workspace, shown)
    assert metric == "macro_f1" and "hold 12 different labels" in reason
    assert [line.n for line in compare(workspace, run, "macro_f1").comparisons] == [0]
    assert winner(workspace, run, "exact_match").metric == "exact_match"
