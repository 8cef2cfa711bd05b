"""The worker: a process of its own that claims queued runs and works them, one after the other.

`python -m workbench.worker --root ROOT` is that process; the app starts it. It holds a lock for as long as
it lives, takes up runs that a killed worker left, and ends when the app that started it is gone and nothing
is left to do. Other kinds of jobs, which have processes of their own, it looks after beside.
"""

from __future__ import annotations

import contextlib
import logging
import os
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from filelock import FileLock, Timeout

from workbench.core.run import LIVE
from workbench.engine import processes
from workbench.engine.lifecycle import execute_run
from workbench.engine.locks import is_locked
from workbench.engine.records import is_held
from workbench.engine.workspace import Workspace
from workbench.errors import StorageError, WorkbenchError
from workbench.models.local.libraries import import_libraries
from workbench.storage import RunRecord

POLL_S = 0.3
BESIDE_POLL_S = 1.0
WARM_AFTER_S = 4.0  # the first page comes first: it needs the processor itself
LOCK = "worker.lock"

Beside = Callable[[Workspace], bool]
"""Looks after jobs that have processes of their own and returns soon; False when none is left."""

log = logging.getLogger("workbench.worker")


def worker_alive(workspace: Workspace) -> bool:
    """Whether a worker of this workspace is running."""
    return is_locked(workspace.locks_dir / LOCK)


def ensure_worker(workspace: Workspace) -> None:
    """Starts the worker unless one is alive. It outlives the page, not the app."""
    processes.reap()
    if worker_alive(workspace):
        return
    own = ("--parent", str(os.getpid()), "--warm")
    processes.start(workspace, "workbench.worker", "worker.log", *own)


def serve(root: Path, parent: int | None = None, warm: bool = False, beside: Sequence[Beside] = ()) -> None:
    """Works runs, and looks after what is `beside`, until there is nobody to work for.

    Args:
        parent: ends when this process is gone and nothing is left; None: never.
        warm: imports torch while nobody waits for it.
    """
    workspace = Workspace.open(root)
    others = _Others(Workspace.open(root), beside)
    # a worker that is just ending may hold the lock a little longer
    with contextlib.suppress(Timeout), FileLock(workspace.locks_dir / LOCK).acquire(timeout=10):
        if warm:
            threading.Thread(target=_warm, daemon=True).start()
        if beside:
            threading.Thread(target=others.look_on, daemon=True).start()
        while True:
            worked = work_next(workspace)
            if not worked and parent is not None and not _exists(parent) and not others.look():
                others.ended.set()
                return
            if not worked:
                time.sleep(POLL_S)


class _Others:
    """The jobs beside runs; they are looked after while a run is worked, too."""

    def __init__(self, workspace: Workspace, beside: Sequence[Beside]) -> None:
        self._workspace, self._beside = workspace, beside
        self._one_at_a_time = threading.Lock()
        self.ended = threading.Event()

    def look_on(self) -> None:
        """Looks after them again and again, until the worker has ended."""
        while not self.ended.is_set():
            self.look()
            self.ended.wait(BESIDE_POLL_S)

    def look(self) -> bool:
        """Looks after them once; whether any is left."""
        with self._one_at_a_time:
            left = [self._look_after(kind) for kind in self._beside]  # all of them, whatever the first says
            return any(left)

    def _look_after(self, kind: Beside) -> bool:
        try:
            return kind(self._workspace)
        except WorkbenchError as error:
            log.error("%s", error)
        except Exception:
            log.exception("a job could not be looked after")
        return False


def work_next(workspace: Workspace) -> bool:
    """Claims and works the oldest waiting run; False when there is none."""
    try:
        waiting = [run for run in workspace.store.runs.waiting() if _is_ours(workspace, run)]
    except StorageError as error:
        log.error("%s", error)
        return False
    if not waiting:
        return False
    run = waiting[0]
    log.info("working run %s (%s)", run.id, run.experiment)
    try:
        execute_run(workspace, run.id)
    except WorkbenchError as error:
        log.warning("run %s: %s", run.id, error)
    except Exception:
        log.exception("run %s failed", run.id)
    return True


def _is_ours(workspace: Workspace, run: RunRecord) -> bool:
    # a run that a command line started and lost is resumed by its owner, not behind its back
    return run.owner == "worker" and run.status in LIVE and not is_held(workspace, run.id)


def _warm() -> None:
    """Imports what local models need while a person still reads the first page."""
    time.sleep(WARM_AFTER_S)
    import_libraries()


def _exists(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
