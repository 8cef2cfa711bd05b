"""A race stops cells that are beaten, keeps the one that is not, and never asks twice."""

from __future__ import annotations

import itertools
import json
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.engine.conftest import adds, write_workspace
from tests.fake_openai import BROKEN, BaseUrl, openai_server
from workbench.core.experiment import Experiment
from workbench.core.race import Race, RaceSettings
from workbench.core.run import Progress
from workbench.engine import (
    Workspace,
    cancel_run,
    compare,
    create_run,
    execute_run,
    export_report,
    export_winner,
    progress,
    racing,
    raise_budget,
    report,
    report_json,
    resume_run,
    sizes,
    winner,
)
from workbench.engine.records import get_run, race_of
from workbench.errors import RunCancelled, RunError, UnknownName, UsageError
from workbench.metrics.exact import ExactMatch
from workbench.statistics.anytime import PairwiseEvidence

Build = Callable[..., Experiment]
BY_EXACT = RaceSettings("exact_match", block=10)
ROWS = 120


@pytest.fixture
def wide(tmp_path: Path, server: BaseUrl) -> Iterator[Workspace]:
    """The workspace of sums with many rows: `careful` is always right, `direct` half the time."""
    opened = Workspace.open(write_workspace(tmp_path / "wide", server, rows=ROWS))
    (opened.root / "prompts/shout.yaml").write_text(
        'name: shout\nmessages: [{role: user, content: "ADD! {{ question }}"}]\n'
        'answer: {after: "Answer:", type: number}\n'
    )
    yield opened
    opened.close()


def race_run(workspace: Workspace, run: str) -> Race:
    found = race_of(get_run(workspace, run))
    assert found is not None
    return found


def raced(workspace: Workspace, experiment: Experiment, settings: RaceSettings = BY_EXACT) -> str:
    run = create_run(workspace, experiment, race=settings)
    execute_run(workspace, run)
    return run


def test_beaten_cells_stop_and_the_best_is_left(wide: Workspace, experiment: Build, server: BaseUrl) -> None:
    run = raced(wide, experiment(prompts=["direct", "careful", "shout"]))
    race = race_run(wide, run)
    assert race.winner == 1 and set(race.stopped) == {0, 2}
    assert all(stop.by == 1 and stop.rows < ROWS and stop.rows % 10 == 0 for stop in race.stopped.values())
    asked = sum(race.rows_of(cell) for cell in range(3))
    assert len(server.bodies) == asked < 3 * ROWS / 2
    shown = report(wide, run)
    assert shown.status == "completed" and shown.calls_saved == 3 * ROWS - asked
    assert [line.rows for line in shown.cells] == [race.rows_of(cell) for cell in range(3)]
    assert [line.stopped for line in shown.cells] == [race.stopped[0].rows, None, race.stopped[2].rows]
    state = progress(wide, run)
    assert state.done == state.total == asked
    assert state.message == f"The race was decided after {race.rows} of {ROWS} rows: careful · server."


def test_the_same_seed_takes_the_same_rows_and_another_seed_others(
    wide: Workspace, experiment: Build
) -> None:
    first, again = raced(wide, experiment()), raced(wide, experiment())
    assert race_run(wide, first) == race_run(wide, again)
    other = raced(wide, experiment(), RaceSettings("exact_match", block=10, seed=1))
    rows_asked = [wide.store.outputs.done(run) for run in (first, other)]
    assert rows_asked[0] != rows_asked[1]
    assert sorted(race_run(wide, first).order()) == list(range(ROWS))


def test_cells_that_never_differ_are_never_stopped(wide: Workspace, experiment: Build) -> None:
    run = raced(wide, experiment(prompts=["direct", "shout"]))
    race = race_run(wide, run)
    assert (race.stopped, race.winner, race.rows) == ({}, None, ROWS)
    assert report(wide, run).calls_saved == 0
    (line,) = compare(wide, run).comparisons
    assert line.verdict == "tied" and line.n == ROWS
    assert (
        progress(wide, run).message == "The race ended with 2 of 2 cells still in: all 120 rows are used up."
    )


