"""A race in the app: chosen beside Run, watched while it goes on, marked where its cells are compared."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.app.conftest import Visit, press, texts
from workbench.core.race import Race, RaceSettings, Stop
from workbench.core.run import Output
from workbench.engine import Workspace, create_run, runs
from workbench.engine.records import get_run, race_of


def test_a_race_is_chosen_beside_run(visit: Visit, root: Path, weights: None) -> None:
    test = visit("experiments", experiment="team-labels")
    next(box for box in test.checkbox if box.label.startswith("Race")).check().run()
    press(test, "Run")
    ws = Workspace.open(root)
    race = race_of(get_run(ws, runs(ws)[0].id))
    ws.close()
    assert race is not None and race.rows == 0
    assert race.settings == RaceSettings(race.settings.metric)


def test_no_race_is_offered_by_a_metric_of_all_rows_together(visit: Visit, root: Path, weights: None) -> None:
    file = root / "experiments" / "team-labels.yaml"
    lines = [line for line in file.read_text("utf-8").splitlines() if not line.startswith("metrics")]
    file.write_text("\n".join([*lines, "metrics: [bleu]\n"]), "utf-8")
    test = visit("experiments", experiment="team-labels")
    assert next(box for box in test.checkbox if box.label.startswith("Race")).disabled


@pytest.fixture
def raced(root: Path, weights: None) -> str:
    """A finished race of three prompts over 20 rows: one stopped after 4 rows, one after 8."""
    ws = Workspace.open(root)
    changes = {"prompts": ("direct", "three-shots", "step-by-step"), "models": ("small",)}
    experiment = ws.experiment("quickstart").model_copy(update=changes)
    settings = RaceSettings("exact_match", block=4)
    run = create_run(ws, experiment, limit=20, owner="command", race=settings)
    stops = {0: Stop(4, 2), 1: Stop(8, 2)}
    race = Race(settings, 20, 8, stops, winner=2)
    rows = ws.store.runs.rows(get_run(ws, run).row_set)
    outputs = [
        Output(cell, rows[position]["id"], position, text="Answer", answer=_answer(rows[position], cell))
        for cell in range(3)
        for position in race.order()[: race.rows_of(cell)]
    ]
    ws.store.outputs.add(run, outputs, race=race.to_json(), status="completed", total=20, done=20, calls=20)
    ws.close()
    return run


def _answer(row: dict[str, str], cell: int) -> str:
    return str(row["answer"]).rpartition("####")[2].strip() if cell == 2 else "no"


def test_the_run_page_says_who_won_and_who_stopped_when(visit: Visit, raced: str) -> None:
    said = texts(visit("run", run=raced)).replace("\\", "")
    assert "won the race] **step-by-step" in said
    assert "after 8 rows, beaten by step-by-step" in said
    assert said.index("won the race") < said.index("after 8 rows") < said.index("after 4 rows")


def test_compare_marks_what_was_stopped_and_calls_it_no_verdict(visit: Visit, raced: str) -> None:
    test = visit("compare", run=raced)
    assert not test.error, [error.value for error in test.error]
    shown = test.table[0].value.to_string()
    assert "■ stopped] after 4 rows" in shown and "■ stopped] after 8 rows" in shown
    assert "won the race after 8 rows" in shown and "nan" not in shown
    said = texts(test).replace("\\", "")
    assert "A race by exact_match" in said and "About 40 calls were saved" in said
    assert "won the race by exact_match after 8 of 20 rows" in said
    assert not visit("compare", run=raced, view="charts").error
    assert not visit("size", run=raced).error
