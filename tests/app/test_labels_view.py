"""The Labels view of Compare: a classification's mistakes, and why there is nothing for anything else."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from tests.app.conftest import texts
from tests.engine.conftest import write_workspace
from tests.engine.moods import add_moods, feels
from tests.fake_openai import openai_server
from workbench.engine import Workspace, create_run, execute_run

Visit = Callable[..., AppTest]


@pytest.fixture
def runs_of(tmp_path: Path, visit: Visit, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """One run of a classification and one of sums, in the workspace that the app serves."""
    root = tmp_path / "moods"
    with openai_server(answer=feels) as url:
        write_workspace(root, url)
        add_moods(root)
        ws = Workspace.open(root)
        made = {}
        for name in ("moods", "sums"):
            made[name] = create_run(ws, ws.experiment(name), owner="command")
            execute_run(ws, made[name])
        ws.close()
    monkeypatch.setenv("WORKBENCH_ROOT", str(root))
    return made


def test_a_classification_shows_its_matrix_its_labels_and_its_mistakes(
    visit: Visit, runs_of: dict[str, str]
) -> None:
    page = visit("compare", run=runs_of["moods"], view="labels")
    assert not page.exception and not page.error
    (table,) = (frame.value for frame in page.table)
    assert list(table["Label"]) == ["**bad**", "**good**", "**mixed**"]
    assert list(table["Outputs"]) == ["4", "6", "2"] and list(table["Given"]) == ["6", "5", "0"]
    links = [link.proto.label for link in page.get("page_link")]
    assert "2 outputs\\: mixed taken for bad" in links
    assert "1 output\\: good taken for no answer" in links


def test_what_is_no_classification_says_why(visit: Visit, runs_of: dict[str, str]) -> None:
    page = visit("compare", run=runs_of["sums"], view="labels")
    assert not page.exception and not page.error
    said = texts(page)
    assert "Nothing to show here" in said and "are answers rather than labels" in said