def test_a_metric_of_which_less_is_better_keeps_the_cell_with_less(
    wide: Workspace, experiment: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ExactMatch, "direction", "lower")
    assert race_run(wide, raced(wide, experiment())).winner == 0


def test_repeats_are_one_piece_of_evidence(wide: Workspace, experiment: Build) -> None:
    one, three = raced(wide, experiment()), raced(wide, experiment(repeats=3))
    assert race_run(wide, one).stopped[0].rows == race_run(wide, three).stopped[0].rows
    assert report(wide, three).calls_saved == 3 * report(wide, one).calls_saved


def test_a_cancelled_race_goes_on_in_the_same_order_and_asks_nothing_twice(
    tmp_path: Path, experiment: Build
) -> None:
    with openai_server(answer=adds) as whole_url:
        undisturbed = Workspace.open(write_workspace(tmp_path / "whole", whole_url, rows=ROWS))
        expected = race_run(undisturbed, raced(undisturbed, experiment()))
        undisturbed.close()
    with openai_server(delay_s=0.1, answer=adds) as url:
        root = write_workspace(tmp_path / "cut", url, rows=ROWS)
        workspace, canceller = Workspace.open(root), Workspace.open(root)
        run = create_run(workspace, experiment(), race=BY_EXACT)

        def cancel_once_a_block_is_done(state: Progress) -> None:
            if state.done >= 20 and not get_run(canceller, run).cancel_requested:
                cancel_run(canceller, run)

        with pytest.raises(RunCancelled):
            execute_run(workspace, run, cancel_once_a_block_is_done)
        stored, asked = workspace.store.outputs.done(run), len(url.bodies)
        assert 20 <= len(stored) < 2 * ROWS
        resume_run(workspace, run)
        execute_run(workspace, run)
        assert race_run(workspace, run) == expected
        questions = Counter(body["messages"][-1]["content"] for body in url.bodies)
        assert len(questions) == sum(expected.rows_of(cell) for cell in (0, 1))
        assert sum(questions.values()) - len(questions) <= asked - len(stored)  # in flight at the cancel
        workspace.close()
        canceller.close()


def test_a_finished_race_that_is_resumed_asks_nothing_and_decides_the_same(
    wide: Workspace, experiment: Build, server: BaseUrl
) -> None:
    run = raced(wide, experiment())
    before, asked = race_run(wide, run), len(server.bodies)
    resume_run(wide, run)
    execute_run(wide, run)
    assert race_run(wide, run) == before and len(server.bodies) == asked


def test_the_budget_stops_a_race_and_a_higher_one_lets_it_finish(wide: Workspace, experiment: Build) -> None:
    run = create_run(wide, experiment(), budget_usd=0.05, race=BY_EXACT)
    with pytest.raises(RunCancelled, match="budget"):
        execute_run(wide, run)
    raise_budget(wide, run, None)
    resume_run(wide, run)
    assert execute_run(wide, run).race is not None
    assert race_run(wide, run).winner == 1


def test_rows_with_errors_are_no_evidence_and_a_retry_changes_no_decision(
    tmp_path: Path, experiment: Build
) -> None:
    broken = threading.Event()
    broken.set()

    def answer(body: dict[str, Any]) -> object:
        question = body["messages"][-1]["content"]
        odd_one = "step by step" not in question and " 1" in question
        return BROKEN if broken.is_set() and odd_one else adds(body)

    with openai_server(answer=answer) as url:
        workspace = Workspace.open(write_workspace(tmp_path / "errors", url, rows=ROWS))
        run = raced(workspace, experiment())
        race, shown = race_run(workspace, run), report(workspace, run)
        assert race.winner == 1 and shown.errors > 0
        broken.clear()
        resume_run(workspace, run)
        execute_run(workspace, run)
        assert race_run(workspace, run) == race
        again = report(workspace, run)
        assert again.errors == 0 and [line.rows for line in again.cells] == [
            line.rows for line in shown.cells
        ]
        workspace.close()


