"""Whether a lock is held can be looked at by many at once, and keeps nobody from holding it."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from filelock import Timeout

from workbench.engine.locks import hold_lock, is_locked

HOLDER = """
import sys, time
from pathlib import Path
from workbench.engine.locks import hold_lock
with hold_lock(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(600)
"""


@contextmanager
def looked_at(file: Path, threads: int = 3) -> Iterator[list[bool]]:
    """Looks at the lock all the time; what was seen comes into the list."""
    seen: list[bool] = []
    ended = threading.Event()

    def look() -> None:
        while not ended.is_set():
            seen.append(is_locked(file))

    looking = [threading.Thread(target=look) for _ in range(threads)]
    for thread in looking:
        thread.start()
    try:
        yield seen
    finally:
        ended.set()
        for thread in looking:
            thread.join()


def test_looks_do_not_pass_for_holders(tmp_path: Path) -> None:
    with hold_lock(tmp_path / "one.lock"):
        pass
    with looked_at(tmp_path / "one.lock") as seen:
        while len(seen) < 2000:
            assert not is_locked(tmp_path / "one.lock")
    assert not any(seen)


def test_looks_keep_nobody_from_holding(tmp_path: Path) -> None:
    with looked_at(tmp_path / "one.lock"):
        for _ in range(50):
            with hold_lock(tmp_path / "one.lock"):
                assert is_locked(tmp_path / "one.lock")


def test_what_was_never_held_is_free_and_a_look_writes_nothing(tmp_path: Path) -> None:
    assert not is_locked(tmp_path / "one.lock")
    assert not list(tmp_path.iterdir())


def test_a_lock_is_held_by_one_and_dies_with_its_process(tmp_path: Path) -> None:
    file = tmp_path / "one.lock"
    with subprocess.Popen([sys.executable, "-c", HOLDER, str(file)], stdout=subprocess.PIPE) as holder:
        try:
            assert holder.stdout is not None and holder.stdout.readline() == b"held\n"
            assert is_locked(file)
            with pytest.raises(Timeout), hold_lock(file):
                pass
        finally:
            holder.kill()
    assert not is_locked(file)
    with hold_lock(file):
        assert is_locked(file)
