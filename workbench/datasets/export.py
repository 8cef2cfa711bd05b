"""Rows to a file: CSV that no spreadsheet computes, JSONL and Parquet that keep every value.

=HYPERLINK("http://…")   →   '=HYPERLINK("http://…")       a number such as -5 stays as it is
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, BinaryIO, Literal

from workbench.core.files import replacing
from workbench.datasets.json_rows import Row, UnusableRow, encode_row
from workbench.errors import DatasetError, UsageError

ExportFormat = Literal["csv", "jsonl", "parquet"]

STARTS_A_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
PLAIN_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")


def neutralise(cell: Any) -> Any:
    """The cell as a spreadsheet shows but never computes it: text that would start a formula gets a `'`."""
    if isinstance(cell, str) and cell.startswith(STARTS_A_FORMULA) and not PLAIN_NUMBER.fullmatch(cell):
        return f"'{cell}"
    return cell


def write_rows(
    rows: Iterable[Row],
    target: Path | str | BinaryIO,
    format: ExportFormat,  # noqa: A002  the word that people use
    columns: Sequence[str] | None = None,
) -> int:
    """Writes rows and returns how many. A path is written wholly or not at all.

    Args:
        target: a path, or a binary file to write to.
        format: "csv" (formula cells neutralised, nested values as JSON, missing ones empty),
            "jsonl" (every value as it is) or "parquet" (nested and mixed columns as text).
        columns: which, in this order; None: all, in order of first appearance.
    """
    if format not in WRITERS:
        raise UsageError(f"'{format}' is not an export format; give one of {', '.join(WRITERS)}.")
    listed = list(rows)
    names = list(columns or dict.fromkeys(column for row in listed for column in row))
    write = WRITERS[format]
    if not isinstance(target, (str, Path)):
        write(listed, names, target)
        return len(listed)
    path = Path(target)
    with replacing(path) as file:
        write(listed, names, file)
    return len(listed)


def _write_csv(rows: list[Row], columns: list[str], file: BinaryIO) -> None:
    # \r\n is what RFC 4180 asks for, and makes the csv module quote cells that hold either of the two
    text = io.TextIOWrapper(file, encoding="utf-8", errors="replace", newline="", write_through=True)
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(neutralise(column) for column in columns)
    for row in rows:
        writer.writerow(neutralise(_cell(row.get(column))) for column in columns)
    text.flush()
    text.detach()


def _write_jsonl(rows: list[Row], columns: list[str], file: BinaryIO) -> None:
    for number, row in enumerate(rows, 1):
        try:
            file.write(encode_row({column: row[column] for column in columns if column in row}))
        except UnusableRow as error:
            raise DatasetError(f"Row {number} cannot be written: {error}") from None


def _write_parquet(rows: list[Row], columns: list[str], file: BinaryIO) -> None:
    import pyarrow
    from pyarrow import parquet

    arrays = []
    for column in columns:
        values = [row.get(column) for row in rows]
        kinds = {type(value) for value in values if value is not None}
        plain = kinds <= {str} or kinds == {bool} or kinds == {float}
        if kinds == {int} and all(value is None or -(2**63) <= value < 2**63 for value in values):
            plain = True  # larger integers have no Parquet type and become their digits
        texts = values if plain else [None if value is None else _text(value) for value in values]
        arrays.append(pyarrow.array(texts, type=None if plain and kinds else pyarrow.string()))
    parquet.write_table(pyarrow.table(arrays, names=columns), file)


def _cell(value: Any) -> Any:
    if value is None:
        return ""
    return _text(value) if isinstance(value, (dict, list, tuple, bool)) else value


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


WRITERS = {"csv": _write_csv, "jsonl": _write_jsonl, "parquet": _write_parquet}
