"""An input file as its readers see it: where it is, how it is to be read, and what was noticed on the way."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import BinaryIO

from workbench.errors import DatasetError, InvalidFile, UsageError

Progress = Callable[[int, int], None]
"""Called with (bytes done, bytes in all) while a file is read."""

WHOLE_LIMIT_BYTES = 100_000_000
"""Formats that must be held in memory as a whole (JSON, Excel) are refused above this size."""


@dataclass(frozen=True)
class Source:
    """A file on disk or an upload in memory, with the reader's options.

    Args:
        name: the file as the person knows it; every error starts with it.
        unit: what the reader counts in: "line", "item" or "row".
    """

    name: str
    path: Path | None = None
    content: bytes = b""
    encoding: str | None = None
    sheet: str | int | None = None
    progress: Progress | None = None
    whole_limit_bytes: int = WHOLE_LIMIT_BYTES
    unit: str = "line"

    @property
    def suffix(self) -> str:
        """The lower-case ending of the name, such as ".csv"."""
        return Path(self.name).suffix.lower()

    @property
    def size_bytes(self) -> int:
        """How large the file is."""
        try:
            return self.path.stat().st_size if self.path else len(self.content)
        except OSError as error:
            raise DatasetError(f"{self.name} cannot be read: {error.strerror}.") from None

    def open(self) -> BinaryIO:
        """The bytes from the start."""
        if self.path is None:
            return io.BytesIO(self.content)
        try:
            return self.path.open("rb")
        except OSError as error:
            raise DatasetError(f"{self.name} cannot be read: {error.strerror}.") from None

    def at(self, done_bytes: int) -> None:
        """Tells whoever waits how far the reading is."""
        if self.progress is not None:
            self.progress(done_bytes, max(self.size_bytes, done_bytes))

    def within(self, size_bytes: int, kind: str) -> None:
        """Refuses what is too large for a format that is held in memory as a whole."""
        if size_bytes > self.whole_limit_bytes:
            raise InvalidFile(
                f"{_megabytes(size_bytes)} of {kind} is more than the limit of "
                f"{_megabytes(self.whole_limit_bytes)} for a format that must be read as a whole; "
                "save it as CSV, JSONL or Parquet, which are read piece by piece.",
                self.name,
            )

    def problem(self, sentence: str, number: int | None = None) -> InvalidFile:
        """An error in this file, at the given line, item or row."""
        if number is not None and self.unit != "line":
            return InvalidFile(f"{self.unit} {number}: {sentence}", self.name)
        return InvalidFile(sentence, self.name, number)

    def counted_in(self, unit: str) -> Source:
        """The same source, its places counted in another unit."""
        return replace(self, unit=unit)


@dataclass
class Notes:
    """What a person should know about an import that worked: counted, with the first place."""

    counts: dict[str, int] = field(default_factory=dict)
    places: dict[str, str] = field(default_factory=dict)
    said: list[str] = field(default_factory=list)

    def count(self, sentence: str, place: str, times: int = 1) -> None:
        """Counts something under its sentence, which follows the number: "cells hold a formula"."""
        self.counts[sentence] = self.counts.get(sentence, 0) + times
        self.places.setdefault(sentence, place)

    def say(self, sentence: str) -> None:
        """Says something once."""
        if sentence not in self.said:
            self.said.append(sentence)

    def sentences(self) -> list[str]:
        """Every note as one sentence."""
        counted = [f"{count:,} {what} (first: {self.places[what]})." for what, count in self.counts.items()]
        return [*self.said, *counted]


def source_of(given: Path | str | bytes, name: str | None) -> Source:
    """A source from a path, or from bytes and the name of the file that they came from."""
    if isinstance(given, bytes):
        if name is None:
            raise UsageError("Bytes need the name of the file they came from; its ending tells the format.")
        return Source(name=name, content=given)
    path = Path(given)
    if not path.exists():
        raise DatasetError(f"There is no file {path}; check the path.")
    if not path.is_file():
        raise DatasetError(f"{path} is not a regular file; give a file such as rows.csv.")
    return Source(name=name or str(path), path=path)


def _megabytes(size_bytes: int) -> str:
    return f"{size_bytes / 1e6:,.1f} MB"
