"""Telling a full disk from other failures: each library says it in its own way."""

from __future__ import annotations

import errno
import re
from pathlib import Path

FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
SAID = re.compile(
    r"no space left|disk quota|file too large|os error (28|122|27)\b|file write failed|"
    r"PytorchStreamWriter failed|unexpected pos",
    re.IGNORECASE,
)


def is_disk_full(problem: BaseException) -> bool:
    """Whether a write failed for want of room."""
    found: BaseException | None = problem
    while found is not None:
        if isinstance(found, OSError) and found.errno in FULL:
            return True
        if SAID.search(str(found)):
            return True
        found = found.__cause__ or found.__context__
    return False


def disk_sentence(problem: BaseException, folder: Path) -> str | None:
    """A sentence where there is no room left to write; None for other problems."""
    if not is_disk_full(problem):
        return None
    return f"there is no room left on the disk of '{folder}'; free some, or move the workspace."
