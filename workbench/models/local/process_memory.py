"""What this process holds of the machine's memory, the most it held, and giving back what is free."""

from __future__ import annotations

import contextlib
import ctypes
import gc
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

STATUS = Path("/proc/self/status")
CLEAR_REFS = Path("/proc/self/clear_refs")
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3  # names of glibc's mallopt
LOADING_THRESHOLD = 2**18
RUNNING_THRESHOLD = 2**25  # where glibc's own adjustment ends


def resident_bytes() -> int:
    """Bytes of memory that the process holds now."""
    import psutil

    return int(psutil.Process().memory_info().rss)


def peak_bytes() -> int:
    """The most bytes that the process held since `forget_peak`; where that is not recorded, what it holds."""
    with contextlib.suppress(OSError, ValueError, IndexError):
        for line in STATUS.read_text("ascii").splitlines():
            if line.startswith("VmHWM:"):
                return max(int(line.split()[1]) * 1024, resident_bytes())
    return resident_bytes()


def forget_peak() -> bool:
    """Starts the recording of the most that was held anew. Returns whether this system can."""
    with contextlib.suppress(OSError):
        CLEAR_REFS.write_text("5", "ascii")
        return True
    return False


def give_back() -> None:
    """Returns memory that nothing uses to the system; Python and malloc would keep it."""
    gc.collect()
    libc = _glibc()
    if libc is not None:
        libc.malloc_trim(0)
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_initialized():
        torch.cuda.empty_cache()


@contextlib.contextmanager
def separate_blocks() -> Iterator[None]:
    """Large blocks that are asked for meanwhile are returned whole when they are let go.

    Otherwise malloc places weights between blocks that loading needs for a moment, and the holes stay.
    """
    libc = _glibc()
    if libc is None:
        yield
        return
    libc.mallopt(M_MMAP_THRESHOLD, LOADING_THRESHOLD)
    try:
        yield
    finally:
        libc.mallopt(M_MMAP_THRESHOLD, RUNNING_THRESHOLD)
        libc.mallopt(M_TRIM_THRESHOLD, 2 * RUNNING_THRESHOLD)


@cache
def _glibc() -> Any | None:
    """The C library where it is glibc: others have neither function, or another meaning for it."""
    if not sys.platform.startswith("linux"):
        return None
    try:
        libc = ctypes.CDLL("libc.so.6")
        return libc if hasattr(libc, "gnu_get_libc_version") else None
    except OSError:
        return None
