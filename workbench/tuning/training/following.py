"""Starting the process that trains, following what it tells, and stopping it.

train(folder, on_progress=show, cancelled=asked_to_stop)  ->  TrainingResult(outcome="early", best_step=48, …)
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from workbench.engine.processes import QUIET_THREADS
from workbench.errors import TuningCancelled, TuningError
from workbench.tuning.folders import TuningFolder
from workbench.tuning.job import TrainingJob
from workbench.tuning.training.combinations import check_combination
from workbench.tuning.training.events import ENDED, TrainingState, read_state
from workbench.tuning.training.process import DISK_FULL

POLL_S = 0.25
MODULE = "workbench.tuning.training.process"
LONGEST_STOP_S = 600.0
"""A step of a large model, and saving it, may take minutes; after this the process is ended."""

OnProgress = Callable[[TrainingState], None]


@dataclass(frozen=True, slots=True)
class TrainingResult:
    """What came of a training.

    Attributes:
        outcome: completed, or `early` where looks got no better.
        model: the folder with the tuned weights.
        whole: whether they are whole weights instead of an adapter over the base.
        step: of the optimiser, the last one.
        best_step: the one whose weights were kept; None without validation: the last.
        validation_loss: at the best step.
        seconds: worked in all, by processes that were killed too, up to the states they left.
        peak_memory_bytes: the most that the last processes held together.
    """

    outcome: Literal["completed", "early"]
    model: Path
    whole: bool
    step: int
    steps: int
    best_step: int | None
    validation_loss: float | None
    seconds: float
    peak_memory_bytes: int | None


def train(
    folder: TuningFolder,
    on_progress: OnProgress | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> TrainingResult:
    """Trains by the folder's job in processes of their own; goes on from the newest state that is whole.

    A training that has ended already is not done again. Where this process is killed, the ones it started
    end by themselves.

    Args:
        on_progress: called with each new state, a few times a second at most.
        cancelled: asked as often; once it says yes, the training stops after the step it is at, and the
            best weights so far (with `keep: last`, and without validation, the last) are kept in model/.

    Raises TuningCancelled after such a stop, TuningError with what went wrong.
    """
    job = TrainingJob.read(folder.job)
    check_combination(job.train)
    state = read_state(folder)
    if state.status in ("completed", "early") and folder.model.is_dir():
        return _result(folder, job, state)
    folder.cancel.unlink(missing_ok=True)
    folder.checkpoints.mkdir(parents=True, exist_ok=True)
    process = _start(folder, job)
    try:
        way = _follow(folder, process, on_progress, cancelled)
    finally:
        _end(process)
    state = read_state(folder)
    if on_progress is not None:
        on_progress(state)
    if state.status == "cancelled":
        raise TuningCancelled(_stopped(state))
    if way == "before":
        raise TuningCancelled("Cancelled while the base was loading; resumed, it goes on from where it was.")
    if way == "late":
        raise TuningCancelled(
            f"Cancelled in the middle of a step that took more than {LONGEST_STOP_S / 60:.0f} minutes; "
            "resumed, it goes on from the last state."
        )
    if state.status in ("completed", "early") and process.returncode == 0:
        return _result(folder, job, state)
    raise TuningError(_why(folder, state, process.returncode))


def command(folder: TuningFolder, job: TrainingJob) -> list[str]:
    """The command line of the processes that train."""
    if job.train.processes == 1:
        return [sys.executable, "-m", MODULE, "--folder", str(folder.path), "--followed"]
    # with its switch for the CPU this launcher starts one process alone; by environment it starts all
    launcher = ["accelerate.commands.launch", "--multi_gpu", "--num_machines", "1", "--mixed_precision", "no"]
    launcher += ["--dynamo_backend", "no", "--main_process_port", "0"]
    launcher += ["--num_processes", str(job.train.processes), "--module", MODULE]
    return [sys.executable, "-m", *launcher, "--folder", str(folder.path), "--followed"]


def threads_each(processes: int) -> int:
    """Threads that each process computes with: all cores but one, shared between them."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, (cores - 1) // processes)


