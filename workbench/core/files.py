"""Writing a file in one step: whoever reads it sees the old content or the new, never half."""

from __future__ import annotations

import contextlib
import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from workbench.errors import StorageError


@contextmanager
def staged(path: Path) -> Iterator[Path]:
    """A path beside `path` that takes its place when the block ends without an error.

    Makes missing folders and keeps the old file's permissions. Raises StorageError when the disk
    is full or the folder read-only; what was there is then untouched.
    """
    beside: Path | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        mode = stat.S_IMODE(path.stat().st_mode) if path.exists() else 0o644
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".tmp", dir=path.parent)
        os.close(handle)
        beside = Path(name)
        yield beside
        beside.chmod(mode)
        beside.replace(path)
        beside = None
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise StorageError(f"{path} could not be written: {reason}; what was there is untouched.") from None
    finally:
        if beside is not None:
            with contextlib.suppress(OSError):
                beside.unlink()


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """A binary file that takes the place of `path`, safe on the disk, as `staged` does."""
    with staged(path) as beside, beside.open("wb") as file:
        yield file
        file.flush()
        os.fsync(file.fileno())


def write_text(path: Path, text: str) -> None:
    """Writes text as UTF-8 in one step. Raises StorageError."""
    try:
        content = text.encode("utf-8")
    except UnicodeEncodeError:
        raise StorageError(f"{path} could not be written: the text holds half a character.") from None
    with replacing(path) as file:
        file.write(content)
