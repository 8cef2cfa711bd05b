"""CSV and TSV.

    question,answer
    "How many, then?",7

Read by Python's csv module in strict mode rather than by pandas, because a person needs the line:
pandas fills a row that is too short without a word, names a row instead of a line after cells that
span lines, and never says where the quote was opened that is not closed. Both are written in C.
Every value stays the text it is: "007" and "NA" are what they were.
"""

from __future__ import annotations

import csv
import itertools
from collections.abc import Iterator

from workbench.datasets.columns import checked_columns
from workbench.datasets.formats.registry import dataset_format
from workbench.datasets.json_rows import Row
from workbench.datasets.source import Notes, Source
from workbench.datasets.text import LONGEST_LINE, lines
from workbench.errors import InvalidFile

DELIMITERS = (",", ";", "\t", "|")
FORMULA = "cells begin with '=' and were kept as text, not computed"


@dataset_format(".csv", ".tsv", unit="line")
def read_delimited(source: Source, notes: Notes) -> Iterator[tuple[int, Row]]:
    """Rows of a delimited file, each with the line where it begins."""
    csv.field_size_limit(LONGEST_LINE)
    text = lines(source, notes)
    skipped, header_line = 0, ""
    for header_line in text:
        if header_line.strip():
            break
        skipped += 1
    else:
        raise source.problem("the file is empty; it needs a line of column names and rows.")
    delimiter = "\t" if source.suffix == ".tsv" else _delimiter(header_line)
    if delimiter != "," and source.suffix == ".csv":
        notes.say(f"The columns are separated by {'tabs' if delimiter == chr(9) else repr(delimiter)}.")
    records = _records(itertools.chain([header_line], text), delimiter, skipped, source)
    number, header = next(records)
    columns = checked_columns(header, source, number)
    empty = True
    for number, cells in records:
        empty = False
        if len(cells) != len(columns):
            raise source.problem(
                f"number of cells: {len(cells)}, number of columns in the header: {len(columns)}; "
                f"put quotes around a cell that contains {_shown(delimiter)}, a quote or a line break.",
                number,
            )
        formulas = sum(cell[:1] == "=" for cell in cells)
        if formulas:
            notes.count(FORMULA, f"line {number}", formulas)
        yield number, dict(zip(columns, cells, strict=True))
    if empty:
        raise source.problem("there are column names but no rows; add at least one row.")


def _records(
    text: Iterator[str], delimiter: str, skipped: int, source: Source
) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(text, delimiter=delimiter, strict=True)
    while True:
        start = skipped + reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise _broken(str(error), start, skipped + reader.line_num, source) from None
        if cells:  # a blank line has none
            yield start, cells


def _broken(message: str, start: int, end: int, source: Source) -> InvalidFile:
    if "unexpected end" in message or "field larger" in message:
        return source.problem(
            "a quote is opened and never closed; close it, or double it inside a cell.", start
        )
    if "expected after" in message:
        where = f" (in line {end})" if end != start else ""
        return source.problem(
            f"text follows a closing quote{where}; double every quote inside a quoted cell.", start
        )
    return source.problem(f"not readable as CSV: {message}.", start)


def _delimiter(header: str) -> str:
    """The delimiter that stands most often in the header outside quotes; a comma when none does."""
    bare = "".join(header.split('"')[::2])
    return max(DELIMITERS, key=bare.count)


def _shown(delimiter: str) -> str:
    return {"\t": "a tab", ",": "a comma"}.get(delimiter, f"'{delimiter}'")
