"""Excel workbooks (.xlsx): one sheet, its first row the column names.

Read through openpyxl rather than through pandas on top of it: pandas turns error cells into missing
values and shows the stored result of a formula, of which nobody knows when it was computed. Here a
formula is imported as its text, an error as its text, and both are counted in the notes.
"""

from __future__ import annotations

import datetime
import re
import zipfile
from collections.abc import Iterator
from typing import Any

from workbench.datasets.columns import checked_columns
from workbench.datasets.formats.registry import dataset_format
from workbench.datasets.json_rows import Row
from workbench.datasets.source import Notes, Source
from workbench.errors import UnknownName

FORMULA = "cells hold a formula and were imported as its text, not computed"
ERROR = "cells hold an Excel error and were imported as its text"
DATE = "dates were written as ISO text, such as 2024-03-01"
OLE_MAGIC = b"\xd0\xcf\x11\xe0"
MERGED_NOTE = "groups of merged cells have their value in the first cell; the others are missing"
MERGED = re.compile(rb'<mergeCell\s+ref="([A-Z0-9:]{1,20})"')


@dataset_format(".xlsx", ".xlsm", unit="row")
def read_excel(source: Source, notes: Notes) -> Iterator[tuple[int, Row]]:
    """Rows of a sheet, each with its row number as the spreadsheet shows it."""
    import openpyxl

    with source.open() as raw:
        _check_container(raw, source)
        try:
            # keep_links off: other workbooks are never looked for
            book = openpyxl.load_workbook(raw, read_only=True, data_only=False, keep_links=False)
        except Exception as error:  # openpyxl lets through whatever a malformed part raises
            raise source.problem(f"not a readable Excel workbook ({type(error).__name__}).") from None
        sheet = _sheet(book, source, notes)
        _note_merged(raw, sheet, notes)
        header: list[str] = []
        empty = True
        for number, cells in _cells(sheet, source):
            if not header:
                header = checked_columns(_trimmed(cells, notes), source, number)
                continue
            beyond = next((cell for cell in cells[len(header) :] if cell.value is not None), None)
            if beyond is not None:
                raise source.problem(
                    f"cell {beyond.coordinate} has a value but its column has no name; "
                    "name the column or clear the cell.",
                    number,
                )
            empty = False
            values = [_plain(cell, notes) for cell in cells[: len(header)]]
            values += [None] * (len(header) - len(values))
            yield number, dict(zip(header, values, strict=True))
        source.at(source.size_bytes)
        if not header:
            raise source.problem(f"the sheet '{sheet.title}' is empty; choose another with --sheet.")
        if empty:
            raise source.problem("there are column names but no rows; add at least one row.")


def _check_container(raw: Any, source: Source) -> None:
    if raw.read(4) == OLE_MAGIC:
        raise source.problem(
            "this is an old .xls or a workbook with a password; save it as .xlsx without a password."
        )
    raw.seek(0)
    try:
        with zipfile.ZipFile(raw) as parts:
            unpacked_bytes = sum(part.file_size for part in parts.infolist())
    except (zipfile.BadZipFile, OSError, ValueError):
        raise source.problem("not an Excel workbook; if it is text, name it .csv.") from None
    source.within(unpacked_bytes, "unpacked Excel")
    raw.seek(0)


def _sheet(book: Any, source: Source, notes: Notes) -> Any:
    titles = [sheet.title for sheet in book.worksheets]
    if not titles:
        raise source.problem("the workbook has no sheet with cells.")
    wanted = source.sheet
    if wanted is None:
        if len(titles) > 1:
            notes.say(f"Sheet '{titles[0]}' was read, one of {len(titles)}; choose another with --sheet.")
        return book.worksheets[0]
    if isinstance(wanted, str) and wanted in titles:
        return book.worksheets[titles.index(wanted)]
    if str(wanted).isdecimal() and 1 <= int(wanted) <= len(titles):
        return book.worksheets[int(wanted) - 1]
    raise UnknownName(f"sheet in {source.name}", str(wanted), titles)


def _cells(sheet: Any, source: Source) -> Iterator[tuple[int, tuple[Any, ...]]]:
    rows = enumerate(sheet.iter_rows(), 1)
    number = 0
    while True:
        try:
            number, cells = next(rows)
        except StopIteration:
            return
        except Exception as error:  # as above: a malformed part may raise anything
            raise source.problem(f"the sheet is damaged ({type(error).__name__}).", number + 1) from None
        if any(cell.value is not None for cell in cells):
            yield number, cells


def _trimmed(cells: tuple[Any, ...], notes: Notes) -> list[str]:
    names = ["" if cell.value is None else str(_plain(cell, notes)) for cell in cells]
    while names and not names[-1].strip():
        names.pop()
    return names


def _plain(cell: Any, notes: Notes) -> Any:
    value = cell.value
    if value is None or isinstance(value, (bool, int, float)):
        return value
    if isinstance(value, str):
        if cell.data_type == "f":
            notes.count(FORMULA, f"cell {cell.coordinate}")
        elif cell.data_type == "e":
            notes.count(ERROR, f"cell {cell.coordinate}, {value}")
        return value
    if isinstance(value, (datetime.datetime, datetime.date, datetime.time)):
        notes.count(DATE, f"cell {cell.coordinate}")
        if isinstance(value, datetime.datetime) and "h" not in str(cell.number_format).lower():
            return value.date().isoformat()
        return value.isoformat()
    text = getattr(value, "text", None)  # array formulas come as objects that carry their text
    if text is not None or hasattr(value, "ref"):
        notes.count(FORMULA, f"cell {cell.coordinate}")
        return text or ""
    return str(value)


def _note_merged(raw: Any, sheet: Any, notes: Notes) -> None:
    path = getattr(sheet, "_worksheet_path", None)  # openpyxl reads no merged cells while streaming
    if path is None:
        return
    tail = b""
    with zipfile.ZipFile(raw) as parts, parts.open(path.lstrip("/")) as xml:
        while chunk := xml.read(1 << 20):
            for found in MERGED.finditer(tail + chunk):
                if found.end() > len(tail):
                    notes.count(MERGED_NOTE, found[1].decode())
            tail = (tail + chunk)[-64:]
