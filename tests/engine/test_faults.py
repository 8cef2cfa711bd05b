"""Processes are killed, tabs compete, disks fill: nothing stored is lost, nothing is paid twice."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.engine.conftest import adds, write_workspace
from tests.fake_openai import Stalling, openai_server
from workbench.core.experiment import Experiment
from workbench.core.run import LIVE
from workbench.engine import (
    Workspace,
    create_run,
    ensure_worker,
    execute_run,
    progress,
    report,
    resume_run,
    worker_alive,
)
from workbench.engine.records import effective_status, get_run

Build = Callable[..., Experiment]


def start_worker(root: Path) -> subprocess.Popen[bytes]:
    command = [
        sys.executable,
        "-m",
        "workbench.worker",
        "--root",
        str(root),
        "--parent",
        str(os.getpid()),
    ]
    return subprocess.Popen(command, stderr=subprocess.DEVNULL)


def workers_of(root: Path) -> list[int]:
    listed = subprocess.run(["ps", "-wweo", "pid,stat,args"], capture_output=True, text=True, check=True)
    found = [line.split(None, 2) for line in listed.stdout.splitlines()]
    wanted = f"workbench.worker --root {root}"
    return [int(pid) for pid, state, args in found if wanted in args and not state.startswith("Z")]


def wait_until(condition: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)


@pytest.mark.timeout(180)
def test_a_killed_worker_loses_nothing_and_no_stored_call_is_made_twice(
    tmp_path: Path, experiment: Build
) -> None:
    answer = Stalling(adds, 120)
    with openai_server(delay_s=0.1, answer=answer) as url:
        root = write_workspace(tmp_path / "root", url, rows=100)
        workspace = Workspace.open(root)
        run = create_run(workspace, experiment())
        worker = start_worker(root)
        wait_until(lambda: progress(workspace, run).done > 20)
        time.sleep(random.random() / 2)
        worker.send_signal(signal.SIGKILL)
        # not waited for: a zombie must not pass for a live worker
        wait_until(lambda: progress(workspace, run).status == "interrupted")
        worker.wait()
        stored = {
            (output.cell, output.position)
            for cell in (0, 1)
            for output in workspace.store.outputs.of_cell(run, cell)
        }
        assert 20 < len(stored) <= 120
        answer.go_on()
        asked_before = Counter(body["messages"][-1]["content"] for body in url.bodies)
        resume_run(workspace, run, owner="command")
        shown = execute_run(workspace, run)
        assert [line.rows for line in shown.cells] == [100, 100] and shown.errors == 0
        asked = Counter(body["messages"][-1]["content"] for body in url.bodies)
        for cell, position in stored:
            question = f"What is {position} + 7?" + ("\nLet's think step by step." if cell else "")
            assert asked[question] == asked_before[question] == 1
        workspace.close()


@pytest.mark.timeout(180)
def test_a_new_worker_takes_up_what_a_killed_one_left(tmp_path: Path, experiment: Build) -> None:
    with openai_server(delay_s=0.1, answer=adds) as url:
        root = write_workspace(tmp_path / "root", url, rows=80)
        workspace = Workspace.open(root)
        run = create_run(workspace, experiment())
        first = start_worker(root)
        wait_until(lambda: progress(workspace, run).done > 5)
        first.kill()
        second = start_worker(root)
        wait_until(lambda: progress(workspace, run).status == "completed")
        assert [line.rows for line in report(workspace, run).cells] == [80, 80]
        second.kill()
        first.wait()
        second.wait()
        workspace.close()


@pytest.mark.timeout(120)
def test_two_tabs_that_run_the_same_experiment_pay_once(tmp_path: Path, experiment: Build) -> None:
    with openai_server(delay_s=0.01, answer=adds) as url:
        root = write_workspace(tmp_path / "root", url)
        tabs = [Workspace.open(root), Workspace.open(root)]
        made = [create_run(tab, experiment()) for tab in tabs]
        worker = start_worker(root)
        for tab, run in zip(tabs, made, strict=True):
            wait_until(lambda tab=tab, run=run: progress(tab, run).status == "completed")  # type: ignore[misc]
        assert len(url.bodies) == 24
        assert [len(report(tab, run).cells) for tab, run in zip(tabs, made, strict=True)] == [2, 2]
        worker.kill()
        worker.wait()
        for tab in tabs:
            tab.close()


@pytest.mark.timeout(120)
def test_the_command_line_follows_a_run_that_a_worker_is_at(tmp_path: Path, experiment: Build) -> None:
    with openai_server(delay_s=0.1, answer=adds) as url:
        root = write_workspace(tmp_path / "root", url, rows=60)
        workspace = Workspace.open(root)
        run = create_run(workspace, experiment())
        worker = start_worker(root)
        wait_until(lambda: progress(workspace, run).status != "queued")
        assert execute_run(workspace, run).status == "completed"
        assert len(url.bodies) == 120
        worker.kill()
        worker.wait()
        workspace.close()


@pytest.mark.timeout(120)
def test_one_worker_at_a_time_and_it_ends_with_its_app(tmp_path: Path) -> None:
    root = write_workspace(tmp_path / "root", "http://127.0.0.1:1/v1")
    starter = (
        "import sys\nfrom workbench.engine import Workspace, ensure_worker\n"
        "ensure_worker(Workspace.open(sys.argv[1]))\n"
    )
    workspace = Workspace.open(root)
    subprocess.run([sys.executable, "-c", starter, str(root)], check=True, timeout=60)
    wait_until(lambda: workers_of(root) == [])  # its parent is gone and there is nothing to do
    for _ in range(2):
        ensure_worker(workspace)
        wait_until(lambda: worker_alive(workspace))
    assert len(workers_of(root)) == 1
    os.kill(workers_of(root)[0], signal.SIGTERM)
    wait_until(lambda: not worker_alive(workspace))
    ensure_worker(workspace)
    wait_until(lambda: worker_alive(workspace))
    os.kill(workers_of(root)[0], signal.SIGKILL)
    wait_until(lambda: workers_of(root) == [])
    workspace.close()


def test_a_worker_survives_a_run_whose_model_is_gone(workspace: Workspace, experiment: Build) -> None:
    from workbench.engine.worker import work_next

    run = create_run(workspace, experiment())
    (workspace.root / "experiments/models.yaml").write_text("models: []\n")
    assert work_next(workspace)
    found = progress(workspace, run)
    assert found.status == "failed" and "server" in found.message
    assert found.status not in LIVE and not work_next(workspace)


def test_a_run_that_ended_since_it_was_read_is_not_said_to_be_interrupted(
    workspace: Workspace, experiment: Build
) -> None:
    run = create_run(workspace, experiment())
    workspace.store.runs.set(run, status="running")
    read_before = get_run(workspace, run)
    assert effective_status(workspace, read_before) == "interrupted"
    workspace.store.runs.set(run, status="completed")
    assert effective_status(workspace, read_before) == "completed"


def test_a_prompt_edited_during_a_run_does_not_change_it(workspace: Workspace, experiment: Build) -> None:
    run = create_run(workspace, experiment())
    (workspace.root / "prompts/direct.yaml").write_text(
        "name: direct\nmessages: [{role: user, content: Hi}]\n"
    )
    assert execute_run(workspace, run).cells[0].metrics["exact_match"].mean == 0.5
