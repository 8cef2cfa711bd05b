"""Each page says what it should, on an empty workspace and on one with a finished run."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.app.conftest import Visit, needs_weights, press, texts
from workbench.app.pages import MENU
from workbench.engine import Workspace, runs


@pytest.mark.parametrize("page", MENU)
def test_every_page_opens_on_a_fresh_workspace(visit: Visit, page: str) -> None:
    if page == "experiments":  # its estimate counts tokens
        needs_weights()
    test = visit(page)
    assert not test.exception
    assert not test.error, [error.value for error in test.error]
    assert test.title


def test_home_explains_the_loop_in_four_lines_with_one_next_step(visit: Visit) -> None:
    test = visit()
    lines = test.markdown[0].value.splitlines()
    assert [line[:2] for line in lines] == ["1.", "2.", "3.", "4."]
    assert [button.label for button in test.button] == ["Run the quick start"]


@pytest.mark.parametrize("page", ["run", "compare", "export"])
def test_pages_about_a_run_say_what_to_do_when_there_is_none(visit: Visit, page: str) -> None:
    assert "yet" in texts(visit(page))


def test_a_broken_file_is_named_with_its_line_and_the_rest_works(visit: Visit, root: Path) -> None:
    (root / "prompts" / "broken.yaml").write_text("name: broken\nmesages: []\n")
    said = texts(visit()).replace("\\", "")
    assert "broken.yaml, line 2" in said
    assert "messages" in said
    assert "Run the quick start" in [button.label for button in visit().button]


def test_a_folder_that_is_no_workspace_is_a_sentence(
    visit: Visit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORKBENCH_ROOT", str(tmp_path / "nowhere"))
    test = visit()
    assert "is not a workspace" in test.error[0].value
    assert not test.exception


def test_the_quick_start_button_queues_a_run_and_opens_it(visit: Visit, root: Path, weights: None) -> None:
    test = press(visit(), "Run the quick start")
    ws = Workspace.open(root)
    queued = runs(ws)
    ws.close()
    assert [run.experiment for run in queued] == ["quickstart"]
    assert queued[0].id in test.query_params["run"]


def test_compare_shows_every_cell_with_an_interval_and_a_verdict(visit: Visit, finished_run: str) -> None:
    test = visit("compare", run=finished_run)
    assert not test.error, [error.value for error in test.error]
    table = test.table[0].value
    assert len(table) == 6
    said = table.to_string()
    assert "◆ baseline" in said
    assert "\\[" in said


def test_rows_stand_side_by_side_with_their_right_answer(visit: Visit, finished_run: str) -> None:
    test = visit("compare", run=finished_run, view="rows", cells="0,3")
    assert not test.error, [error.value for error in test.error]
    assert texts(test).count("right answer") == 6


def test_the_charts_can_be_drawn(visit: Visit, finished_run: str) -> None:
    test = visit("compare", run=finished_run, view="charts")
    assert not test.error, [error.value for error in test.error]
    assert len(test.get("plotly_chart")) == 4


def test_values_from_the_url_are_checked(visit: Visit, finished_run: str) -> None:
    bad = {"cells": "99,-1,x", "page": "1e9", "only": "<script>", "metric": "nope", "baseline": "77"}
    test = visit("compare", run=finished_run, view="rows", **bad)
    assert not test.exception
    assert not test.error, [error.value for error in test.error]
    assert "nope" in test.warning[0].value


def test_a_run_that_is_not_there_is_a_sentence(visit: Visit, finished_run: str) -> None:
    test = visit("compare", run="20200101-000000-abcdef")
    assert "There is no run named" in test.error[0].value.replace("\\", "")


def test_export_shows_the_winners_yaml(visit: Visit, finished_run: str) -> None:
    test = visit("export", run=finished_run)
    assert not test.error, [error.value for error in test.error]
    assert "provenance:" in test.code[0].value
