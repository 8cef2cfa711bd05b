"""The app as a visitor meets it: from its entry point, over a small workspace of its own."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from tests.require import require
from workbench.engine import Workspace, create_run, execute_run
from workbench.models.embedded import embedded_path

MAIN = Path(__file__).resolve().parents[2] / "workbench" / "app" / "main.py"
Visit = Callable[..., AppTest]


@pytest.fixture
def root(workspace_root: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A workspace with the shipped prompts, experiments and datasets; few rows of each."""
    for split in (workspace_root / "experiments" / "datasets").glob("*/*.jsonl"):
        lines = split.read_text(encoding="utf-8").splitlines(keepends=True)
        split.write_text("".join(lines[:60]), encoding="utf-8")
    monkeypatch.setenv("WORKBENCH_ROOT", str(workspace_root))
    return workspace_root


@pytest.fixture
def visit(root: Path) -> Iterator[Visit]:
    """`visit("compare", run=…)` opens a page as its link would."""

    def opened(view: str = "home", /, **query: str) -> AppTest:
        test = AppTest.from_file(str(MAIN), default_timeout=200)
        for key, value in query.items():
            test.query_params[key] = value
        if view != "home":
            test.switch_page(f"views/{view}.py")
        return test.run()

    yield opened
    st.cache_resource.clear()


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A workspace with one finished run of two prompts on both embedded models; copied by tests."""
    needs_weights()
    source = Path(__file__).resolve().parents[2]
    root = tmp_path_factory.mktemp("finished")
    for folder in ("prompts", "experiments"):
        shutil.copytree(source / folder, root / folder)
    ws = Workspace.open(root)
    experiment = ws.experiment("quickstart").model_copy(
        update={"prompts": ("direct", "step-by-step", "self-consistency")}
    )
    run = create_run(ws, experiment, limit=6, owner="command")
    execute_run(ws, run)
    ws.close()
    return root, run


@pytest.fixture
def finished_run(finished: tuple[Path, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The id of a finished run, in a copy of its workspace that the app now serves."""
    source, run = finished
    root = tmp_path / "copy"
    shutil.copytree(source, root)
    monkeypatch.setenv("WORKBENCH_ROOT", str(root))
    return run


@pytest.fixture
def weights() -> None:
    """Skips where the embedded models have no weights."""
    needs_weights()


def needs_weights() -> None:
    """Skips, or fails the full run, where the embedded models have no weights."""
    try:
        found: Any = embedded_path("nano")
    except Exception:
        found = None
    require(found, "the embedded models' weights")


def texts(test: AppTest) -> str:
    """Everything that a page says, in one string."""
    kinds = (
        "title",
        "subheader",
        "markdown",
        "caption",
        "text",
        "code",
        "error",
        "warning",
        "info",
        "success",
    )
    return "\n".join(str(element.value) for kind in kinds for element in getattr(test, kind))


def press(test: AppTest, label: str) -> AppTest:
    """Presses the button with this label."""
    return next(button for button in test.button if button.label == label).click().run()
