"""What a model said becomes an answer: a canonical text, or None where no answer is found.

    rule = AnswerRule(after="Answer:", type="number")
    read_answer(rule, "3 + 4 = 7 apples. Answer: $7.00")   ->  "7"
    read_answer(rule, "I do not know.")                    ->  None

The marker's last occurrence counts; where it is not found as written, upper and lower case are
ignored. After a marker the first line that holds an answer of the type is read, so that a remark
below it cannot change it. Texts of any length are read in time proportional to their length.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterator
from typing import Any

from workbench.core.prompt import AnswerRule
from workbench.errors import PromptError
from workbench.prompting.json_path import first_json, parse_path
from workbench.prompting.numbers import last_number
from workbench.prompting.words import choice, label

MAX_CHARACTERS = 100_000
"""Choices, labels and patterns are looked for in this many last characters."""

MAX_LINES = 50
PATTERN_SECONDS = 1.0


def read_answer(rule: AnswerRule, text: str) -> str | None:
    """The answer in `text`, or None. Raises PromptError only for a pattern that runs too long."""
    part = text
    if rule.after:
        found = after_marker(text, rule.after)
        if found is None:
            return None
        part = found
    return _typed(rule, part, after_a_marker=bool(rule.after))


def read_reference(rule: AnswerRule, value: Any) -> str:
    """The right answer, read like the model's so that the two can be compared.

    A reference that holds the marker (`… #### 42`) is read after it; any other as the type alone;
    one that does not read as the type stays as it is.
    """
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, (dict, list, tuple)):
        text = json.dumps(value, ensure_ascii=False, default=str)
    elif isinstance(value, bool):
        text = str(value).lower()
    else:
        text = str(value)
    read = read_answer(rule, text)
    if read is None:
        read = _typed(rule, text, after_a_marker=False)
    return text.strip() if read is None else read


normalise_reference = read_reference


def after_marker(text: str, marker: str) -> str | None:
    """What follows the marker's last occurrence, or None."""
    at = text.rfind(marker)
    if at >= 0:
        return text[at + len(marker) :]
    ends = [found.end() for found in re.finditer(re.escape(marker), text, re.IGNORECASE)]
    return text[ends[-1] :] if ends else None


def _typed(rule: AnswerRule, text: str, after_a_marker: bool) -> str | None:
    if rule.type == "text":
        return text.strip() or None
    if rule.type == "json":
        return first_json(text, parse_path(rule.path))
    if rule.type == "regex":
        return _pattern(rule.pattern or "", text[-MAX_CHARACTERS:])
    read = _READERS[rule.type]
    parts = _lines(text) if after_a_marker else iter([text])
    return next((answer for part in parts if (answer := read(rule, part, after_a_marker)) is not None), None)


def _lines(text: str) -> Iterator[str]:
    start = 0
    for _ in range(MAX_LINES):
        end = text.find("\n", start)
        line = text[start:] if end < 0 else text[start:end]
        if line.strip():
            yield line
        if end < 0:
            return
        start = end + 1


def _read_number(rule: AnswerRule, text: str, after_a_marker: bool) -> str | None:
    return last_number(text)


def _read_choice(rule: AnswerRule, text: str, after_a_marker: bool) -> str | None:
    return choice(text[-MAX_CHARACTERS:], rule.choices, after_a_marker)


def _read_label(rule: AnswerRule, text: str, after_a_marker: bool) -> str | None:
    return label(text[-MAX_CHARACTERS:], rule.labels)


_READERS: dict[str, Callable[[AnswerRule, str, bool], str | None]] = {
    "number": _read_number,
    "choice": _read_choice,
    "label": _read_label,
}


def _pattern(pattern: str, text: str) -> str | None:
    import regex  # type: ignore[import-untyped]  # like `re`, but a search can be given a time limit

    try:
        found = regex.search(pattern, text, timeout=PATTERN_SECONDS)
    except TimeoutError:
        raise PromptError(
            f"The answer pattern '{pattern[:80]}' searched one output for more than {PATTERN_SECONDS:g} s; "
            "write it without nested repeats such as (a+)+."
        ) from None
    except regex.error as error:
        raise PromptError(f"The answer pattern '{pattern[:80]}' is not valid: {error}.") from None
    if found is None:
        return None
    text = (found.group(1) if found.re.groups else found.group(0)) or ""
    return text.strip() or None
