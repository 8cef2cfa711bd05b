"""One dataset's folder: which files are splits, which names are safe, and how rows get to the disk."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from workbench.core.document import check_name
from workbench.datasets.json_rows import Row, UnusableRow, encode_row
from workbench.errors import DatasetError, InvalidFile

SPLIT_ORDER = ("train", "dev", "validation", "test")


def write_lines(folder: Path, split: str, lines: Iterable[bytes]) -> int:
    """Writes encoded rows as `folder/split.jsonl`, on disk when it returns. Returns how many."""
    check_usable(split)
    count = 0
    with (folder / f"{split}.jsonl").open("wb") as file:
        for line in lines:
            file.write(line)
            count += 1
        file.flush()
        os.fsync(file.fileno())
    return count


def encoded(rows: Iterable[Row]) -> Iterator[bytes]:
    """Rows as lines of JSON. Raises DatasetError that names the row."""
    for number, row in enumerate(rows, 1):
        try:
            yield encode_row(row)
        except UnusableRow as error:
            raise DatasetError(f"Row {number} cannot be saved: {error}") from None


def split_names(folder: Path) -> list[str]:
    """The splits that have a file in a dataset's folder, in the usual order."""
    return in_order(path.stem for path in folder.glob("*.jsonl") if is_name(path.stem))


def in_order(splits: Iterable[str]) -> list[str]:
    """Splits as people read them: train, dev, validation, test, then the others by name."""
    rank = {split: place for place, split in enumerate(SPLIT_ORDER)}
    return sorted(splits, key=lambda split: (rank.get(split, len(rank)), split))


def is_name(name: str) -> bool:
    """Whether this can name a dataset or a split, and so never leads out of the folder."""
    try:
        return check_name(name) == name
    except ValueError:
        return False


def check_usable(name: str) -> None:
    """Refuses what cannot name a dataset or a split. Raises DatasetError."""
    try:
        check_name(name)
    except ValueError as error:
        raise DatasetError(f"{error}.") from None


def read_text(path: Path) -> str:
    """A text file that a person wrote. Raises InvalidFile."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidFile(f"not UTF-8 at byte {error.start}; save the file as UTF-8.", str(path)) from None
    except OSError as error:
        raise InvalidFile(f"cannot be read: {error.strerror}.", str(path)) from None
