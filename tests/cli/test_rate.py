"""`workbench rate` says where to rate, shows what came of it, and writes what was said to files."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Command
from tests.engine.rating.rated_runs import empty_workspace, finished_run
from workbench.core.rating import RatingPlan
from workbench.engine import RatingDesk, Workspace, start_rating


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "w"


@pytest.fixture
def opened(folder: Path) -> Any:
    workspace = empty_workspace(folder)
    yield workspace
    workspace.close()


@pytest.fixture
def workbench(folder: Path, workbench_in: Callable[[Path], Command]) -> Command:
    return workbench_in(folder)


def rated(opened: Workspace, plan: RatingPlan | None = None, **rating: Any) -> str:
    """A run of three cells of which two raters preferred the first in every pair."""
    run = finished_run(opened)
    start_rating(opened, run, plan or RatingPlan(overlap=2, again_share=0))
    for name in ("ada", "grace"):
        desk = RatingDesk(opened, run, name)
        while (shown := desk.next()) is not None:
            if shown.mode == "pairwise":
                left, right = (text[-1] for text in shown.texts)
                desk.rate(shown.item, 1 if left < right else 0, **rating)
            else:
                desk.rate(shown.item, {criterion.name: 4 for criterion in shown.criteria})
    return run


def test_where_to_rate_is_printed_and_the_plan_kept(workbench: Command, opened: Workspace) -> None:
    run = finished_run(opened)
    ended = workbench("rate", "latest", "--cells", "0,2", "--overlap", "2", "--json")
    assert ended.json["run"] == run and ended.json["url"].endswith(f"/rate?run={run}")
    assert ended.json["plan"]["overlap"] == 2 and ended.json["plan"]["cells"] == [0, 2]
    # what is not named stays as it was
    likert = workbench("rate", run, "--criteria", "clear, true").out
    assert "likert" in likert and "clear, true" in likert and "0, 2" in likert
    assert workbench("rate", run, "--mode", "thumbs", "--json").json["plan"]["criteria"] == []
    plan = opened.store.ratings.plan(run)
    assert plan is not None and (plan.mode, plan.overlap) == ("thumbs", 2)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--mode", "stars"), "--mode"),
        (("--mode", "likert"), "criterion"),
        (("--mode", "pairwise", "--criteria", "a"), "criteria"),
        (("--cells", "0,x"), "indexes"),
        (("--cells", "0,7"), "no cell 7"),
        (("--criteria", "a,A"), "same name"),
        (("--overlap", "2", "--leaderboard"), "leave out --overlap"),
        (("--leaderboard", "--agreement"), "one at a time"),
        (("--leaderboard", "--by", "nope"), "no column 'nope'"),
        (("--by", "answer"), "--by goes with --leaderboard"),
        (("--export", "ratings.txt"), ".csv or .jsonl"),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence(
    workbench: Command, opened: Workspace, options: tuple[str, ...], said: str
) -> None:
    finished_run(opened)
    assert said in workbench("rate", "latest", *options, code=2).err


def test_the_leaderboard_puts_the_preferred_cell_first(workbench: Command, opened: Workspace) -> None:
    rated(opened)
    cells = workbench("rate", "latest", "--leaderboard", "--json").json["cells"]
    assert [cell["prompt"] for cell in cells] == ["prompt-0", "prompt-1", "prompt-2"]
    assert cells[0]["win_rate"] == 1 and cells[0]["n"] == 24
    assert cells[0]["low"] <= cells[0]["strength"] <= cells[0]["high"]
    table = workbench("rate", "latest", "--leaderboard").out
    assert table.index("prompt-0") < table.index("prompt-2")


def test_agreement_of_two_who_always_agree(workbench: Command, opened: Workspace) -> None:
    rated(opened)
    table = workbench("rate", "latest", "--agreement").out
    assert "ada" in table and "grace" in table and "1.000" in table
    (pairs,) = workbench("rate", "latest", "--agreement", "--json").json["scales"]
    assert (pairs["percent"]["value"], pairs["shared_items"]) == (1, 18)


def test_the_leaderboard_of_each_part_of_the_rows(workbench: Command, opened: Workspace) -> None:
    run = rated(opened)
    found = workbench("rate", run, "--leaderboard", "--by", "answer", "--json").json
    assert found["by"] == "answer" and len(found["slices"]) == 6
    assert [part["cells"][0]["prompt"] for part in found["slices"]] == ["prompt-0"] * 6
    table = workbench("rate", run, "--leaderboard", "--by", "answer").out
    assert "told apart" in table and "prompt-0" in table


def test_metrics_are_held_against_people(workbench: Command, opened: Workspace) -> None:
    run = rated(opened)
    table = workbench("rate", run, "--against-people").out
    assert "picks the winner" in table and "exact_match" in table
    (line,) = workbench("rate", run, "--against-people", "--json").json["metrics"]
    assert line["metric"] == "exact_match" and line["accuracy"]["n"] == 36


def test_without_ratings_the_tables_say_where_to_begin(workbench: Command, opened: Workspace) -> None:
    run = finished_run(opened)
    for table in ("--leaderboard", "--agreement", "--against-people"):
        assert f"workbench rate {run}" in workbench("rate", run, table).err
    assert workbench("rate", run, "--leaderboard", "--json").json["cells"] == []


def test_ratings_leave_as_csv_and_jsonl(workbench: Command, opened: Workspace, folder: Path) -> None:
    rated(opened, note="=1+1")
    workbench("rate", "latest", "--export", "r.csv")
    with (folder / "r.csv").open(encoding="utf-8", newline="") as file:
        lines = list(csv.DictReader(file))
    assert len(lines) == 36 and lines[0]["row"].startswith("row-")
    assert all(line["value"] == "1.0" for line in lines if line["prompt"] < line["other_prompt"])
    assert lines[0]["note"] == "'=1+1"
    workbench("rate", "latest", "--export", "r.jsonl")
    first = json.loads((folder / "r.jsonl").read_text().splitlines()[0])
    assert first["rater"] == "ada" and first["shown_first"] in ("first", "other")
    workbench("rate", "latest", "--leaderboard", "--export", "board.csv")
    assert (folder / "board.csv").read_text().count("prompt-") == 3


def test_preferences_leave_in_the_form_that_fine_tuning_takes(
    workbench: Command, opened: Workspace, folder: Path
) -> None:
    run = rated(opened)
    desk = RatingDesk(opened, run, "edsger")
    start_rating(opened, run, RatingPlan(overlap=3, again_share=0))
    shown = desk.next()
    assert shown is not None
    desk.rate(shown.item, 0.5, correction="The better one.", correction_for=1)
    ended = workbench(
        "rate", run, "--export-preferences", "p.jsonl", "--export-corrections", "c.jsonl", "--json"
    )
    assert ended.json["files"] == ["p.jsonl", "c.jsonl"]
    lines = [json.loads(line) for line in (folder / "p.jsonl").read_text().splitlines()]
    assert len(lines) == 19
    for line in lines[:-1]:
        assert line.keys() == {"input", "preferred_output", "non_preferred_output"}
        (better,), (worse,) = line["preferred_output"], line["non_preferred_output"]
        assert better["role"] == "assistant" and better["content"][-1] < worse["content"][-1]
        (sent,) = line["input"]["messages"]
        assert sent["role"] == "user" and "What is" in sent["content"]
    assert lines[-1]["preferred_output"][0]["content"] == "The better one."
    assert lines[-1]["non_preferred_output"][0]["content"] == shown.texts[1]
    (correction,) = (folder / "c.jsonl").read_text().splitlines()
    assert json.loads(correction)["output"] == shown.texts[1]


def test_pairs_on_which_raters_are_even_teach_nothing(
    workbench: Command, opened: Workspace, folder: Path
) -> None:
    run = finished_run(opened, cells=2, rows=2)
    start_rating(opened, run, RatingPlan(overlap=2, again_share=0))
    for name, better in (("ada", "a"), ("grace", "b")):
        desk = RatingDesk(opened, run, name)
        while (shown := desk.next()) is not None:
            desk.rate(shown.item, 1 if shown.texts[0][-1] == better else 0)
    ended = workbench("rate", run, "--export-preferences", "p.jsonl")
    assert "2 pairs undecided" in ended.err and (folder / "p.jsonl").read_text() == ""


def test_grades_are_in_the_leaderboard_by_criterion(workbench: Command, opened: Workspace) -> None:
    from workbench.core.rating import Criterion

    rated(opened, RatingPlan(mode="likert", criteria=(Criterion(name="clear"),), again_share=0))
    table = workbench("rate", "latest", "--leaderboard").out
    assert "clear" in table and "mean grade" in table
