"""What a promptfoo test is held against, and what its prompts are.

{"type": "equals", "value": "{{expected}}", "metric": "Correct", "weight": 2}
'[{"role": "system", "content": "Be terse."}, {"role": "user", "content": "{{q}}"}]'
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from workbench.engine.finished.records import Template

TELL_THE_ANSWER = {
    *("equals", "contains", "icontains", "similar", "levenshtein", "rouge-n", "bleu", "gleu", "meteor"),
    *("factuality", "model-graded-factuality", "model-graded-closedqa"),
}
"""Assertions whose value is a right answer."""

VARIABLE = re.compile(r"\s*\{\{\s*(\w+)\s*\}\}\s*")


@dataclass(frozen=True, slots=True)
class Assertion:
    """One assertion of a test: its type and the value it compares with."""

    kind: str
    value: Any


def assertions_of(test: Mapping[str, Any], grading: Mapping[str, Any]) -> list[Assertion]:
    """A test's assertions, those in sets too; from the grading where the test is not told."""
    given = test.get("assert")
    if given is None:
        graded = grading.get("componentResults") or []
        given = [one.get("assertion") for one in graded if isinstance(one, dict)]
    return [one for part in given or [] for one in _flat(part)]


def reference_of(assertions: Sequence[Assertion], variables: Mapping[str, Any]) -> Any:
    """The right answer, where the assertions tell exactly one; else None."""
    answers: list[Any] = []
    for one in assertions:
        if one.kind not in TELL_THE_ANSWER or not isinstance(one.value, (str, int, float)):
            continue
        value: Any = one.value
        if isinstance(value, str):
            variable = VARIABLE.fullmatch(value)
            value = variables.get(variable[1]) if variable else value
        if value is None or (isinstance(value, str) and ("{{" in value or value.startswith("file://"))):
            return None
        if value not in answers:
            answers.append(value)
    return answers[0] if len(answers) == 1 else None


def template_of(raw: str) -> Template:
    """A prompt's messages: those of a chat written as JSON, or one that the user says."""
    if raw.lstrip().startswith("["):
        try:
            messages = json.loads(raw)
        except ValueError:
            messages = None
        if isinstance(messages, list) and all(_is_message(one) for one in messages):
            return tuple((one["role"], one["content"]) for one in messages)
    return (("user", raw),)


def _is_message(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and isinstance(value.get("role"), str)
        and isinstance(value.get("content"), str)
    )


def _flat(part: Any) -> list[Assertion]:
    if not isinstance(part, dict):
        return []
    if part.get("type") == "assert-set":
        return [one for inner in part.get("assert") or [] for one in _flat(inner)]
    return [Assertion(str(part.get("type")), part.get("value"))]
