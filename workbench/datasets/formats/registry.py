"""Which reader answers to which file ending. A reader registers itself:

    @dataset_format(".csv", ".tsv", unit="line")
    def read_delimited(source: Source, notes: Notes) -> Iterator[tuple[int, Row]]: ...

A package outside adds one through the entry point group `workbench.dataset_formats`.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from workbench.datasets.json_rows import Row
from workbench.datasets.source import Notes, Source
from workbench.errors import DatasetError, suggestion

Reader = Callable[[Source, Notes], Iterator[tuple[int, Row]]]
"""Yields each row with the number of the line, item or row where it begins."""

ENTRY_POINTS = "workbench.dataset_formats"


@dataclass(frozen=True)
class Format:
    """A reader and what it counts places in."""

    read: Reader
    unit: str


_formats: dict[str, Format] = {}


def dataset_format(*suffixes: str, unit: str) -> Callable[[Reader], Reader]:
    """Registers the reader of files with these endings."""

    def register(reader: Reader) -> Reader:
        _formats.update(dict.fromkeys(suffixes, Format(reader, unit)))
        return reader

    return register


def known_suffixes() -> list[str]:
    """Every ending that can be read."""
    _load_outside()
    return sorted(_formats)


def format_of(source: Source) -> Format:
    """The format that the file's ending names. Raises DatasetError with the known ones."""
    known = known_suffixes()
    if source.suffix not in known:
        ending = f"ends in '{source.suffix}'" if source.suffix else "has no ending"
        near = suggestion(source.suffix, known) if source.suffix else ""
        near = "" if near.startswith(" Known") else near  # they are listed anyway
        raise DatasetError(
            f"{source.name} {ending}, so it is not clear how to read it.{near} "
            f"Save it as one of {', '.join(known)}."
        )
    return _formats[source.suffix]


@functools.cache
def _load_outside() -> None:
    from importlib.metadata import entry_points  # costs as much as all else here

    for entry in entry_points(group=ENTRY_POINTS):
        entry.load()