def test_a_cell_of_errors_alone_is_not_beaten_and_does_not_win(tmp_path: Path, experiment: Build) -> None:
    def answer(body: dict[str, Any]) -> object:
        return adds(body) if "step by step" in body["messages"][-1]["content"] else BROKEN

    with openai_server(answer=answer) as url:
        workspace = Workspace.open(write_workspace(tmp_path / "dead", url, rows=30))
        run = raced(workspace, experiment())
        assert race_run(workspace, run).stopped == {}
        assert winner(workspace, run).cell.prompt == "careful"
        workspace.close()


def test_progress_never_counts_rows_that_no_one_will_ask(wide: Workspace, experiment: Build) -> None:
    seen: list[Progress] = []
    run = create_run(wide, experiment(), race=BY_EXACT)
    assert progress(wide, run).total == 2 * ROWS
    execute_run(wide, run, seen.append)
    assert all(state.done <= state.total for state in seen)
    assert any("cells are still in the race" in state.message for state in seen)
    totals = [state.total for state in seen]
    assert all(later <= earlier for earlier, later in itertools.pairwise(totals))
    final = progress(wide, run)
    assert final.done == final.total and not final.seconds_left


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        (RaceSettings("accuracy"), "metric to race by"),
        (RaceSettings("bleu"), "all rows together"),
        (RaceSettings("exact_match", confidence=1.0), "confidence"),
        (RaceSettings("exact_match", block=0), "block"),
    ],
)
def test_a_race_that_cannot_be_is_refused_before_any_call(
    wide: Workspace, experiment: Build, server: BaseUrl, settings: RaceSettings, problem: str
) -> None:
    with pytest.raises((UsageError, UnknownName), match=problem):
        create_run(wide, experiment(metrics=["exact_match", "bleu"]), race=settings)
    assert server.bodies == []


def test_one_cell_cannot_race(wide: Workspace, experiment: Build) -> None:
    with pytest.raises(UsageError, match="two cells"):
        create_run(wide, experiment(prompts=["careful"], baseline=None), race=BY_EXACT)


def test_a_stopped_cell_has_no_p_and_an_interval_that_holds_at_any_time(
    wide: Workspace, experiment: Build
) -> None:
    run = raced(wide, experiment(baseline={"prompt": "careful", "model": "server"}))
    race = race_run(wide, run)
    (line,) = compare(wide, run).comparisons
    assert (line.cell.prompt, line.verdict, line.rows_needed) == ("direct", "stopped", None)
    assert line.n == line.stopped == race.stopped[0].rows
    assert line.p != line.p and line.p_adjusted != line.p_adjusted
    assert line.low <= line.difference <= line.high < 0


def test_a_survivor_is_judged_against_a_stopped_baseline_by_that_interval_alone(
    wide: Workspace, experiment: Build
) -> None:
    run = raced(wide, experiment())
    (line,) = compare(wide, run).comparisons
    assert (line.cell.prompt, line.verdict) == ("careful", "better")
    assert line.p != line.p and line.low > 0 and line.stopped == race_run(wide, run).stopped[0].rows
    best = winner(wide, run)
    assert best.cell.prompt == "careful"
    assert f"won the race by exact_match after {race_run(wide, run).rows} of {ROWS} rows" in best.reason
    assert "nan" not in best.reason
    text = export_winner(wide, run)[1]
    assert "won: true" in text and ".nan" not in text


def test_cells_that_survive_to_the_end_are_compared_as_ever(wide: Workspace, experiment: Build) -> None:
    (wide.root / "prompts/careful-too.yaml").write_text(
        'name: careful-too\nmessages: [{role: user, content: "{{ question }} step by step"}]\n'
        'answer: {after: "Answer:", type: number}\n'
    )
    three = experiment(prompts=["careful", "direct", "careful-too"], baseline=None)
    run = raced(wide, three)
    stopped, tied = compare(wide, run).comparisons
    assert (stopped.verdict, tied.verdict, tied.n) == ("stopped", "tied", ROWS)
    assert race_run(wide, run).winner is None and winner(wide, run).cell.prompt in ("careful", "careful-too")
    alone = compare(wide, _full(wide, experiment(prompts=["careful", "careful-too"], baseline=None)))
    assert (tied.difference, tied.low, tied.high) == (
        alone.comparisons[0].difference,
        alone.comparisons[0].low,
        alone.comparisons[0].high,
    )


