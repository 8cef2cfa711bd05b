"""Every pair of a run's cells, and what a plan's rows will show before it runs."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations
from pathlib import Path

import pytest

from tests.engine.conftest import adds, write_workspace
from tests.fake_openai import openai_server
from workbench.core.experiment import Experiment
from workbench.engine import (
    Workspace,
    compare,
    compare_pairs,
    create_run,
    detectable,
    estimate,
    execute_run,
    make_plan,
    pairs_json,
)
from workbench.errors import UnknownName

Build = Callable[..., Experiment]


def made(workspace: Workspace, experiment: Experiment) -> str:
    run = create_run(workspace, experiment)
    execute_run(workspace, run)
    return run


@pytest.mark.parametrize("metric", ["exact_match", "f1", "bleu"])
def test_every_two_cells_are_compared_once_and_as_with_the_baseline(
    workspace: Workspace, experiment: Build, metric: str
) -> None:
    wanted = experiment(prompts=["direct", "careful", "three-shots"], metrics=[metric])
    run = made(workspace, wanted)
    found, against = compare_pairs(workspace, run), compare(workspace, run)
    assert [(line.first, line.second) for line in found.lines] == list(combinations(found.cells, 2))
    assert len(found.lines) == 3
    for line in against.comparisons:
        pair = next(p for p in found.lines if p.first == against.baseline and p.second == line.cell)
        assert pair.difference == pytest.approx(line.difference)
        assert (pair.low, pair.high) == pytest.approx((line.low, line.high), rel=0.1, abs=0.02)
        assert pair.p == pytest.approx(line.p, abs=0.02)
        assert pair.p_adjusted >= pair.p, "three comparisons, not two"


def test_repeats_are_one_row_and_the_margin_and_confidence_are_the_experiments(
    workspace: Workspace, experiment: Build
) -> None:
    once = compare_pairs(workspace, made(workspace, experiment(metrics=["f1"])))
    wanted = experiment(metrics=["f1"], repeats=4, margin=0.9, confidence=0.8)
    four = compare_pairs(workspace, made(workspace, wanted))
    assert four.lines[0].n == 4 * once.lines[0].n
    assert four.lines[0].p == pytest.approx(once.lines[0].p, abs=0.02)
    assert (four.margin, four.confidence) == (0.9, 0.8)
    assert compare(workspace, four.run).confidence == 0.8
    assert four.lines[0].verdict == "tied"


def test_one_cell_makes_no_pair_and_an_unknown_metric_is_named(
    workspace: Workspace, experiment: Build
) -> None:
    run = made(workspace, experiment(prompts=["direct"]))
    assert pairs_json(compare_pairs(workspace, run))["pairs"] == []
    with pytest.raises(UnknownName, match="no metric in this run named 'bleu'"):
        compare_pairs(workspace, run, "bleu")


def test_before_the_first_run_the_usual_disagreement_is_taken_and_said(
    workspace: Workspace, experiment: Build
) -> None:
    plan = make_plan(workspace, experiment())
    found = estimate(workspace, plan).detectable
    assert found is not None and found.run is None and found.difference is None
    assert found.sentence == (
        "With 12 rows no difference can be shown, if two cells disagree on 20 % of rows: take more rows."
    )


@pytest.mark.parametrize(("metric", "words"), [("exact_match", "points"), ("f1", "differences of 0.")])
def test_after_a_run_its_own_disagreement_is_taken(
    tmp_path: Path, experiment: Build, metric: str, words: str
) -> None:
    with openai_server(answer=adds) as url:
        opened = Workspace.open(write_workspace(tmp_path / "root", url, rows=60))
        wanted = experiment(metrics=[metric])
        run = made(opened, wanted)
        found = detectable(opened, make_plan(opened, wanted))
        more = detectable(opened, make_plan(opened, wanted, limit=30))
        other = detectable(opened, make_plan(opened, experiment(metrics=[metric], name="other")))
        opened.close()
    assert found is not None and found.run == run and words in found.sentence and run in found.sentence
    assert more is not None and more.difference > found.difference
    assert other is None or other.run is None, "another experiment says nothing of this one"


def test_without_a_baseline_to_compare_with_or_scores_to_go_by_nothing_is_said(
    workspace: Workspace, experiment: Build
) -> None:
    assert detectable(workspace, make_plan(workspace, experiment(prompts=["direct"]))) is None
    assert detectable(workspace, make_plan(workspace, experiment(metrics=["f1"]))) is None
