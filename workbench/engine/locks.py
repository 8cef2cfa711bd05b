"""Whether some live process holds a lock file: a lock dies with its holder, however that ends."""

from __future__ import annotations

from pathlib import Path

from filelock import FileLock, Timeout


def is_locked(file: Path) -> bool:
    """True where another process, or another holder in this one, has the lock now."""
    try:
        with FileLock(file).acquire(timeout=0):
            return False
    except Timeout:
        return True
