"""One row as one line of strict JSON, both ways.

    {"id": "17", "question": "What is 2 + 2?", "answer": "4"}

What JSON itself does not know (NaN, Infinity), what would be lost (a key that stands twice, a
number beyond a float) and what no text field can hold (NUL, half a surrogate pair) is refused.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from workbench.errors import DatasetError

Row = dict[str, Any]


class UnusableRow(DatasetError):
    """One line or row cannot be used; whoever knows the file and the line adds them."""


def parse_value(text: str) -> Any:
    """JSON text → plain values, exact integers. Raises UnusableRow or json.JSONDecodeError."""
    try:
        value = _DECODER.decode(text)
    except (json.JSONDecodeError, UnusableRow):
        raise
    except RecursionError:
        raise UnusableRow("the JSON is nested too deeply.") from None
    except ValueError:  # Python refuses to read integers of more than 4,300 digits
        raise UnusableRow("a number has too many digits; write it as text, in quotes.") from None
    lowered = text.lower()
    if "\\ud" in lowered or "\\u0000" in lowered:
        check_text(value)
    return value


def parse_row(text: str) -> Row:
    """One line of JSONL → a row. Raises UnusableRow."""
    try:
        value = parse_value(text)
    except json.JSONDecodeError as error:
        raise UnusableRow(
            f"not valid JSON: {_lower(error.msg)} (column {error.colno}); "
            "every line holds one complete object."
        ) from None
    return as_row(value)


def as_row(value: Any) -> Row:
    """Checks that a JSON value is an object with usable keys. Raises UnusableRow."""
    if not isinstance(value, dict):
        raise UnusableRow(
            f'expected an object such as {{"question": "…"}}, found {json_type(value)}.',
        )
    if not value:
        raise UnusableRow("the row has no columns.")
    if any(not key.strip() for key in value):
        raise UnusableRow("a column has no name; give it one.")
    return value


def encode_row(row: Row) -> bytes:
    """A row → one line of UTF-8 JSON with its newline. Raises UnusableRow."""
    try:
        line = _ENCODER.encode(row)
        if "\\u0000" in line:
            check_text(row)
        return line.encode("utf-8") + b"\n"
    except UnicodeEncodeError:
        check_text(row)
        raise
    except (TypeError, ValueError) as error:
        raise UnusableRow(f"a value cannot be kept as JSON: {_lower(str(error))}.") from None


def check_text(value: Any) -> None:
    """Refuses text that databases and requests cannot carry. Raises UnusableRow."""
    for text in _texts(value):
        if "\x00" in text:
            raise UnusableRow("a value holds the NUL character; remove it.")
        try:
            text.encode("utf-8")
        except UnicodeEncodeError as error:
            raise UnusableRow(
                f"a value holds half of a character (\\u{ord(text[error.start]):04x}); write it whole."
            ) from None


def json_type(value: Any) -> str:
    """What a JSON value is, in words."""
    if value is None:
        return "null"
    names = {list: "a list", str: "text", bool: "true or false", int: "a number", float: "a number"}
    return names.get(type(value), "an object")


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from _texts(key)
            yield from _texts(inner)
    elif isinstance(value, (list, tuple)):
        for inner in value:
            yield from _texts(inner)


def _object(pairs: list[tuple[str, Any]]) -> Row:
    row = dict(pairs)
    if len(row) != len(pairs):
        twice = next(key for key in row if sum(name == key for name, _ in pairs) > 1)
        raise UnusableRow(f"column '{twice}' stands twice; rename or remove one.")
    return row


def _finite(text: str) -> float:
    number = float(text)
    if number in (float("inf"), float("-inf")):
        raise UnusableRow(f"the number {text[:40]} is too large; write it as text, in quotes.")
    return number


def _refuse(constant: str) -> Any:
    raise UnusableRow(f"{constant} is not JSON; write null for a missing value.")


def _lower(message: str) -> str:
    return message[:1].lower() + message[1:]


_DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_float=_finite, parse_constant=_refuse)
_ENCODER = json.JSONEncoder(ensure_ascii=False, allow_nan=False)
