"""The worker: a process of its own that claims queued runs and works them, one after the other.

`python -m workbench.engine.worker --root ROOT` — the app starts it. It holds a lock for as long as
it lives, takes up runs that a killed worker left, and ends when the app that started it is gone
and nothing is left to do.
"""

from __future__ import annotations

import argparse
import contextlib
import logging
import os
import threading
import time
from pathlib import Path

from filelock import FileLock, Timeout

from workbench.core.run import LIVE
from workbench.engine import processes
from workbench.engine.lifecycle import execute_run
from workbench.engine.records import is_held
from workbench.engine.workspace import Workspace
from workbench.errors import StorageError, WorkbenchError
from workbench.models.local.libraries import import_libraries
from workbench.storage import RunRecord

POLL_S = 0.3
WARM_AFTER_S = 4.0  # the first page comes first: it needs the processor itself
LOCK = "worker.lock"

log = logging.getLogger("workbench.worker")


def worker_alive(workspace: Workspace) -> bool:
    """Whether a worker of this workspace is running."""
    try:
        with FileLock(workspace.locks_dir / LOCK).acquire(timeout=0):
            return False
    except Timeout:
        return True


def ensure_worker(workspace: Workspace) -> None:
    """Starts the worker unless one is alive. It outlives the page, not the app."""
    processes.reap()
    if worker_alive(workspace):
        return
    own = ("--parent", str(os.getpid()), "--warm")
    processes.start(workspace, "workbench.engine.worker", "worker.log", *own)


def main(arguments: list[str] | None = None) -> None:
    """Works runs until there is nobody to work for."""
    parser = argparse.ArgumentParser(prog="workbench.engine.worker", description=__doc__)
    parser.add_argument("--root", type=Path, required=True)
    parser.add_argument("--parent", type=int, help="ends when this process is gone and no run waits")
    parser.add_argument("--warm", action="store_true", help="imports torch while nobody waits for it")
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    workspace = Workspace.open(options.root)
    # a worker that is just ending may hold the lock a little longer
    with contextlib.suppress(Timeout), FileLock(workspace.locks_dir / LOCK).acquire(timeout=10):
        if options.warm:
            threading.Thread(target=_warm, daemon=True).start()
        while True:
            worked = work_next(workspace)
            if not worked and options.parent is not None and not _exists(options.parent):
                return
            if not worked:
                time.sleep(POLL_S)


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


if __name__ == "__main__":
    main()
