"""Parquet, batch by batch.

Read through pyarrow rather than through pandas on top of it: pandas turns integers with gaps into
floats and needs the whole table in memory. Dates become ISO text, decimals their digits.
"""

from __future__ import annotations

import datetime
import decimal
import math
from collections.abc import Iterator
from typing import Any

from workbench.datasets.columns import checked_columns
from workbench.datasets.formats.registry import dataset_format
from workbench.datasets.json_rows import Row
from workbench.datasets.source import Notes, Source

BATCH_ROWS = 1024
INDEX_PREFIX = "__index_level_"
NOT_A_NUMBER = "values are not a number (NaN) and were imported as missing"


@dataset_format(".parquet", ".pq", unit="row")
def read_parquet(source: Source, notes: Notes) -> Iterator[tuple[int, Row]]:
    """Rows of a Parquet file, counted from 1."""
    import pyarrow
    from pyarrow import parquet

    with source.open() as raw:
        try:
            file = parquet.ParquetFile(raw)
        except (pyarrow.ArrowException, OSError, ValueError) as error:
            raise source.problem(f"not a readable Parquet file: {_first_line(error)}.") from None
        # to_pylist would keep only the last of two columns with one name
        columns = checked_columns(file.schema_arrow.names, source)
        total = file.metadata.num_rows
        if not total:
            raise source.problem("the table has no rows.")
        number = 0
        try:
            for batch in file.iter_batches(batch_size=BATCH_ROWS):
                for cells in zip(*(column.to_pylist() for column in batch.columns), strict=True):
                    number += 1
                    yield number, _row(columns, cells, number, source, notes)
                source.at(source.size_bytes * number // total)
        except (pyarrow.ArrowException, OSError, UnicodeDecodeError) as error:
            raise source.problem(f"cannot be read on: {_first_line(error)}.", number + 1) from None


def _row(columns: list[str], cells: tuple[Any, ...], number: int, source: Source, notes: Notes) -> Row:
    row = {}
    for column, cell in zip(columns, cells, strict=True):
        if column.startswith(INDEX_PREFIX):
            notes.say("The index that pandas had added was left out.")
            continue
        try:
            row[column] = _plain(cell, number, notes)
        except ValueError as error:
            raise source.problem(f"column '{column}' {error}.", number) from None
    return row


def _plain(value: Any, number: int, notes: Notes) -> Any:
    if value is None or isinstance(value, (str, bool, int)):
        return value
    if isinstance(value, float):
        if math.isnan(value):
            notes.count(NOT_A_NUMBER, f"row {number}")
            return None
        if math.isinf(value):
            raise ValueError("holds an infinite number; write a finite one or leave it empty")
        return value
    if isinstance(value, (datetime.date, datetime.time)):
        return value.isoformat()
    if isinstance(value, dict):
        return {str(key): _plain(inner, number, notes) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(inner, number, notes) for inner in value]
    if isinstance(value, bytes):
        try:
            return value.decode("utf-8")
        except UnicodeDecodeError:
            raise ValueError("holds binary data; remove it or store it as text") from None
    if isinstance(value, (decimal.Decimal, datetime.timedelta)):
        return str(value)
    raise ValueError(f"holds a {type(value).__name__}, which no row can keep; store it as text")


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0].rstrip(".")
