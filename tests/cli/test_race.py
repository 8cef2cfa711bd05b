"""`workbench run --race`: what is said, the JSON, wrong usage, bars, and a race that was killed."""

from __future__ import annotations

import signal
import time
from collections import Counter
from pathlib import Path

import pytest

from tests.cli.conftest import Command, start
from tests.engine.conftest import adds, write_workspace
from tests.fake_openai import BaseUrl, Stalling, openai_server
from workbench.engine import Workspace, execute_run, resume_run

ROWS = 120
RACE = ("run", "sums", "--race", "exact_match", "--race-block", "10")


@pytest.fixture
def root(tmp_path: Path, server: BaseUrl) -> Path:
    """The workspace of sums with enough rows for a race to end before they do."""
    return write_workspace(tmp_path / "workspace", server, rows=ROWS)


def test_a_race_says_who_stopped_when_and_what_it_saved(workbench: Command, server: BaseUrl):
    ended = workbench(*RACE)
    asked = len(server.bodies)
    assert asked < ROWS
    assert f"direct · server: stopped after {asked // 2} rows, beaten by careful · server" in ended.err
    assert f"The race was decided after {asked // 2} of 120 rows: careful · server." in ended.err
    assert f"Calls saved: about {240 - asked} of 240 ({(240 - asked) / 240:.0%})." in ended.err
    assert f"{asked}/{asked}" in ended.err, "the bar ends full"
    shown = workbench("compare", "latest")
    assert "better" in shown.out and "nan" not in shown.out


def test_the_document_of_a_race_names_its_winner_and_marks_the_rest(workbench: Command):
    document = workbench(*RACE, "--race-confidence", "0.97", "--race-seed", "7", "--json").json
    race = document["race"]
    assert (race["metric"], race["confidence"], race["block"], race["seed"]) == ("exact_match", 0.97, 10, 7)
    assert race["winner"]["prompt"] == "careful" and race["of_rows"] == ROWS
    (stopped,) = race["stopped"]
    assert (stopped["prompt"], stopped["by"]["prompt"]) == ("direct", "careful")
    assert document["cells"][0]["stopped"] == {"rows": stopped["rows"]}
    assert race["calls_saved"] == 2 * ROWS - document["calls"]
    assert workbench("report", "--json").json == document
    (line,) = workbench("compare", "--json").json["comparisons"]
    assert (line["verdict"], line["p"], line["stopped"]) == ("better", None, {"rows": stopped["rows"]})


def test_a_run_without_a_race_says_nothing_of_one(workbench: Command):
    ended = workbench("run", "sums", "--limit", 3, "--json")
    assert "race" not in ended.json and "race" not in ended.err.lower()


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (
            ("run", "sums", "--race", "accuracy"),
            1,
            "no metric to race by in this experiment named 'accuracy'",
        ),
        (("run", "sums", "--race", "exact_match", "--race-confidence", "95"), 2, "from 0.5 to below 1"),
        (("run", "sums", "--race-block", "5"), 2, "--race-block goes with --race METRIC"),
        (("run", "--resume", "latest", "--race", "exact_match"), 2, "leave out"),
    ],
)
def test_a_race_that_is_put_wrongly_is_one_sentence(
    workbench: Command, server: BaseUrl, words: tuple[str, ...], code: int, said: str
):
    workbench("run", "sums", "--limit", 1)
    asked = len(server.bodies)
    assert said in workbench(*words, code=code).err
    assert len(server.bodies) == asked


def test_bars_are_held_only_against_cells_that_saw_every_row(workbench: Command):
    ended = workbench(*RACE, "--fail-under", "exact_match=0.9", code=0)
    assert "Not held to the bars, as the race stopped them: direct · server" in ended.err
    assert "Missed: careful" in workbench(*RACE, "--fail-under", "careful:exact_match=1.1", code=4).err


def test_a_race_killed_in_the_middle_goes_on_where_it_was(tmp_path: Path):
    answer = Stalling(adds, 24)
    with openai_server(answer=answer) as url:
        root = write_workspace(tmp_path / "killed", url, rows=ROWS)
        process = start(root, *RACE, "--race-confidence", "0.99")
        deadline = time.monotonic() + 60
        while len(url.bodies) < 24 and time.monotonic() < deadline:
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        opened = Workspace.open(root)
        (run,) = [record.id for record in opened.store.runs.newest()]
        in_flight = len(url.bodies) - len(opened.store.outputs.done(run))
        answer.go_on()
        resume_run(opened, run)
        shown = execute_run(opened, run)
        asked = Counter(body["messages"][-1]["content"] for body in url.bodies)
        assert sum(asked.values()) - len(asked) <= in_flight
        assert shown.race is not None and shown.race.winner == 1
        assert [line.rows for line in shown.cells] == [shown.race.rows, shown.race.rows]
        assert len(asked) == 2 * shown.race.rows
        opened.close()


def test_a_comparison_leaves_with_stopped_cells_marked_in_every_format(workbench: Command, root: Path):
    run = workbench(*RACE, "--json").json["run"]
    full = workbench("run", "sums", "--json").json["run"]
    shown = workbench("compare", full, "--across", run)
    assert "stopped after" in shown.out and "nan" not in shown.out
    for kind in ("md", "csv", "json", "junit"):
        file = root / f"found.{kind}"
        workbench("compare", full, "--across", run, "--format", kind, "-o", file)
        text = file.read_text("utf-8")
        assert "stopped" in text and "nan" not in text.lower()
    head, *lines = (root / "found.csv").read_text("utf-8").splitlines()
    assert {line.count(",") for line in lines} == {head.count(",")}
    assert "Missed: direct" in workbench("compare", full, "--across", run, "--fail-on", "stopped", code=4).err
