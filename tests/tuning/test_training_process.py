"""Training as it is started for people: who is told what, and who is kept out, before a model is loaded."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import pytest

from tests.models.tiny import tiny_model
from tests.tuning.training_folders import SETTINGS, training_folder
from workbench.core.tuning import Train
from workbench.errors import TuningCancelled, TuningError
from workbench.tuning.folders import TuningFolder
from workbench.tuning.job import TrainingJob
from workbench.tuning.training.events import EventLog
from workbench.tuning.training.following import command, threads_each, train
from workbench.tuning.training.process import work


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_model(tmp_path_factory.mktemp("tiny") / "base")


def test_what_a_training_refuses_reaches_the_one_who_asked(tmp_path: Path, base: Path):
    folder = training_folder(tmp_path / "t", base, method="prefix", merge=True)
    with pytest.raises(TuningError, match="cannot be added to weights"):
        train(folder)
    assert not folder.events.exists()  # before any process was started


def test_a_process_that_is_killed_is_told_from_one_that_failed(
    tmp_path: Path, base: Path, monkeypatch: pytest.MonkeyPatch
):
    folder = training_folder(tmp_path / "t", base)
    die = [sys.executable, "-c", f"import os; os.kill(os.getpid(), {int(signal.SIGKILL)})"]
    monkeypatch.setattr("workbench.tuning.training.following.command", lambda *_: die)
    with pytest.raises(TuningError, match=r"ended from outside \(signal 9\), most likely for want of memory"):
        train(folder)
    full = [sys.executable, "-c", "raise SystemExit(28)"]
    monkeypatch.setattr("workbench.tuning.training.following.command", lambda *_: full)
    with pytest.raises(TuningError, match="no room left on the disk"):
        train(folder)


def test_a_stop_while_libraries_load_is_heeded_at_once(
    tmp_path: Path, base: Path, monkeypatch: pytest.MonkeyPatch
):
    folder = training_folder(tmp_path / "t", base)
    loading = [sys.executable, "-c", "import sys; sys.stdin.read()"]  # for as long as somebody follows
    monkeypatch.setattr("workbench.tuning.training.following.command", lambda *_: loading)
    with pytest.raises(TuningCancelled, match="while the base was loading"):
        train(folder, cancelled=lambda: True)
    assert not folder.model.exists()


@pytest.mark.parametrize(
    ("best", "words"),
    [
        (20, "Cancelled after step 25 of 3,000; the weights of step 20, the best so far, are kept."),
        (25, "Cancelled after step 25 of 3,000; its weights are kept."),
        (None, "Cancelled after step 25 of 3,000; its weights are kept."),  # as with `keep: last`
    ],
)
def test_a_stop_says_which_weights_are_kept(
    tmp_path: Path, base: Path, monkeypatch: pytest.MonkeyPatch, best: int | None, words: str
):
    folder = training_folder(tmp_path / "t", base)
    log = EventLog(folder.events)
    log.write("start", step=0, steps=3000, seconds=1)
    log.write("look", step=20, validation_loss=0.5)
    end = {"step": 25, "best_step": best, "validation_loss": None, "seconds": 9}
    log.write("end", outcome="cancelled", parts={}, peak_memory_bytes=0, **end)
    nothing = [sys.executable, "-c", ""]
    monkeypatch.setattr("workbench.tuning.training.following.command", lambda *_: nothing)
    with pytest.raises(TuningCancelled) as stopped:
        train(folder)
    assert str(stopped.value) == words


def test_nobody_trains_twice_in_one_folder(tmp_path: Path, base: Path, monkeypatch: pytest.MonkeyPatch):
    from filelock import FileLock

    folder = training_folder(tmp_path / "t", base)
    monkeypatch.setattr("workbench.tuning.training.process.LOCK_S", 0.1)
    with FileLock(folder.path / "training.lock"):
        assert work(folder) == 1
    assert not folder.events.exists()


def test_several_processes_share_the_cores_and_leave_one_free():
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    assert threads_each(1) == max(1, cores - 1)
    assert threads_each(64) == 1
    job = TrainingJob("t", "base", Train(**(SETTINGS | {"processes": 3})))
    assert "--num_processes 3" in " ".join(command(TuningFolder(Path("t")), job))
