"""A file of any known format as a table: columns, rows, and what was noticed on the way.

read_table("questions.csv").rows[0]     {"question": "…", "answer": "007"}
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from workbench.datasets.formats import format_of
from workbench.datasets.json_rows import Row
from workbench.datasets.source import WHOLE_LIMIT_BYTES, Notes, Progress, Source, source_of


@dataclass(frozen=True)
class Table:
    """Rows as they stand in a file. `notes` are sentences about what was not plain data."""

    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    notes: tuple[str, ...] = ()

    def frame(self) -> Any:
        """The table as a pandas DataFrame of objects: no value is converted."""
        import pandas

        return pandas.DataFrame(list(self.rows), columns=list(self.columns), dtype=object)


def read_table(
    path_or_bytes: Path | str | bytes,
    name: str | None = None,
    *,
    encoding: str | None = None,
    sheet: str | int | None = None,
    limit: int | None = None,
    progress: Progress | None = None,
    whole_limit_bytes: int = WHOLE_LIMIT_BYTES,
) -> Table:
    """Reads a table into memory.

    Args:
        name: the file's name where bytes are given; its ending tells the format.
        encoding: of text files; None: UTF-8, or what the byte order mark says.
        sheet: of a workbook, by title or 1-based number; None: the first.
        limit: at most this many rows; the rest is not read.
        progress: called with (bytes done, bytes in all).
        whole_limit_bytes: the largest file of a format that cannot be read piece by piece.

    Raises: InvalidFile (with the line), DatasetError, UsageError, UnknownName (a sheet).
    """
    source = replace(
        source_of(path_or_bytes, name),
        encoding=encoding,
        sheet=sheet,
        progress=progress,
        whole_limit_bytes=whole_limit_bytes,
    )
    notes = Notes()
    _, found = open_rows(source, notes)
    rows = tuple(row for _, row in itertools.islice(found, limit))
    columns = tuple(dict.fromkeys(column for row in rows for column in row))
    return Table(columns, rows, tuple(notes.sentences()))


def preview(path_or_bytes: Path | str | bytes, n: int = 20, name: str | None = None, **options: Any) -> Table:
    """The first rows, to choose columns by; `options` are those of `read_table`."""
    return read_table(path_or_bytes, name, limit=n, **options)


def open_rows(source: Source, notes: Notes) -> tuple[Source, Iterator[tuple[int, Row]]]:
    """The rows of a source, one at a time with their places, and the source that counts as they do."""
    found = format_of(source)
    counted = source.counted_in(found.unit)
    return counted, found.read(counted, notes)
