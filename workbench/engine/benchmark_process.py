"""A benchmark in a process of its own, for pages: they start it, poll it and may cancel it.

`python -m workbench.engine.benchmark_process --root ROOT --model small@int8`

It goes on when the page is closed, and a page's own work does not slow it. While it lives it holds a
lock; how far it is stands in ROOT/.workbench/benchmark.json:

    {"model": "small@int8", "status": "running", "share": 0.4, "message": "decode, 8 at once", …}
"""

from __future__ import annotations

import argparse
import contextlib
import json
import signal
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Literal

from filelock import FileLock, Timeout

from workbench.core.files import write_text
from workbench.engine import processes
from workbench.engine.benchmarking import BenchmarkProgress, benchmark_model
from workbench.engine.locks import is_locked
from workbench.engine.workspace import Workspace
from workbench.errors import RunCancelled, RunError, StorageError, WorkbenchError

LOCK = "benchmark.lock"
STATE = "benchmark.json"
CANCEL = "benchmark.cancel"
STARTING_S = 20.0  # before that a process that holds no lock yet may just be starting
ENDING_S = 10.0

Status = Literal["running", "completed", "cancelled", "failed"]


@dataclass(frozen=True, slots=True)
class BenchmarkState:
    """The benchmark that is under way, or the last one."""

    model: str
    status: Status
    share: float = 0.0
    message: str = ""
    """What is being measured; of a failed one, why."""
    seconds_left: float | None = None
    started_at: float = 0.0
    """By `time.time`."""
    stopping: bool = False
    """Whether it was asked to stop, and has not yet."""


def start_benchmark(workspace: Workspace, name: str) -> None:
    """Starts measuring a model. Raises RunError while another one is under way, UnknownName."""
    workspace.models.spec(name)
    now = benchmark_state(workspace)
    if now is not None and now.status == "running":
        raise RunError(f"'{now.model}' is being measured; two at once would slow each other down.")
    (workspace.state_dir / CANCEL).unlink(missing_ok=True)
    _write(workspace, BenchmarkState(name, "running", message="starting", started_at=time.time()))
    processes.start(workspace, "workbench.engine.benchmark_process", "benchmark.log", "--model", name)


def cancel_benchmark(workspace: Workspace) -> None:
    """Asks the benchmark under way to stop; it does within a second, or when its model has loaded."""
    try:
        (workspace.state_dir / CANCEL).touch()
    except OSError as error:
        raise StorageError(f"{workspace.state_dir} cannot be written ({error.strerror}).") from None


def benchmark_state(workspace: Workspace) -> BenchmarkState | None:
    """How far the benchmark is; None where none was ever started. One whose process died is `failed`."""
    try:
        content = json.loads((workspace.state_dir / STATE).read_text("utf-8"))
        found = BenchmarkState(**content)
    except (OSError, ValueError, TypeError):
        return None
    young = time.time() - found.started_at < STARTING_S
    if found.status != "running":
        return found
    if young or _held(workspace):
        return replace(found, stopping=(workspace.state_dir / CANCEL).exists())
    return BenchmarkState(found.model, "failed", message="It was interrupted; start it again.")


def main(arguments: list[str] | None = None) -> None:
    """Measures one model and says how far it is, until it is done."""
    parser = argparse.ArgumentParser(prog="workbench.engine.benchmark_process", description=__doc__)
    parser.add_argument("--root", type=Path, required=True)
    parser.add_argument("--model", required=True)
    options = parser.parse_args(arguments)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    workspace = Workspace.open(options.root)
    with contextlib.suppress(Timeout), FileLock(workspace.locks_dir / LOCK).acquire(timeout=ENDING_S):
        _measure(workspace, options.model)


def _measure(workspace: Workspace, name: str) -> None:
    begun, cancel = time.time(), workspace.state_dir / CANCEL

    def tell(progress: BenchmarkProgress) -> None:
        _write(workspace, BenchmarkState(name, "running", **asdict(progress), started_at=begun))

    def end(status: Status, message: str = "") -> None:
        _write(workspace, BenchmarkState(name, status, 1.0, message, started_at=begun))

    try:
        benchmark_model(workspace, name, on_progress=tell, cancelled=cancel.exists)
    except RunCancelled as stop:
        end("cancelled", str(stop))
    except WorkbenchError as problem:
        end("failed", str(problem))
    except BaseException as problem:  # told to whoever waits, then as it would be
        end("failed", f"Something unexpected happened ({type(problem).__name__}); benchmark.log has more.")
        raise
    else:
        end("completed")
    finally:
        cancel.unlink(missing_ok=True)


def _held(workspace: Workspace) -> bool:
    return is_locked(workspace.locks_dir / LOCK)


def _write(workspace: Workspace, state: BenchmarkState) -> None:
    write_text(workspace.state_dir / STATE, json.dumps(asdict(state)))


if __name__ == "__main__":
    main()
