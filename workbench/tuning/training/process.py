"""The process that trains: reads a tuning's folder, changes weights, and tells what it does in events.jsonl.

python -m workbench.tuning.training.process --folder .workbench/tunings/20261121-120000-3f9c1a

It touches no database and no network. Started again in the same folder, it goes on from the newest state
that is whole.
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import os
import sys
import threading
import traceback
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from workbench.errors import WorkbenchError
from workbench.tuning.folders import TuningFolder
from workbench.tuning.job import TrainingJob
from workbench.tuning.training.checkpoints import (
    checkpoint_at,
    newest_complete,
    remove_checkpoint,
    what_is_broken,
)
from workbench.tuning.training.clock import Clock
from workbench.tuning.training.combinations import check_combination
from workbench.tuning.training.disk import disk_sentence, is_disk_full
from workbench.tuning.training.events import EventLog, best_look

if TYPE_CHECKING:
    from workbench.tuning.training.session import Session

FAILED, DISK_FULL, LEFT_ALONE = 1, 28, 3
LOCK_S = 20.0


def main(arguments: list[str] | None = None) -> int:
    """Trains by the folder's job; returns the exit code."""
    parser = argparse.ArgumentParser(description="Trains by the job in a tuning's folder.")
    parser.add_argument("--folder", required=True, type=Path)
    parser.add_argument("--followed", action="store_true", help="end once standard input is closed")
    chosen = parser.parse_args(arguments)
    if chosen.followed:
        threading.Thread(target=_end_with_follower, daemon=True).start()
    return work(TuningFolder(chosen.folder.resolve()))


def work(folder: TuningFolder) -> int:
    """Trains in this process; what goes wrong is told as an event. Returns the exit code."""
    first = int(os.environ.get("RANK", "0")) == 0
    lock = FileLock(folder.path / "training.lock") if first else contextlib.nullcontext()
    try:
        if isinstance(lock, FileLock):
            lock.acquire(timeout=LOCK_S)
    except Timeout:
        print(f"Another process trains in {folder.path}.", file=sys.stderr)
        return FAILED
    try:
        log = EventLog(folder.events)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # the libraries' own, about each other
                _work(folder, log, first)
        except Exception as problem:
            traceback.print_exc()
            with contextlib.suppress(OSError):
                log.write("failed", sentence=_sentence(problem, folder))
                return FAILED
            return DISK_FULL
    except OSError as problem:
        traceback.print_exc()
        return DISK_FULL if is_disk_full(problem) else FAILED
    finally:
        if isinstance(lock, FileLock):
            lock.release()
    return 0


def _work(folder: TuningFolder, log: EventLog, first: bool) -> None:
    clock = Clock()
    job = TrainingJob.read(folder.job)
    if first:
        log.write("preparing")
    check_combination(job.train)
    from workbench.tuning.training.session import Session, see_one_gpu

    if job.train.processes == 1 and "torch" not in sys.modules:
        see_one_gpu(job.device or os.environ.get("WORKBENCH_DEVICE"))
    session = Session(folder, job, clock, log if first else None)
    step, broken = newest_complete(folder.checkpoints)
    if first:
        for left, why in broken:
            log.write("left_checkpoint", step=left, why=why)
            remove_checkpoint(folder.checkpoints, left)
    if step is not None:
        session.restore(step)
    watcher, trainer = session.trainer(step)
    if __name__ == "__main__":
        gc.freeze()  # what the libraries made stays for good: it need not be looked through again and again
    if first:
        log.write("start", **session.told(step, trainer))
    if session.machine.all_hear(folder.cancel.exists()):
        if first:
            best = None if job.train.keep == "last" else best_look(session.looks)
            _tell_end(log, session, "cancelled", step or 0, best)
        return
    held = None  # the step whose weights are in memory
    if step is None or not (step >= session.steps.total or watcher.had_enough()):
        newest = None if step is None else str(checkpoint_at(folder.checkpoints, step))
        trainer.train(resume_from_checkpoint=newest)
        held = trainer.state.global_step
    if not first:
        return
    reached = (step or 0) if held is None else held
    best = None if job.train.keep == "last" else _best_there(folder, log, session.looks, held)
    with clock.part("saving"):
        session.save(trainer, reached if best is None else best, held)
    outcome = "cancelled" if watcher.cancelled else "early" if watcher.early else "completed"
    _tell_end(log, session, outcome, reached, best)


def _best_there(folder: TuningFolder, log: EventLog, looks: dict[int, float], held: int | None) -> int | None:
    """The best look whose weights can be had; None where there was no look."""
    for step in sorted((step for step in looks if step > 0), key=lambda step: (looks[step], step)):
        why = None if step == held else what_is_broken(checkpoint_at(folder.checkpoints, step))
        if why is None:
            return step
        if step == best_look(looks):
            log.write("left_checkpoint", step=step, why=why)
    return None


def _tell_end(log: EventLog, session: Session, outcome: str, step: int, best: int | None) -> None:
    log.write(
        "end",
        outcome=outcome,
        step=step,
        best_step=best,
        validation_loss=None if best is None else session.looks[best],
        seconds=round(session.clock.seconds, 3),
        parts=session.clock.parts(),
        peak_memory_bytes=session.machine.peak_bytes(),
    )


def _sentence(problem: Exception, folder: TuningFolder) -> str:
    """What went wrong, for the person who asked for the tuning."""
    from workbench.tuning.training.network import in_words

    if isinstance(problem, WorkbenchError):
        return str(problem)
    full = disk_sentence(problem, folder.path)
    if full is not None:
        return f"The training stopped: {full} The states saved before are whole; resume once there is room."
    words = (str(problem).splitlines() or [""])[0][:300].rstrip(".")
    kind = type(problem).__name__
    said = f"The training stopped ({kind}: {words})." if words else f"The training stopped ({kind})."
    return in_words(problem) or f"{said} More is in {folder.log.name} of its folder."


def _end_with_follower() -> None:
    """Standard input is a pipe that whoever follows holds open: it closes when that process ends, however
    it does, and then nobody may be left training here.
    """
    while os.read(0, 1):
        pass
    os._exit(LEFT_ALONE)


if __name__ == "__main__":
    sys.exit(main())
