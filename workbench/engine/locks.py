"""Who is at a job holds its lock file; a lock dies with its holder, however that ends.

Others look whether a lock is held, often and from several processes at once. A look must neither pass for a
holder in the eyes of another look, nor keep away who comes to hold the lock in that instant.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

LOOK_S = 0.1
"""More than a look at a lock takes."""


@contextmanager
def hold_lock(file: Path) -> Iterator[None]:
    """Holds the lock. Raises filelock.Timeout, after a moment, when some live process has it."""
    with FileLock(file).acquire(timeout=LOOK_S, poll_interval=LOOK_S / 20):
        yield


if sys.platform == "win32":

    def is_locked(file: Path) -> bool:
        """True where another process, or another holder in this one, has the lock now."""
        try:
            with FileLock(file).acquire(timeout=0):
                return False
        except Timeout:
            return True

else:
    import fcntl

    def is_locked(file: Path) -> bool:
        """True where another process, or another holder in this one, has the lock now."""
        try:
            opened = os.open(file, os.O_RDONLY)
        except FileNotFoundError:
            return False
        try:
            fcntl.flock(opened, fcntl.LOCK_SH | fcntl.LOCK_NB)  # looks do not shut each other out
        except BlockingIOError:
            return True
        finally:
            os.close(opened)
        return False
