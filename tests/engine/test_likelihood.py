"""A run may ask a local model how likely its outputs are: checked at the plan, stopped by a cancel, kept."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest

from workbench.core.experiment import Experiment
from workbench.engine import Workspace, create_run, execute_run, report
from workbench.engine.likelihood import text_likelihoods
from workbench.engine.model_services import RunServices
from workbench.engine.plan import load_plan
from workbench.engine.records import get_run
from workbench.engine.score import score_run
from workbench.errors import MetricError, RunCancelled, UnknownName
from workbench.metrics import Likelihood

PERPLEXITY = {"name": "perplexity", "model": "small", "as": "ppl"}
Build = Callable[..., Experiment]


def test_a_run_scores_its_outputs_and_references_under_the_embedded_model(
    workspace: Workspace, experiment: Build
) -> None:
    of_references = {"name": "mean_logprob", "model": "small", "target": "reference", "as": "right"}
    metrics = ["exact_match", PERPLEXITY, of_references]
    run = create_run(workspace, experiment(metrics=metrics), owner="command")
    found = execute_run(workspace, run)
    direct, careful = found.cells
    texts = [output.text for output in workspace.store.outputs.of_cell(run, direct.cell.index)]
    told = [one for one in text_likelihoods(workspace, "small", texts) if isinstance(one, Likelihood)]
    expected = math.exp(-sum(one.logprob for one in told) / sum(one.tokens for one in told))
    estimate = direct.metrics["ppl"]
    assert estimate.mean == pytest.approx(expected, rel=1e-4)
    assert (estimate.n, estimate.unscored) == (12, 0) and estimate.low < estimate.mean < estimate.high
    # the same references in every cell, the two of one digit too short to be told
    same = (direct.metrics["right"], careful.metrics["right"])
    assert same[0] == same[1] and (same[0].n, same[0].unscored) == (9, 3)
    reasons = score_run(workspace, run)[direct.cell.index, "right"].reasons
    assert set(reasons.values()) == {"It has fewer than two tokens."} and len(reasons) == 3
    assert report(workspace, run).cells[0].metrics["ppl"] == estimate  # read again with no model at hand


@pytest.mark.parametrize(
    ("metric", "error", "problem"),
    [
        ({"name": "perplexity", "model": "server"}, MetricError, "Model 'server' cannot say how likely"),
        ({"name": "perplexity", "model": "smal"}, UnknownName, "Did you mean 'small'"),
        (
            {"name": "checks", "checks": [{"metric": PERPLEXITY | {"model": "server"}, "threshold": 9}]},
            MetricError,
            "Model 'server' cannot say how likely",
        ),
    ],
)
def test_a_model_that_cannot_tell_is_refused_before_the_first_call(
    workspace: Workspace,
    experiment: Build,
    metric: dict[str, Any],
    error: type[Exception],
    problem: str,
) -> None:
    with pytest.raises(error, match=problem):
        create_run(workspace, experiment(metrics=[metric]))


def test_progress_is_told_and_a_cancel_is_heard_between_texts(
    workspace: Workspace, experiment: Build
) -> None:
    run = create_run(workspace, experiment(), owner="command")
    runs = workspace.store.runs
    record = get_run(workspace, run)
    texts = [f"{n} + 1" for n in range(600)]
    with RunServices(workspace, record, load_plan(workspace, record)) as services:
        assert len(services.likelihoods("nano", texts)) == 600
        assert get_run(workspace, run).message == "Model 'nano' has read 512 of 600 texts"
        runs.set(run, cancel_requested=True)
        assert len(services.likelihoods("nano", texts)) == 600  # known by now
        with pytest.raises(RunCancelled, match="resume"):
            services.likelihoods("nano", ["another text"])
