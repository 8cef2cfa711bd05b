"""The answer is marked where the rule read it, and nowhere where that cannot be told."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from workbench.core.prompt import AnswerRule
from workbench.prompting import read_answer
from workbench.prompting.answer_span import answer_span

NUMBER = {"after": "Answer:", "type": "number"}


def stretch(options: dict[str, Any], text: str) -> str | None:
    """What is marked in a text whose answer the rule has read."""
    rule = AnswerRule.model_validate(options)
    found = answer_span(rule, text, read_answer(rule, text))
    return None if found is None else text[slice(*found)]


@pytest.mark.parametrize(
    ("options", "text", "marked"),
    [
        (NUMBER, "3 + 4 = 7. Answer: $7.00 in all", "$7.00"),
        (NUMBER, "Answer: 5. No: Answer: 7\n\nThe 3 dogs", "7"),
        (NUMBER, "Answer: -1,200.50.", "-1,200.50"),
        (NUMBER, "Answer: none", None),
        ({"type": "number"}, "that is 1 1/2 cups", "1 1/2"),
        ({"type": "number"}, "first 3, then 12 dogs", "12"),
        ({"type": "choice"}, "A or B? The answer is (B).", "B"),
        ({"after": "=>", "type": "choice"}, "A => b, not C", "b"),
        (
            {"type": "label", "labels": ["positive", "very positive"]},
            "It is Very  positive.",
            "Very  positive",
        ),
        ({"type": "regex", "pattern": r"x=(\w+)"}, "so x=abc, done", "abc"),
        ({"type": "regex", "pattern": r"x=(\w+)"}, "abc: x=abc", None),
        ({"type": "json", "path": "result.value"}, '{"value": 1, "result": {"value": 7}}', "7"),
        ({"type": "json", "path": "result.sum"}, 'Well: {"result": {"sum": 7}}', "7"),
        ({"after": "A:"}, "thinking\nA:  the cat \n", "the cat"),
        ({}, "the whole text", None),
    ],
)
def test_the_stretch_that_was_read_is_marked(options: dict[str, Any], text: str, marked: str | None) -> None:
    assert stretch(options, text) == marked


@given(some.text(alphabet="0123456789.,/-$ abAnswer:\n½٣", max_size=60))
def test_what_is_marked_reads_as_the_answer(text: str) -> None:
    rule = AnswerRule(type="number")
    answer = read_answer(rule, text)
    found = answer_span(rule, text, answer)
    if found is not None:
        assert read_answer(rule, text[slice(*found)]) == answer


def test_an_answer_that_is_not_in_the_text_is_marked_nowhere() -> None:
    rule = AnswerRule(type="number")
    assert answer_span(rule, "it is 7", "8") is None
    assert answer_span(rule, "", "8") is None
    assert answer_span(rule, "it is 7", None) is None
    assert answer_span(rule, "7" * 1_000_000, "7") is None
