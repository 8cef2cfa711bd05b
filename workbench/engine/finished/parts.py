"""What several formats do with parts of a file: scores as numbers, names for rows, objects by the line."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterator
from pathlib import PurePosixPath, PureWindowsPath
from typing import Any

from workbench.datasets.json_rows import UnusableRow, check_text, json_type
from workbench.datasets.source import Notes, Source
from workbench.datasets.text import lines
from workbench.engine.finished.records import Unmapped

WORDS = {"true": 1.0, "yes": 1.0, "false": 0.0, "no": 0.0}


def file_name(source: Source) -> str:
    """A file's name without its folders."""
    return PurePosixPath(PureWindowsPath(source.name).as_posix()).name


def score_of(value: Any, name: str, unmapped: Unmapped) -> float | None:
    """A score as a number; None where there is none, or where it is none that a number can tell."""
    if isinstance(value, (bool, int, float)):
        try:
            found = float(value)
        except OverflowError:
            return None
        return found if math.isfinite(found) else None
    if isinstance(value, str):
        if (word := value.strip().lower()) in WORDS:
            return WORDS[word]
        try:
            found = float(word)
        except ValueError:
            pass
        else:
            return found if math.isfinite(found) else None
    if value is not None:
        unmapped.add(f"score '{name[:80]}' that is {json_type(value)}, not a number")
    return None


def amount_of(value: Any) -> float | None:
    """A measured amount, such as seconds; None where there is none."""
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def count_of(value: Any) -> int | None:
    """A count, such as tokens; None where there is none."""
    found = amount_of(value)
    return int(found) if found is not None and math.isfinite(found) else None


def text_of(value: Any) -> str:
    """A text as it is, anything else as JSON, nothing as ""."""
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def fingerprint(value: Any, digits: int = 6) -> str:
    """A short hash of what a row holds: tells rows apart that two files call by the same name."""
    written = json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(written.encode("utf-8", "surrogatepass")).hexdigest()[:digits]


def objects(source: Source, unmapped: Unmapped) -> Iterator[tuple[int, dict[str, Any]]]:
    """(line, object) of a file of JSON lines; NaN and Infinity become None.

    A last line that ends in the middle is left out, and said. Raises InvalidFile with the line.
    """
    decoder = json.JSONDecoder(parse_constant=lambda _: None)
    for number, line in enumerate(lines(source, Notes()), 1):
        if not line.strip():
            continue
        try:
            value = decoder.decode(line)
            if "\\ud" in line.lower() or "\\u0000" in line:
                check_text(value)
        except json.JSONDecodeError as error:
            if number > 1 and not line.endswith(("\n", "\r")):
                unmapped.add(f"{file_name(source)}: the last line, which ends in the middle")
                return
            said = f"{error.msg[:1].lower()}{error.msg[1:]}"
            raise source.problem(
                f"not valid JSON: {said} (column {error.colno}); every line holds one complete object.",
                number,
            ) from None
        except RecursionError:
            raise source.problem("the JSON is nested too deeply.", number) from None
        except UnusableRow as error:
            raise source.problem(str(error), number) from None
        except ValueError:  # Python refuses to read integers of more than 4,300 digits
            raise source.problem("a number has too many digits.", number) from None
        if not isinstance(value, dict):
            raise source.problem(f"expected an object, found {json_type(value)}.", number)
        yield number, value
