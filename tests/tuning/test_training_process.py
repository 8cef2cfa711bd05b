"""Training as it runs for people: in processes of its own, followed, stopped, killed and gone on with."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.models.tiny import tiny_model
from tests.tuning.training_folders import SETTINGS, training_folder
from workbench.core.tuning import Train
from workbench.errors import TuningCancelled, TuningError
from workbench.tuning.folders import TuningFolder
from workbench.tuning.job import TrainingJob
from workbench.tuning.training.checkpoints import checkpoint_at, checkpoint_steps
from workbench.tuning.training.events import TrainingState, read_points, read_state
from workbench.tuning.training.following import command, threads_each, train
from workbench.tuning.training.process import work

FOLLOWER = """
import sys
from pathlib import Path
from workbench.tuning import TuningFolder, train
train(TuningFolder(Path(sys.argv[1])))
"""


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_model(tmp_path_factory.mktemp("tiny") / "base")


def wait_for(what: Callable[[], Any], seconds: float = 120) -> Any:
    until = time.monotonic() + seconds
    while not (found := what()):
        assert time.monotonic() < until
        time.sleep(0.02)
    return found


def curve(folder: TuningFolder) -> dict[int, tuple[float | None, float | None]]:
    return {point.step: (point.loss, point.validation_loss) for point in read_points(folder)}


def weights(folder: TuningFolder) -> dict[str, Any]:
    from safetensors.torch import load_file

    return load_file(folder.model / "adapter_model.safetensors")


def test_a_killed_training_ends_with_its_follower_and_goes_on_to_the_same_curve(tmp_path: Path, base: Path):
    settings = {"epochs": 30, "dropout": 0.1, "evaluate_every": 10, "patience": None}
    undisturbed = training_folder(tmp_path / "a", base, **settings)
    assert work(undisturbed) == 0
    folder = training_folder(tmp_path / "b", base, **settings)
    follower = subprocess.Popen([sys.executable, "-c", FOLLOWER, str(folder.path)])
    wait_for(lambda: read_state(folder).step >= 32)
    (trainer,) = psutil.Process(follower.pid).children()
    follower.kill()
    follower.wait()
    trainer.wait(10)
    reached = read_state(folder).step
    newest, before = checkpoint_steps(folder.checkpoints)[:2]
    assert reached < 90 and read_state(folder).status == "training"
    file = checkpoint_at(folder.checkpoints, newest) / "adapter_model.safetensors"
    file.write_bytes(file.read_bytes()[:-100])  # and the newest state is broken, too
    assert work(folder) == 0
    state = read_state(folder)
    assert state.resumed_from == before and state.left_checkpoints[0][0] == newest
    assert curve(folder) == curve(undisturbed)
    kept, expected = weights(folder), weights(undisturbed)
    assert all((kept[key] == expected[key]).all() for key in expected)


def test_a_cancelled_training_keeps_the_best_and_goes_on_when_asked_again(tmp_path: Path, base: Path):
    folder = training_folder(tmp_path / "t", base, epochs=400, evaluate_every=5, patience=None)
    states: list[TrainingState] = []
    with pytest.raises(TuningCancelled, match=r"cancelled after step \d+ of 1200; the weights of step \d+"):
        train(folder, states.append, cancelled=lambda: bool(states) and states[-1].step >= 10)
    state = read_state(folder)
    assert state.status == "cancelled" and 10 <= state.step < 1200
    assert (folder.model / "adapter_model.safetensors").is_file()
    best = checkpoint_at(folder.checkpoints, state.best_step or 0)
    assert (best / "adapter_model.safetensors").is_file()
    assert states[0].status == "starting" and states[-1].status == "cancelled"
    assert any(one.seconds_left for one in states)

    job = TrainingJob.read(folder.job)
    shorter = job.train.model_copy(update={"epochs": None, "max_steps": state.step + 5})
    TrainingJob(job.tuning, job.base, shorter).write(folder.job)
    folder.cancel.unlink()
    assert work(folder) == 0
    assert read_state(folder).resumed_from == state.step
    started = read_state(folder).start["at"]
    result = train(folder)  # what has ended is not done again
    assert result.outcome == "completed" and result.step == state.step + 5
    assert read_state(folder).start["at"] == started


def test_two_processes_step_like_one_with_the_doubled_batch(tmp_path: Path, base: Path):
    shared = training_folder(tmp_path / "a", base, processes=2, batch=2)
    alone = training_folder(tmp_path / "b", base, batch=4)
    result = train(shared)
    assert work(alone) == 0
    assert read_state(shared).start["processes"] == 2
    assert result.step == read_state(alone).step == 12
    one, other = (
        [loss for loss, _ in curve(folder).values() if loss is not None] for folder in (shared, alone)
    )
    assert len(one) == 12 and one == pytest.approx(other, rel=1e-3)
    kept, expected = weights(shared), weights(alone)
    for key in expected:
        assert (kept[key] - expected[key]).abs().max() < 1e-3, key


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
