"""Rows on the Compare page: filters out of the address, tags, one row by itself, hostile texts."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.app.conftest import Visit, press, texts
from workbench.core.experiment import Experiment
from workbench.core.run import Output
from workbench.engine import Workspace, create_run, rows, tag_rows

HOSTILE = (
    "<img src=x onerror=alert(1)> **bold** ![i](http://127.0.0.1:1/i.png) {{ config }} \ufffd "
    "\u202eturned :red[x] $x^2$\nAnswer: 7"
)


@pytest.fixture
def run(root: Path) -> str:
    """Two cells over six rows that were never asked: hostile texts, a million characters, an error."""
    ws = Workspace.open(root)
    experiment = Experiment.model_validate(
        {
            "name": "stored",
            "dataset": {"name": "word-problems", "limit": 60},
            "prompts": ["direct", "step-by-step"],
            "models": ["small"],
            "metrics": ["exact_match", "rouge_l"],
        }
    )
    created = create_run(ws, experiment, owner="command")
    ids = [row.row_id for row in rows(ws, created, limit=60).rows]
    right = [str(row.reference) for row in rows(ws, created, limit=60).rows]
    said = [HOSTILE, "x" * 1_000_000 + " Answer: 1", *["Answer: 1"] * 3]
    outputs = [Output(0, ids[n], n, text=text, answer="1") for n, text in enumerate(said)]
    outputs += [Output(1, ids[n], n, text=f"So {right[n]}", answer=right[n]) for n in range(5)]
    outputs.append(Output(0, ids[5], 5, error="The model <b>broke</b>"))
    ws.store.outputs.add(created, outputs)
    tag_rows(ws, created, [ids[2]], "odd *one*")
    ws.store.runs.set(created, status="completed", done=11)
    ws.close()
    return created


def opened(root: Path) -> Workspace:
    return Workspace.open(root)


def shown(page: object) -> int:
    """Rows on the screen: each has one link to itself."""
    return texts(page).count("right answer")  # type: ignore[arg-type]


def test_the_first_screen_has_fifty_rows_and_says_how_many_there_are(visit: Visit, run: str) -> None:
    page = visit("compare", run=run, view="rows")
    assert not page.error and not page.exception
    assert "60 rows" in texts(page)
    assert shown(page) == 50
    assert "10 rows" not in texts(page)
    assert shown(visit("compare", run=run, view="rows", page="2")) == 10
    assert shown(visit("compare", run=run, view="rows", page="99")) == 10


def test_filters_of_the_address_combine_and_are_said_in_words(visit: Visit, run: str) -> None:
    page = visit(
        "compare", run=run, view="rows", cells="0,1", only="different,one_right", sort="worst", of="0"
    )
    said = texts(page).replace("\\", "")
    assert "5 rows" in said
    assert "5 rows · worst score first (direct · small)" in said
    press(page, "Clear filters")
    assert "60 rows" in texts(page)
    assert "only" not in page.query_params and "sort" not in page.query_params


def test_a_tag_filters_rows_and_stands_on_them(visit: Visit, run: str) -> None:
    page = visit("compare", run=run, view="rows", tag="odd *one*")
    assert shown(page) == 1
    assert "odd \\*one\\*" in texts(page)


def test_scores_columns_and_text_narrow_the_rows(visit: Visit, run: str, root: Path) -> None:
    ask = {"run": run, "view": "rows", "cells": "0,1"}
    assert shown(visit("compare", **ask, by="exact_match", scored="1", low="1")) == 5
    assert shown(visit("compare", **ask, by="exact_match", scored="1", high="0.5")) == 0
    assert shown(visit("compare", **ask, find="ALERT(1)")) == 1
    ws = opened(root)
    first = rows(ws, run).rows[0]
    ws.close()
    page = visit("compare", **ask, column="answer", value=str(first.reference))
    assert 1 <= shown(page) < 30
    assert "answer is “" in texts(page)


def test_nothing_found_says_what_to_do(visit: Visit, run: str) -> None:
    page = visit("compare", run=run, view="rows", find="no such text anywhere")
    assert "No row matches." in texts(page)
    assert "clear them all" in texts(page)
    assert not page.error


def test_texts_of_models_are_shown_as_text_and_long_ones_cut(visit: Visit, run: str) -> None:
    page = visit("compare", run=run, view="rows", cells="0,1")
    said = texts(page)
    assert "\\<img src\\=x" in said and not re.search(r"(?<!\\)[<\[]img|(?<!\\)\*\*bold", said)
    assert "\\!\\[i\\]" in said and "\\{\\{ config \\}\\}" in said
    assert "997,010 characters left out" in said.replace("\\", "")
    assert len(said) < 200_000
    assert "The model \\<b\\>broke" in said
    assert all(not element.allow_html for element in page.markdown)


def test_one_row_stands_alone_with_its_neighbours_and_its_link(visit: Visit, run: str) -> None:
    ask = {"run": run, "view": "rows", "cells": "0,1", "only": "different"}
    ids = [f"word-problems-test-{n:04d}" for n in range(1, 6)]
    page = visit("compare", **ask, row=ids[1])
    said = texts(page)
    assert "2 of 5 rows" in said.replace("\\", "")
    assert f"row={ids[1]}" in page.code[0].value and "only=different" in page.code[0].value
    assert "(right answer)" in said.replace("\\", "")
    press(page, "Next")
    assert page.query_params["row"] == ids[2]
    assert "3 of 5 rows" in texts(page)


def test_a_row_that_is_not_there_is_a_sentence(visit: Visit, run: str) -> None:
    page = visit("compare", run=run, view="rows", row="<b>nobody</b>")
    assert "There is no row" in texts(page)
    assert not page.error and not page.exception


def test_a_tag_is_put_on_taken_off_and_put_back(visit: Visit, run: str, root: Path) -> None:
    row = "word-problems-test-0003"
    page = visit("compare", run=run, view="rows", row=row)
    field = next(one for one in page.multiselect if one.label == "Tags")
    assert field.value == ["odd *one*"]
    field.set_value([]).run()
    assert "Deleted the tag" in texts(page)
    ws = opened(root)
    assert rows(ws, run, row=row).rows[0].tags == ()
    press(page, "Undo")
    assert rows(ws, run, row=row).rows[0].tags == ("odd *one*",)
    ws.close()


def test_values_from_the_address_that_make_no_sense_are_left_out(visit: Visit, run: str) -> None:
    bad = {
        "only": "<script>,regressed,different",
        "sort": "up",
        "of": "99",
        "versus": "-1",
        "repeat": "7",
        "scored": "x",
        "by": "nope",
        "low": "nan",
        "high": "1e9",
        "value": "x",
        "other": "../../etc",
        "page": "0",
    }
    page = visit("compare", run=run, view="rows", cells="0,1", **bad)
    assert not page.exception and not page.error, [error.value for error in page.error]
    assert "5 rows" in texts(page)
    assert "no other run" in texts(page)


def test_a_run_that_is_deleted_meanwhile_is_a_sentence(visit: Visit, run: str, root: Path) -> None:
    page = visit("compare", run=run, view="rows")
    ws = opened(root)
    ws.store.runs.set(run, deleted_at=ws.store.runs.get(run).created_at)  # type: ignore[union-attr]
    ws.close()
    page.run()
    assert "There is no run named" in page.error[0].value.replace("\\", "")
    assert not page.exception
