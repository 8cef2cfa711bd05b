"""A tuning outlives whoever is at it: its process is killed, its training is stopped, and nothing is lost."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.engine.conftest import adds
from tests.fake_openai import BaseUrl, openai_server
from tests.tuning.conftest import RECIPE
from workbench.core.document import load
from workbench.core.tuning import Recipe
from workbench.engine import Workspace, create_run, progress
from workbench.tuning import (
    cancel_tuning,
    create_tuning,
    get_tuning,
    resume_tuning,
    tuning_json,
    tuning_progress,
)
from workbench.tuning.turns import turn_is_free

SLOWLY = RECIPE.replace("max_steps: 12", "max_steps: 3000").replace("evaluate_every: 4", "evaluate_every: 20")


@pytest.fixture
def server() -> Iterator[BaseUrl]:
    """The teacher, slow enough to be interrupted."""
    with openai_server(delay_s=0.5, answer=adds) as base_url:
        yield base_url


@pytest.fixture
def worker(workspace: Workspace) -> Iterator[subprocess.Popen[bytes]]:
    """The workspace's worker, as the app starts it."""
    process = _worker(workspace.root, os.getpid())
    yield process
    process.kill()
    process.wait()
    for pid in _processes_of(workspace.root):
        os.kill(pid, signal.SIGKILL)


def _worker(root: Path, parent: int) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "workbench.worker", "--root", str(root), "--parent", str(parent)]
    return subprocess.Popen(command, stderr=subprocess.DEVNULL)


def _processes_of(root: Path) -> list[int]:
    listed = subprocess.run(["ps", "-wweo", "pid,stat,args"], capture_output=True, text=True, check=True)
    found = [line.split(None, 2) for line in listed.stdout.splitlines()]
    return [
        int(pid) for pid, state, args in found if f"tuning.process --root {root}" in args and state[0] != "Z"
    ]


def wait_until(condition: Callable[[], bool], seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.1)


@pytest.mark.timeout(300)
def test_killed_cancelled_and_measured_it_loses_nothing(
    workspace: Workspace, server: BaseUrl, worker: subprocess.Popen[bytes]
) -> None:
    tuning = create_tuning(workspace, load(Recipe, SLOWLY))
    source = lambda: get_tuning(workspace, tuning).definition["sources"].get("samples")  # noqa: E731
    wait_until(lambda: source() is not None and progress(workspace, source()).total > 0)
    (first,) = _processes_of(workspace.root)
    os.kill(first, signal.SIGKILL)
    wait_until(lambda: first not in _processes_of(workspace.root))

    # the worker begins again where it was, and works runs meanwhile
    wait_until(lambda: tuning_progress(workspace, tuning).stage == "training")
    run = create_run(workspace, workspace.experiment("sums"))
    wait_until(lambda: progress(workspace, run).status == "completed")
    asked = Counter(body["messages"][-1]["content"] for body in server.bodies)
    assert set(asked.values()) == {1}, "no answer was paid twice"
    assert len(workspace.store.runs.newest(experiment="samples")) == 1

    # cancelled in its training, it keeps what it has
    wait_until(lambda: tuning_progress(workspace, tuning).step >= 25)
    assert not turn_is_free(workspace)
    cancel_tuning(workspace, tuning)
    wait_until(lambda: tuning_progress(workspace, tuning).status == "cancelled")
    state = tuning_progress(workspace, tuning)
    assert state.stage == "training" and "tiny-sums-lora" in state.message and "as it is" in state.message
    assert workspace.models.check("tiny-sums-lora").ok and get_tuning(workspace, tuning).result is None

    # measured as it is
    resume_tuning(workspace, tuning, as_it_is=True)
    wait_until(lambda: tuning_progress(workspace, tuning).status == "completed")
    assert tuning_json(workspace, tuning)["tuned"]["n"] == 6
    assert turn_is_free(workspace)


@pytest.mark.timeout(120)
def test_the_worker_stays_for_a_tuning_when_the_app_is_gone(workspace: Workspace, recipe: Recipe) -> None:
    impossible = recipe.model_copy(
        update={"collect": recipe.collect.model_copy(update={"models": ("nobody",)})}
    )  # type: ignore[union-attr]
    tuning = create_tuning(workspace, impossible)
    app = subprocess.Popen([sys.executable, "-c", "pass"])
    app.wait()
    worker = _worker(workspace.root, app.pid)
    assert worker.wait(timeout=100) == 0
    assert tuning_progress(workspace, tuning).status == "failed"
    assert "nobody" in tuning_progress(workspace, tuning).message