def _start(folder: TuningFolder, job: TrainingJob) -> subprocess.Popen[bytes]:
    processes = job.train.processes
    environment = {"OMP_NUM_THREADS": str(threads_each(processes))} | os.environ | QUIET_THREADS
    environment |= {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1", "PYTHONUNBUFFERED": "1"}
    if processes > 1 and _on_cpu(job):
        environment["ACCELERATE_USE_CPU"] = "true"
    with folder.log.open("ab") as output:
        return subprocess.Popen(
            command(folder, job),
            stdin=subprocess.PIPE,  # held open: its end tells the process that nobody follows any more
            stdout=output,
            stderr=output,
            env=environment,
            start_new_session=True,
        )


def _follow(
    folder: TuningFolder,
    process: subprocess.Popen[bytes],
    on_progress: OnProgress | None,
    cancelled: Callable[[], bool] | None,
) -> Literal["end", "before", "late"]:
    """Waits for the end; tells whether a stop came before the first step, or was not heeded in time."""
    seen: tuple[int, int] | None = None
    stop_by: float | None = None
    while process.poll() is None:
        if stop_by is None and cancelled is not None and cancelled():
            folder.cancel.touch()
            stop_by = time.monotonic() + LONGEST_STOP_S
            if read_state(folder).status == "starting":  # libraries load for seconds, and hear nothing
                return "before"
        if stop_by is not None and time.monotonic() > stop_by:
            return "late"
        size = _size(folder.events)
        if on_progress is not None and size != seen:
            seen = size
            on_progress(read_state(folder))
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(POLL_S)
    return "end"


def _end(process: subprocess.Popen[bytes]) -> None:
    """Lets go of the processes: by now they have ended, or they do because nobody follows."""
    if process.stdin is not None:
        process.stdin.close()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _result(folder: TuningFolder, job: TrainingJob, state: TrainingState) -> TrainingResult:
    return TrainingResult(
        outcome="early" if state.status == "early" else "completed",
        model=folder.model,
        whole=(folder.model / "config.json").is_file(),
        step=state.step,
        steps=state.steps,
        best_step=state.best_step,
        validation_loss=state.validation_loss,
        seconds=state.seconds,
        peak_memory_bytes=state.peak_memory_bytes,
    )


def _stopped(state: TrainingState) -> str:
    if not state.step:
        return "Cancelled before its first step; resumed, it begins there."
    after = f"Cancelled after step {state.step:,} of {state.steps:,}"
    if state.best_step is None or state.best_step == state.step:
        return f"{after}; its weights are kept."
    return f"{after}; the weights of step {state.best_step:,}, the best so far, are kept."


def _why(folder: TuningFolder, state: TrainingState, code: int) -> str:
    if state.status == "failed":
        return state.message
    if code == DISK_FULL:
        return (
            f"The training stopped: there is no room left on the disk of '{folder.path}'; free some and "
            "resume, the states saved before are whole."
        )
    if code < 0 and state.status not in ENDED:
        return (
            f"The training process was ended from outside (signal {-code}), most likely for want of memory; "
            "resume goes on from the last state, or use a smaller `batch`."
        )
    return (
        f"The training process ended unexpectedly (code {code}); {folder.log} tells more, and resume goes on."
    )


def _on_cpu(job: TrainingJob) -> bool:
    asked = job.device or os.environ.get("WORKBENCH_DEVICE")
    if asked is not None:
        return asked == "cpu"
    from workbench.models.local.loading import devices

    return devices() == ["cpu"]


def _size(file: Path) -> tuple[int, int]:
    try:
        status = file.stat()
    except FileNotFoundError:
        return (0, 0)
    return (status.st_size, status.st_mtime_ns)
