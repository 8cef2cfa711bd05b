"""An experiment over time: what each run scored, and what of it the prompt's change explains."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from tests.engine.test_running import run_it
from workbench.core.experiment import Experiment
from workbench.core.race import Race, RaceSettings, Stop
from workbench.engine import (
    Workspace,
    create_run,
    delete_run,
    history,
    history_json,
    run_change,
    run_change_json,
)
from workbench.errors import RunError, UnknownName

Build = Callable[..., Experiment]


def edit(workspace: Workspace, prompt: str, old: str, new: str) -> None:
    file = workspace.root / "prompts" / f"{prompt}.yaml"
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))


def test_every_completed_run_is_a_point_of_each_cell_oldest_first(
    workspace: Workspace, experiment: Build
) -> None:
    first = run_it(workspace, experiment())
    second = run_it(workspace, experiment(), limit=6)
    create_run(workspace, experiment(), owner="command")  # queued: not a point
    found = history(workspace, "sums")
    assert [run.id for run in found.runs] == [first, second]
    assert [(run.rows, run.same_rows) for run in found.runs] == [(12, True), (6, False)]
    assert [line.label for line in found.lines] == ["direct · server", "careful · server"]
    assert [[point.estimate.mean for point in line.points] for line in found.lines] == [[0.5, 0.5], [1, 1]]
    json.dumps(history_json(found), allow_nan=False)


def test_the_diff_of_a_prompt_stands_beside_the_paired_change_of_its_metric(
    workspace: Workspace, experiment: Build
) -> None:
    older = run_it(workspace, experiment(confidence=0.9))
    edit(workspace, "direct", "{{ question }}", "{{ question }} Think step by step.")
    newer = run_it(workspace, experiment(confidence=0.9))
    found = run_change(workspace, older, newer)
    direct, careful = found.cells
    assert ("added", " Think step by step.") in direct.diff
    assert "".join(text for kind, text in direct.diff if kind != "added").count("Think") == 0
    assert careful.diff == ()
    assert direct.before is not None and direct.before.mean == 0.5
    assert direct.after is not None and direct.after.mean == 1.0
    assert direct.comparison is not None and direct.comparison.difference == 0.5
    assert direct.comparison.verdict == "better" and direct.comparison.n == 12
    assert careful.comparison is not None and careful.comparison.verdict == "tied"
    assert found.also == () and found.unpaired == ""
    back = run_change(workspace, newer, older)
    assert back.cells[0].comparison is not None and back.cells[0].comparison.verdict == "worse"
    json.dumps(run_change_json(found), allow_nan=False)


def test_a_member_of_an_ensemble_that_changed_is_in_the_ensembles_diff(
    workspace: Workspace, experiment: Build
) -> None:
    settings = {"prompts": ["vote"], "baseline": None}
    older = run_it(workspace, experiment(**settings), limit=2)
    edit(workspace, "careful", "{{ question }}", "Now: {{ question }}")
    newer = run_it(workspace, experiment(**settings), limit=2)
    assert any(
        kind == "added" and "Now" in text for kind, text in run_change(workspace, older, newer).cells[0].diff
    )


def test_a_description_is_no_change_of_the_prompt(workspace: Workspace, experiment: Build) -> None:
    older = run_it(workspace, experiment(), limit=2)
    edit(workspace, "direct", "name: direct", "name: direct\ndescription: the plain one")
    assert run_change(workspace, older, run_it(workspace, experiment(), limit=2)).cells[0].diff == ()


def test_what_else_changed_is_told(workspace: Workspace, experiment: Build) -> None:
    older = run_it(workspace, experiment(), limit=6)
    file = workspace.root / "experiments" / "datasets" / "sums" / "test.jsonl"
    file.write_text(file.read_text().replace('"What is 3 + 7?"', '"What is 3 + 7, please?"'))
    newer = run_it(workspace, experiment(sampling={"temperature": 0.5}, metrics=["exact_match", "chrf"]))
    also = " | ".join(run_change(workspace, older, newer).also)
    assert "rows: 12, before 6; 6 in both, 1 of them changed" in also
    assert 'sampling: {"temperature": 0.5}, before the default' in also
    assert "metrics: " in also and "dataset: " in also


def test_cells_that_are_new_or_gone_have_no_verdict(workspace: Workspace, experiment: Build) -> None:
    older = run_it(workspace, experiment(prompts=["direct", "careful"]), limit=4)
    newer = run_it(workspace, experiment(prompts=["direct", "three-shots"]), limit=4)
    cells = {one.cell.prompt: one for one in run_change(workspace, older, newer).cells}
    assert cells["three-shots"].before is None and cells["three-shots"].comparison is None
    assert cells["careful"].after is None and cells["careful"].before is not None
    assert cells["direct"].comparison is not None
    lines = {line.label: len(line.points) for line in history(workspace, "sums").lines}
    assert lines == {"direct · server": 2, "careful · server": 1, "three-shots · server": 1}


def test_runs_that_cannot_be_paired_say_why(workspace: Workspace, experiment: Build) -> None:
    older = run_it(workspace, experiment(), limit=2)
    newer = run_it(workspace, experiment(repeats=2), limit=2)
    found = run_change(workspace, older, newer)
    assert "repeat rows a different number of times" in found.unpaired
    assert all(one.comparison is None for one in found.cells)
    other = run_it(workspace, experiment(metrics=["chrf"]), limit=2)
    assert "has no metric 'exact_match'" in run_change(workspace, other, older).unpaired
    with pytest.raises(RunError, match="compared with itself"):
        run_change(workspace, older, older)


def test_deleted_runs_probes_and_other_metrics_are_no_points(workspace: Workspace, experiment: Build) -> None:
    kept = run_it(workspace, experiment(), limit=2)
    delete_run(workspace, run_it(workspace, experiment(), limit=2))
    probe = run_it(workspace, experiment(), limit=2)
    definition = workspace.store.runs.get(probe).definition | {"probe": {"of": kept}}  # type: ignore[union-attr]
    workspace.store.runs.set(probe, definition=definition)
    run_it(workspace, experiment(metrics=["chrf"]), limit=2)
    found = history(workspace, "sums", "exact_match")
    assert len(found.runs) == 2
    assert [len(line.points) for line in found.lines] == [1, 1]


def test_a_history_of_one_run_is_a_history(workspace: Workspace, experiment: Build) -> None:
    run_it(workspace, experiment(prompts=["careful"], baseline=None), limit=1)
    found = history(workspace, "sums")
    assert len(found.runs) == 1 and len(found.lines) == 1
    with pytest.raises(UnknownName, match="sum"):
        history(workspace, "sum")
    with pytest.raises(UnknownName, match="metric"):
        history(workspace, "sums", "bleu")


def test_a_race_says_that_some_cells_ended_early(workspace: Workspace, experiment: Build) -> None:
    older, newer = run_it(workspace, experiment()), run_it(workspace, experiment())
    race = Race(RaceSettings("exact_match"), of_rows=12, rows=6, stopped={0: Stop(6, 1)})
    workspace.store.runs.set(newer, race=race.to_json())
    found = history(workspace, "sums")
    assert any("1 of its 2 cells ended before they had all rows" in note for note in found.notes)
    plain, raced = (point.estimate for point in found.lines[0].points)
    assert raced.high - raced.low > plain.high - plain.low
    stopped = run_change(workspace, older, newer).cells[0].comparison
    assert stopped is not None and stopped.verdict == "stopped"
