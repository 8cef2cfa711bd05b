"""How commands print: tables for people, one JSON document for programs."""

from __future__ import annotations

import dataclasses
import datetime
import json
import math
import re
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from workbench.commands.session import say
from workbench.errors import WorkbenchError

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
OutputFile = Annotated[
    Path | None, typer.Option("--output", "-o", help="Write to this file instead of the terminal.")
]

CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def print_json(document: Any) -> None:
    """One JSON document on stdout. NaN becomes null: JSON has no word for it."""
    print(json.dumps(plain(document), ensure_ascii=False, indent=2, allow_nan=False))


def plain(value: Any) -> Any:
    """Records, paths and times as what JSON can say."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain(item) for item in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, (datetime.datetime, datetime.date)):
        return value.isoformat()
    if value is None or isinstance(value, (str, int, bool)):
        return value
    return str(value)


def printable(text: object) -> str:
    """Text from a file or a model without what could steer the terminal."""
    return CONTROL.sub("\ufffd", str(text))


def one_line(text: object, width: int = 100) -> str:
    """Text on one line, cut with an ellipsis."""
    flat = " ".join(printable(text).split())
    return flat if len(flat) <= width else flat[: width - 1] + "…"


def print_table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Columns aligned by what they show: numbers to the right, text to the left."""
    from rich.cells import cell_len

    body = [["" if value is None else printable(value) for value in row] for row in rows]
    widths = [max(map(cell_len, column)) for column in zip(columns, *body, strict=True)]
    right = [
        bool(body) and all(re.fullmatch(r"[-+]?[\d,.]+( ?[%s])?|–|", line[index]) for line in body)
        for index in range(len(columns))
    ]

    def lay_out(line: Sequence[str]) -> str:
        cells = []
        for text, width, numeric in zip(line, widths, right, strict=True):
            gap = " " * (width - cell_len(text))
            cells.append(gap + text if numeric else text + gap)
        return "  ".join(cells).rstrip()

    print(lay_out(columns))
    print("  ".join("─" * width for width in widths))
    for line in body:
        print(lay_out(line))


def print_fields(pairs: Iterable[tuple[str, object]]) -> None:
    """`name  value` lines, the values aligned; what is None or empty is left out."""
    shown = [(name, value) for name, value in pairs if value not in (None, "", (), [], {})]
    width = max((len(name) for name, _ in shown), default=0)
    for name, value in shown:
        lines = printable(value).splitlines() or [""]
        print(f"{name:<{width}}  {lines[0]}")
        for line in lines[1:]:
            print(f"{'':<{width}}  {line}")


def write(content: str | bytes, file: Path | None) -> None:
    """To the file, or to stdout where no file is named."""
    if file is None:
        if isinstance(content, bytes):
            sys.stdout.buffer.write(content)
            sys.stdout.buffer.flush()
        else:
            print(content.rstrip("\n"))
        return
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))
    except OSError as error:
        raise WorkbenchError(f"{file} cannot be written: {error.strerror}.") from None
    say(f"Wrote {file}")


def counted(number: int, noun: str) -> str:
    """`1 row`, `1,200 rows`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def seconds(value: float | None) -> str:
    """A duration as people say it: 8 s, 2 min 5 s, 1 h 3 min."""
    if value is None or not math.isfinite(value):
        return "–"
    if value < 60:
        return f"{value:.1f} s" if value < 10 else f"{value:.0f} s"
    minutes, rest = divmod(round(value), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"


def ago(moment: datetime.datetime) -> str:
    """How long since, roughly."""
    passed = (datetime.datetime.now(datetime.UTC) - moment).total_seconds()
    for size, word in ((86400, "day"), (3600, "hour"), (60, "minute")):
        if passed >= size:
            count = int(passed // size)
            return f"{count} {word}{'s' if count > 1 else ''} ago"
    return "just now"
