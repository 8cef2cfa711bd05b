"""One split on disk: a JSONL file and an index over it, so that a page of rows costs a page of reading.

    experiments/datasets/word-problems/test.jsonl
      {"id": "1", "question": "…", "answer": "7"}
      {"question": "…", "answer": "9"}              # no id: it gets its line number, "2"

The index checks every row once and is kept until the file changes. Small files stay in memory.
"""

from __future__ import annotations

import functools
from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from workbench.core.dataset import ID_COLUMN
from workbench.datasets.json_rows import Row, UnusableRow, json_type, parse_row
from workbench.errors import DatasetError, InvalidFile

KEPT_BYTES = 8_000_000
"""Files up to this size keep their parsed rows in memory beside the index."""


@dataclass(frozen=True, eq=False)
class SplitFile:
    """A checked JSONL file: where each row starts, its line, and the columns of all rows."""

    path: Path
    offsets: Sequence[int]
    lines: Sequence[int]
    columns: tuple[str, ...]
    kept: tuple[Row, ...] | None

    def __len__(self) -> int:
        return len(self.offsets)

    def rows(self, positions: Iterable[int] | None = None) -> Iterator[Row]:
        """The rows at these 0-based positions (default: all, in file order), each a fresh dict."""
        chosen = range(len(self)) if positions is None else positions
        if self.kept is not None:
            yield from (dict(self.kept[position]) for position in chosen)
            return
        try:
            with self.path.open("rb") as file:
                for position in chosen:
                    file.seek(self.offsets[position])
                    yield with_id(parse_row(_text(file.readline())), self.lines[position])
        except OSError as error:
            raise DatasetError(f"{self.path} cannot be read: {error.strerror}.") from None
        except (UnusableRow, UnicodeDecodeError):
            raise DatasetError(f"{self.path} changed while it was being read; try again.") from None


def open_split(path: Path) -> SplitFile:
    """The index of a JSONL file, reused while the file stays as it is. Raises InvalidFile."""
    try:
        status = path.stat()
    except OSError as error:
        raise DatasetError(f"{path} cannot be read: {error.strerror}.") from None
    return _indexed(path, status.st_mtime_ns, status.st_size, status.st_ino)


def with_id(row: Row, line: int) -> Row:
    """The row with a text `id`; its 1-based line where it has none. Raises UnusableRow."""
    given = row.get(ID_COLUMN)
    if isinstance(given, str) and given:
        return row
    if isinstance(given, bool) or not (given is None or isinstance(given, (str, int, float))):
        raise UnusableRow(f"the id is {json_type(given)}; it must be text or a number.")
    identity = str(line) if given is None or given == "" else str(given)
    return {ID_COLUMN: identity} | row | {ID_COLUMN: identity}


def matching(split: SplitFile, contains: str) -> Sequence[int]:
    """Positions of the rows in which any value contains the text, whatever its case."""
    return _matching(split, contains.casefold())


@functools.lru_cache(maxsize=32)
def _indexed(path: Path, mtime_ns: int, size_bytes: int, inode: int) -> SplitFile:
    offsets, lines = array("Q"), array("Q")
    columns: dict[str, None] = {ID_COLUMN: None}
    kept: list[Row] | None = [] if size_bytes <= KEPT_BYTES else None
    seen: dict[str, int] = {}
    for number, offset, raw in _raw_lines(path):
        try:
            text = _text(raw)
            if not text.strip():
                continue
            row = with_id(parse_row(text), number)
        except UnicodeDecodeError as error:
            raise InvalidFile(
                f"not UTF-8 at byte {offset + error.start}; save the file as UTF-8.", str(path), number
            ) from None
        except UnusableRow as error:
            raise InvalidFile(str(error), str(path), number) from None
        identity = row[ID_COLUMN]
        if identity in seen:
            raise InvalidFile(
                f"id '{identity[:80]}' already stands in line {seen[identity]}; ids must differ.",
                str(path),
                number,
            )
        seen[identity] = number
        offsets.append(offset)
        lines.append(number)
        columns.update(dict.fromkeys(row))
        if kept is not None:
            kept.append(row)
    return SplitFile(path, offsets, lines, tuple(columns), None if kept is None else tuple(kept))


@functools.lru_cache(maxsize=8)
def _matching(split: SplitFile, needle: str) -> Sequence[int]:
    return array(
        "Q",
        (
            position
            for position, row in enumerate(split.rows())
            if any(needle in str(value).casefold() for value in row.values())
        ),
    )


def _raw_lines(path: Path) -> Iterator[tuple[int, int, bytes]]:
    offset = 0
    try:
        with path.open("rb") as file:
            for number, raw in enumerate(file, 1):
                yield number, offset, raw
                offset += len(raw)
    except OSError as error:
        raise DatasetError(f"{path} cannot be read: {error.strerror}.") from None


def _text(raw: bytes) -> str:
    return raw.decode("utf-8-sig" if raw.startswith(b"\xef\xbb\xbf") else "utf-8")
