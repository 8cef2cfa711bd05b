"""From files to a run: which format each has, one after the other through its reader, into the store.

import_finished(workspace, [Path("claude-2.json"), Path("vicuna-7b.json")], name="alpaca")
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import takewhile
from pathlib import Path, PurePosixPath, PureWindowsPath

from workbench.datasets.source import Source, source_of
from workbench.engine.finished.records import Finished, ImportSettings, Unmapped
from workbench.engine.finished.registry import FinishedFormat, format_named, recognise
from workbench.engine.finished.storing import ImportedRun, Origin, store_finished
from workbench.engine.workspace import Workspace
from workbench.errors import UsageError, WorkbenchError

OnReading = Callable[[str, int, int], None]
"""Told (file, bytes read, bytes in all) while files are read."""

File = Path | str | tuple[str, bytes]
"""A path; or an upload's name and content."""

CHUNK_BYTES = 1 << 20


def finished_format_of(
    file: File, format_name: str | None = None, settings: ImportSettings | None = None
) -> str | None:
    """The name of the format of finished outputs that a file has; None where it is something else."""
    found = _format(_source(file, None), format_name, settings or ImportSettings())
    return None if found is None else found.name


def import_finished(
    workspace: Workspace,
    files: Sequence[File],
    name: str | None = None,
    *,
    format_name: str | None = None,
    settings: ImportSettings | None = None,
    encoding: str | None = None,
    on_reading: OnReading | None = None,
) -> ImportedRun:
    """Makes one run of the finished outputs in all files; outputs of the same row stand beside each other.

    Args:
        name: what the run is found by; default: from the first file's name.
        format_name: of every file; default: told from what stands in each.
        encoding: of text files; default: UTF-8, or what a byte order mark says.

    Raises UsageError, UnknownName, InvalidFile, DatasetError; then nothing has changed.
    """
    if not files:
        raise UsageError("Name at least one file to import.")
    asked = settings or ImportSettings()
    read: list[tuple[Source, FinishedFormat]] = []
    for file in files:
        source = _source(file, encoding)
        found = _format(source, format_name, asked)
        if found is None:
            raise UsageError(
                f"{source.name} holds no finished outputs of a known format; for a table say which column "
                "has them with --output."
            )
        read.append((source, found))
    unmapped = Unmapped()
    origins: list[Origin] = []
    return store_finished(
        workspace,
        _items(read, asked, unmapped, origins, on_reading),
        name or name_of(*(source.name for source, _ in read)),
        origins=origins,
        settings=asked,
        unmapped=unmapped,
    )


def name_of(*files: str) -> str:
    """A usable name from a file's: `/tmp/GSM8K test (1).jsonl` → `GSM8K-test-1`.

    Of several files it is the whole words that their names begin with, else the first one's.
    """
    stems = [PurePosixPath(PureWindowsPath(file).as_posix()).name.rsplit(".", 1)[0] for file in files]
    alike = takewhile(lambda signs: len({*signs}) == 1, zip(*stems, strict=False))
    shared = "".join(signs[0] for signs in alike)
    if any(stem[len(shared) :][:1].isalnum() for stem in stems):
        shared = re.sub(r"[^\W_]+$", "", shared)
    return _usable(shared) or _usable(stems[0]) or "imported"


def _usable(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]+", "-", text).strip("-._")[:100].rstrip("-._")


def _items(
    read: Sequence[tuple[Source, FinishedFormat]],
    settings: ImportSettings,
    unmapped: Unmapped,
    origins: list[Origin],
    on_reading: OnReading | None,
) -> Iterator[Finished]:
    for source, found in read:
        origins.append(Origin(base_name(source.name), found.name, _sha256(source)))
        watched = source
        if on_reading is not None:
            watched = replace(source, progress=_told(source.name, on_reading))
        try:
            yield from found.read(watched, settings, unmapped)
        except (WorkbenchError, MemoryError):
            raise
        except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
            # a file whose parts are not what its format has there
            raise source.problem(
                f"this is not a file of format {found.name} as it should be ({type(error).__name__}: "
                f"{str(error)[:200]}); is it complete, and of a version that can be read?"
            ) from error


def base_name(file: str) -> str:
    """A file's name without its folders: what a run keeps of where it was."""
    return PurePosixPath(PureWindowsPath(file).as_posix()).name


def _told(name: str, on_reading: OnReading) -> Callable[[int, int], None]:
    return lambda done_bytes, total_bytes: on_reading(base_name(name), done_bytes, total_bytes)


def _source(file: File, encoding: str | None) -> Source:
    source = source_of(file[1], file[0]) if isinstance(file, tuple) else source_of(file, None)
    return replace(source, encoding=encoding)


def _format(source: Source, format_name: str | None, settings: ImportSettings) -> FinishedFormat | None:
    if format_name is not None:
        return format_named(format_name, source)
    return recognise(source, settings)


def _sha256(source: Source) -> str:
    digest = hashlib.sha256()
    with source.open() as file:
        while chunk := file.read(CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()
