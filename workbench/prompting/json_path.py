r"""A value out of the first JSON object or array in a text, also inside a ``` fence.

first_json('Here you are: {"result": {"value": 7}}', parse_path("result.value"))   ->  "7"
parse_path("items[0].id")                                                          ->  ("items", 0, "id")
"""

from __future__ import annotations

import json
import re
from decimal import Decimal
from typing import Any

from workbench.errors import PromptError
from workbench.prompting.numbers import canonical

Path = tuple[str | int, ...]

STEP = re.compile(r"\.?([^.\[\]]+)|\[(-?\d{1,9})\]")
OPENING = re.compile(r"[{\[]")
MAX_CHARACTERS = 1_000_000
WORK_A_CHARACTER = 20
"""Broken JSON is scanned at most about this often, so that `[[[[…` cannot hang a run."""


class _NotThere(Exception):
    pass


def parse_path(path: str | None) -> Path:
    """`items[0].id` as steps. Raises PromptError where it is not such a path."""
    steps: list[str | int] = []
    at, text = 0, path or ""
    while at < len(text):
        step = STEP.match(text, at)
        if step is None:
            raise PromptError(
                f"'{text}' is not a JSON path; write keys and places such as result.value or items[0].id."
            )
        steps.append(int(step[2]) if step[2] is not None else step[1])
        at = step.end()
    return tuple(steps)


def first_json(text: str, path: Path) -> str | None:
    """The value at `path` in the first JSON in which it is found; None where there is none.

    Texts come back as they are, numbers as canonical decimals, `true` and `false` as such, lists and
    objects as JSON; an empty text and `null` are no answer.
    """
    text = text[:MAX_CHARACTERS]
    stripped = text.strip()
    if not path and stripped[:1] not in ("{", "["):
        try:
            return _as_text(_DECODER.decode(stripped))
        except (ValueError, RecursionError):
            pass
    work = WORK_A_CHARACTER * (len(text) + 100_000)
    at = 0
    while work > 0 and (opening := OPENING.search(text, at)):
        start = opening.start()
        try:
            value, end = _DECODER.raw_decode(text, start)
        except json.JSONDecodeError as error:
            # an unclosed text was scanned to the end although the error points at its beginning
            scanned = len(text) if error.msg.startswith("Unterminated") else error.pos
            # making the error counts the lines before it
            work -= scanned - start + 50 + error.pos // 40
            at = start + 1
            continue
        except (ValueError, RecursionError):
            work -= 5000
            at = start + 1
            continue
        work -= end - start
        try:
            return _as_text(_follow(value, path))
        except _NotThere:
            at = end
    return None


def _follow(value: Any, path: Path) -> Any:
    for step in path:
        if not isinstance(value, list if isinstance(step, int) else dict):
            raise _NotThere
        container: Any = value
        try:
            value = container[step]
        except LookupError:
            raise _NotThere from None
    return value


def _as_text(value: Any) -> str | None:
    if value is None:
        return None
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Decimal):
        return canonical(value)
    if isinstance(value, str):
        return value.strip() or None
    return json.dumps(value, ensure_ascii=False, default=_plain_number)


def _plain_number(value: Decimal) -> int | float:
    return int(value) if value == value.to_integral_value() and abs(value) < 10**18 else float(value)


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


_DECODER = json.JSONDecoder(parse_float=Decimal, parse_int=Decimal, parse_constant=_no_constant)
