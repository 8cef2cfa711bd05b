"""JSONL: one JSON object a line. Nested values stay what they are.

{"question": "…", "answer": "7", "tags": ["sum", "two steps"]}
"""

from __future__ import annotations

from collections.abc import Iterator

from workbench.datasets.columns import checked_columns
from workbench.datasets.formats.registry import dataset_format
from workbench.datasets.json_rows import Row, UnusableRow, parse_row
from workbench.datasets.source import Notes, Source
from workbench.datasets.text import lines


@dataset_format(".jsonl", ".ndjson", unit="line")
def read_json_lines(source: Source, notes: Notes) -> Iterator[tuple[int, Row]]:
    """Rows of a JSONL file, each with its line."""
    empty = True
    for number, line in enumerate(lines(source, notes), 1):
        if not line.strip():
            continue
        empty = False
        try:
            row = parse_row(line)
        except UnusableRow as error:
            raise source.problem(str(error), number) from None
        yield number, dict(zip(checked_columns(list(row), source, number), row.values(), strict=True))
    if empty:
        raise source.problem("the file is empty; write one JSON object on each line.")
