"""Slices, kinds of failing rows and history as pages: data is shown as text, and nothing is a dead end."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.app.conftest import Visit, texts
from tests.engine.conftest import adds, write_workspace
from tests.fake_openai import openai_server
from workbench.app.widgets.charts import whole_steps
from workbench.engine import Workspace, create_run, execute_run

HOSTILE = ["<b>bold</b>", "![x](http://a.example/x.png)", "{{ seven }}", "**loud**", "", None]


@pytest.fixture
def hostile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The id of a run whose rows hold Markdown, HTML and templates."""
    with openai_server(answer=adds) as server:
        root = write_workspace(tmp_path / "root", server, rows=24)
        file = root / "experiments" / "datasets" / "sums" / "test.jsonl"
        rows = [json.loads(line) for line in file.read_text().splitlines()]
        for number, row in enumerate(rows):
            row["kind"] = HOSTILE[number % len(HOSTILE)]
            row["question"] += f" {row['kind']}"
        file.write_text("".join(json.dumps(row) + "\n" for row in rows))
        monkeypatch.setenv("WORKBENCH_ROOT", str(root))
        ws = Workspace.open(root)
        run = create_run(ws, ws.experiment("sums"), owner="command")
        execute_run(ws, run)
        ws.close()
        yield run


def test_values_of_a_column_are_text_in_every_slice(visit_here: Visit, hostile: str) -> None:
    page = visit_here("compare", run=hostile, view="slices", slice="column:kind")
    assert not page.exception and not page.error
    assert page.get("plotly_chart")
    table = page.table[0].value.to_string()
    assert "\\<b\\>bold" in table and "\\!\\[x\\]" in table and "\\*\\*loud" in table
    assert "no value" in table and "few rows" in table
    short = visit_here("compare", run=hostile, view="slices", slice="kind")  # as the command line writes it
    assert next(box for box in short.selectbox if box.label == "Slice by").value == "column:kind"


def test_failing_rows_are_text_and_an_unknown_cell_is_told(visit_here: Visit, hostile: str) -> None:
    page = visit_here("compare", run=hostile, view="failures", cell="0")
    assert not page.exception and not page.error
    said = texts(page)
    assert "fails **12 rows** of 24" in said
    assert "![x](http" not in said and "<b>" not in said.replace("\\<b", "")
    stranger = visit_here("compare", run=hostile, view="failures", cell="77", read="mood")
    assert any("no cell named '77'" in one.value.replace("\\", "") for one in stranger.warning)
    none = visit_here("compare", run=hostile, view="failures", cell="1")
    assert "No row fails here" in texts(none)


def test_a_history_of_one_run_says_how_to_get_a_second(visit_here: Visit, hostile: str) -> None:
    page = visit_here("compare", run=hostile, view="history", older="nobody")
    assert not page.exception and not page.error
    assert "nothing to compare this run with yet" in texts(page)


@pytest.fixture
def visit_here(hostile: str) -> Iterator[Visit]:
    """`visit` without the shipped workspace."""
    import streamlit as st
    from streamlit.testing.v1 import AppTest

    from tests.app.conftest import MAIN

    def opened(view: str = "home", /, **query: str) -> AppTest:
        test = AppTest.from_file(str(MAIN), default_timeout=200)
        for key, value in query.items():
            test.query_params[key] = value
        test.switch_page(f"views/{view}.py")
        return test.run()

    yield opened
    st.cache_resource.clear()


@pytest.mark.parametrize(("most", "step"), [(0, 1), (1, 1), (10, 1), (11, None), (500, None)])
def test_an_axis_of_few_counts_has_no_half_ones(most: int, step: int | None) -> None:
    assert whole_steps(most) == step