def test_across_runs_a_stopped_cell_gets_no_verdict(wide: Workspace, experiment: Build) -> None:
    run, full = raced(wide, experiment()), _full(wide, experiment())
    for here, there in ((run, full), (full, run)):
        direct, careful = compare(wide, here, across=there).comparisons
        assert (direct.verdict, direct.difference) == ("stopped", 0.0) and direct.low != direct.low
        assert careful.verdict == "tied"


def test_a_stopped_cell_wins_by_no_metric(wide: Workspace, experiment: Build) -> None:
    run = raced(wide, experiment(metrics=["exact_match", "contains"]))
    assert winner(wide, run, "contains").cell.prompt == "careful"


def test_reports_mark_what_was_stopped(wide: Workspace, experiment: Build) -> None:
    run = raced(wide, experiment(baseline={"prompt": "careful", "model": "server"}))
    race, document = race_run(wide, run), report_json(report(wide, run))
    assert document["cells"][0]["stopped"] == {"rows": race.stopped[0].rows}
    assert "stopped" not in document["cells"][1]
    assert document["race"]["winner"]["prompt"] == "careful"
    assert document["race"]["calls_saved"] == 2 * ROWS - race.rows - race.stopped[0].rows
    assert [entry["prompt"] for entry in document["race"]["stopped"]] == ["direct"]
    json.dumps(document, allow_nan=False)
    for kind in ("table", "md", "html", "csv"):
        text = export_report(wide, run, kind)
        assert f"stopped after {race.stopped[0].rows} rows" in text and "nan" not in text


def test_a_score_of_all_rows_together_has_a_difference_and_no_interval(
    wide: Workspace, experiment: Build
) -> None:
    run = raced(wide, experiment(metrics=["exact_match", "chrf"]))
    (line,) = compare(wide, run, "chrf").comparisons
    assert (line.verdict, line.rows_needed) == ("undecided", None)
    assert line.difference > 0 and line.low != line.low
    assert "nan" not in winner(wide, run, "chrf").reason
    chrf = report(wide, run).cells[0].metrics["chrf"]
    assert chrf.n > 0 and chrf.low != chrf.low
    assert "nan" not in export_report(wide, run, "table")


def test_the_question_of_size_leaves_stopped_cells_out_and_says_so(
    wide: Workspace, experiment: Build
) -> None:
    run = raced(wide, experiment())
    found = sizes(wide, run)
    assert [point.cell.prompt for point in found.points] == ["careful"]
    with pytest.raises(RunError, match="stopped"):
        sizes(wide, run, prompt="direct")


def _full(workspace: Workspace, experiment: Experiment) -> str:
    run = create_run(workspace, experiment)
    execute_run(workspace, run)
    return run


def test_what_ended_early_has_an_interval_that_its_end_does_not_spoil(
    wide: Workspace, experiment: Build
) -> None:
    (direct, careful) = report(wide, raced(wide, experiment(repeats=2))).cells
    short = report(wide, _full(wide, experiment(repeats=2))).cells[0].metrics["exact_match"]
    found = direct.metrics["exact_match"]
    assert found.low < found.mean < found.high and found.high - found.low > 2 * (short.high - short.low)
    assert careful.metrics["exact_match"].low < 0.95 and careful.metrics["exact_match"].high == 1


@pytest.mark.parametrize(("of_rows", "stopped"), [(60, {0}), (40, set())])
def test_a_cell_beaten_only_by_the_last_row_has_all_rows_and_is_not_stopped(
    of_rows: int, stopped: set[int]
) -> None:
    evidence = PairwiseEvidence(3)
    evidence.add(np.tile([0.0, 1.0, 1.0], (40, 1)))
    race = Race(BY_EXACT, of_rows)
    after = racing.decided(race, race, 40, evidence, [0, 1, 2])
    assert set(after.stopped) == stopped and after.winner is None
