"""The worker looks after jobs beside runs, also while a run is at work, and whatever one of them does."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.engine.conftest import adds, write_workspace
from tests.fake_openai import openai_server
from workbench.core.experiment import Experiment
from workbench.engine import Workspace, create_run, progress
from workbench.engine.worker import serve

NOBODY = 2**22 - 7
"""A process that is not there."""


@pytest.mark.timeout(120)
def test_jobs_beside_are_looked_after_while_a_run_is_worked(
    tmp_path: Path, experiment: Callable[..., Experiment]
) -> None:
    looked = threading.Event()

    def answer(body: dict[str, Any]) -> str:
        assert looked.wait(60)
        return adds(body)

    with openai_server(answer=answer) as url:
        root = write_workspace(tmp_path / "root", url, rows=3)
        workspace = Workspace.open(root)
        run = create_run(workspace, experiment())
        seen: list[str] = []

        def beside(opened: Workspace) -> bool:
            seen.append(progress(opened, run).status)
            if seen[-1] == "running":
                looked.set()
            return seen[-1] != "completed"

        def broken(_: Workspace) -> bool:
            raise RuntimeError("this one never works")

        serve(root, parent=NOBODY, beside=[broken, beside])
        assert "running" in seen and seen[-1] == "completed"
        workspace.close()


@pytest.mark.timeout(120)
def test_the_worker_stays_for_as_long_as_something_is_left(tmp_path: Path) -> None:
    root = write_workspace(tmp_path / "root", "http://127.0.0.1:1/v1")
    left = threading.Event()
    left.set()
    worker = threading.Thread(
        target=serve, args=(root, NOBODY, False, [lambda _: left.is_set()]), daemon=True
    )
    worker.start()
    time.sleep(1.5)
    assert worker.is_alive()
    left.clear()
    worker.join(timeout=90)
    assert not worker.is_alive()
