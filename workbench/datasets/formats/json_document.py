"""JSON: a list of objects, an object with one such list inside, or an object of equally long columns.

    [{"question": "…"}, …]      {"version": 2, "data": [{"question": "…"}, …]}      {"question": ["…", "…"]}

Read by Python's json module rather than by pandas, which turns large integers into floats, text
that looks like a date into a date, and does not say where a file is broken.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from workbench.datasets.columns import checked_columns
from workbench.datasets.formats.registry import dataset_format
from workbench.datasets.json_rows import Row, UnusableRow, as_row, json_type, parse_value
from workbench.datasets.source import Notes, Source
from workbench.datasets.text import pieces


@dataset_format(".json", unit="item")
def read_json_document(source: Source, notes: Notes) -> Iterator[tuple[int, Row]]:
    """Rows of a JSON document, counted from 1."""
    source.within(source.size_bytes, "JSON")
    text = "".join(pieces(source.counted_in("line"), notes))
    if not text.strip():
        raise source.problem("the file is empty; it needs a list of objects.")
    try:
        value = parse_value(text)
    except json.JSONDecodeError as error:
        hint = " (one object a line is JSONL: name the file .jsonl)" if error.msg == "Extra data" else ""
        raise source.counted_in("line").problem(
            f"not valid JSON: {error.msg[0].lower()}{error.msg[1:]}, column {error.colno}{hint}.",
            error.lineno,
        ) from None
    except UnusableRow as error:
        raise source.problem(str(error)) from None
    items = _items(value, source, notes)
    if not items:
        raise source.problem("the list is empty; it needs at least one object.")
    for number, item in enumerate(items, 1):
        try:
            row = as_row(item)
        except UnusableRow as error:
            raise source.problem(str(error), number) from None
        yield number, dict(zip(checked_columns(list(row), source, number), row.values(), strict=True))


def _items(value: Any, source: Source, notes: Notes) -> list[Any]:
    if isinstance(value, list):
        return value
    if not isinstance(value, dict):
        raise source.problem(f"expected a list of objects, found {json_type(value)}.")
    lists = {key: inner for key, inner in value.items() if isinstance(inner, list)}
    tables = {key: inner for key, inner in lists.items() if any(isinstance(item, dict) for item in inner)}
    if len(tables) == 1:
        (key,) = tables
        notes.say(f"The rows are those of the list '{key}'; what stands beside it was left out.")
        return tables[key]
    lengths = {len(inner) for inner in lists.values()}
    if not tables and lists and len(lists) == len(value) and len(lengths) == 1:
        columns = zip(*lists.values(), strict=True)
        return [dict(zip(lists, cells, strict=True)) for cells in columns]
    found = ", ".join(f"'{key}'" for key in list(tables or value)[:8])
    raise source.problem(
        f"expected one list of objects; the file is an object with {found or 'nothing in it'}. "
        "Save the list alone, or name the file .jsonl if each line is a row."
    )
