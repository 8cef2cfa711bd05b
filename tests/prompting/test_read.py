"""Reading answers: what is found, and what counts as no answer at all."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.core.prompt import AnswerRule
from workbench.errors import PromptError
from workbench.prompting import read_answer, read_reference

NUMBER = AnswerRule(after="Answer:", type="number")


def rule(**options: Any) -> AnswerRule:
    return AnswerRule.model_validate(options)


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("3 + 4 = 7. Answer: 7", "7"),
        ("Answer: 5. No wait. Answer: 7", "7"),
        ("answer: 7", "7"),
        ("ANSWER: $7.00 in all", "7"),
        ("Answer: 42\n\nThe 3 dogs are happy.", "42"),
        ("Answer: 3 + 4 = 7", "7"),
        ("Answer:\n\n**7**", "7"),
        ("Answer: unknown", None),
        ("Answer:", None),
        ("It is 7.", None),
        ("", None),
    ],
)
def test_a_number_is_read_after_the_last_marker(text: str, answer: str | None) -> None:
    assert read_answer(NUMBER, text) == answer


def test_the_marker_as_written_counts_before_one_in_other_letters() -> None:
    assert read_answer(rule(after="A:", type="text"), "A: first a: second") == "first a: second"


def test_the_whole_text_is_stripped_and_blank_text_is_no_answer() -> None:
    assert read_answer(rule(), "  two\nlines \n") == "two\nlines"
    assert read_answer(rule(), " \n\t ") is None
    assert read_answer(rule(after="=>"), "so => it is \n") == "it is"
    assert read_answer(rule(after="=>"), "so => ") is None


@pytest.mark.parametrize(
    ("text", "letter"),
    [
        ("B", "B"),
        ("b", "B"),
        ("(B)", "B"),
        ("B.", "B"),
        ("**B**", "B"),
        ("The answer is (B).", "B"),
        ("Answer: b", "B"),
        ("The correct option is C, since", "C"),
        ("(A) is wrong, so (C)", "C"),
        ("B) 42", "B"),
        ("D. Paris", "D"),
        ("I'd go with B", "B"),
        ("A dog barks. C", "C"),
        ("A good idea", None),
        ("I think A and B are both wrong", None),
        ("Bananas", None),
        ("a cat", None),
        ("F", None),
        ("", None),
    ],
)
def test_a_choice_is_its_letter(text: str, letter: str | None) -> None:
    assert read_answer(rule(type="choice"), text) == letter


@pytest.mark.parametrize(
    ("text", "letter"),
    [
        ("Answer: B because A is wrong", "B"),
        ("Answer: A is right", "A"),
        ("Answer: (c) 42", "C"),
        ("Answer: **E**", "E"),
        ("Answer:\nD", "D"),
        ("Answer: the answer is B", "B"),
        ("Answer: a dog", None),
        ("Answer: none of them", None),
    ],
)
def test_after_a_marker_the_first_letter_counts(text: str, letter: str | None) -> None:
    assert read_answer(rule(type="choice", after="Answer:"), text) == letter


def test_choices_may_be_other_letters() -> None:
    assert read_answer(rule(type="choice", choices="1234"), "The answer is 3.") == "3"
    assert read_answer(rule(type="choice", choices="xyz"), "(Y)") == "y"
    assert read_answer(rule(type="choice", choices="^]-"), "]") == "]"


LABELS = ("positive", "very positive", "negative", "c", "c++", "New York")


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("Positive.", "positive"),
        ("I would call it very positive!", "very positive"),
        ("very\n  POSITIVE", "very positive"),
        ("c++ it is", "c++"),
        ("in new york", "New York"),
        ("positive, yes, positive", "positive"),
        ("positive or negative", None),
        ("unpositive", None),
        ("neutral", None),
        ("", None),
    ],
)
def test_a_label_is_one_of_the_set(text: str, label: str | None) -> None:
    assert read_answer(rule(type="label", labels=LABELS), text) == label


def test_after_a_marker_the_first_line_with_a_label_counts() -> None:
    sentiment = rule(type="label", labels=LABELS, after="Label:")
    assert read_answer(sentiment, "Label: positive\nIt could have been negative.") == "positive"


def test_a_pattern_gives_its_first_group() -> None:
    assert read_answer(rule(type="regex", pattern=r"code (\w+)"), "the code X7 and code Y8") == "X7"
    assert read_answer(rule(type="regex", pattern=r"\d+-\d+"), "from 3-4") == "3-4"
    assert read_answer(rule(type="regex", pattern=r"a(b)?"), "a") is None
    assert read_answer(rule(type="regex", pattern="z"), "a") is None


def test_a_pattern_that_runs_away_is_stopped_with_a_remedy() -> None:
    with pytest.raises(PromptError, match="more than 1 s"):
        read_answer(rule(type="regex", pattern="(a+)+$"), "a" * 5000 + "b")


@pytest.mark.parametrize(
    ("text", "path", "answer"),
    [
        ('Here: {"result": {"value": 1.50}} ok', "result.value", "1.5"),
        ('```json\n{"items": [{"id": "q7"}]}\n```', "items[0].id", "q7"),
        ('I saw [1]. {"answer": "yes"}', "answer", "yes"),
        ('{"a": 1} {"b": 2}', "b", "2"),
        ('{"a": [1, 2.5, true, null]}', "a", "[1, 2.5, true, null]"),
        ('{"a": [1, 2]}', "a[-1]", "2"),
        ('[{"x": 1}]', "[0].x", "1"),
        ('{"a": true}', "a", "true"),
        ('{"a": {"b": 1}}', None, '{"a": {"b": 1}}'),
        ("17", None, "17"),
        ('"word"', None, "word"),
        ('{"a": null}', "a", None),
        ('{"a": "  "}', "a", None),
        ('{"a": NaN}', "a", None),
        ("{'a': 1}", "a", None),
        ('{"a": 1', "a", None),
        ('{"a": 1}', "b", None),
        ('{"a": [1]}', "a[3]", None),
        ("none here", "a", None),
        ("none here", None, None),
    ],
)
def test_a_json_path_is_followed_in_the_first_json_that_has_it(
    text: str, path: str | None, answer: str | None
) -> None:
    assert read_answer(rule(type="json", path=path), text) == answer


def test_a_path_that_is_none_is_named() -> None:
    with pytest.raises(PromptError, match=r"'a\[x\]' is not a JSON path"):
        read_answer(rule(type="json", path="a[x]"), "{}")


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**9), 10**9) | st.text(), lambda inner: st.lists(inner)
)


@given(st.text(alphabet="ab {[\"'}]"), st.dictionaries(st.sampled_from("xyz"), json_values, min_size=1))
def test_json_is_found_whatever_stands_before_it(before: str, value: dict[str, Any]) -> None:
    import json

    key = next(iter(value))
    read = read_answer(
        rule(type="json", path=key), f"{before.replace('[', '').replace('{', '')} {json.dumps(value)}"
    )
    wanted = value[key]
    if isinstance(wanted, str):
        assert read == (wanted.strip() or None)
    elif wanted is None:
        assert read is None
    else:
        assert read is not None
        assert json.loads(read) == wanted


RULES = [
    rule(),
    NUMBER,
    rule(type="number"),
    rule(type="choice"),
    rule(type="choice", after="A"),
    rule(type="label", labels=LABELS),
    rule(type="regex", pattern="(a|b)c?"),
    rule(type="json", path="a.b"),
    rule(type="json"),
]


@given(st.sampled_from(RULES), st.text())
def test_any_text_is_read_without_a_failure_and_never_as_blank(answer_rule: AnswerRule, text: str) -> None:
    answer = read_answer(answer_rule, text)
    assert answer is None or answer.strip()


@settings(max_examples=40, deadline=None)
@given(
    st.sampled_from(RULES),
    st.text(alphabet="a1[{\"':,.()/ \nAb-\\", min_size=1, max_size=6),
    st.integers(200_000, 400_000),
)
def test_long_repetition_comes_to_an_end(answer_rule: AnswerRule, piece: str, size: int) -> None:
    read_answer(answer_rule, piece * (size // len(piece)))


@pytest.mark.parametrize("piece", ["x", "\n", "Answer:", '["', "{", "(A", "1 "])
def test_ten_megabytes_are_read(piece: str) -> None:
    text = piece * (10_000_000 // len(piece))
    for answer_rule in RULES:
        read_answer(answer_rule, text)


def test_a_reference_that_holds_the_marker_is_read_after_it() -> None:
    gsm = rule(after="####", type="number")
    assert read_reference(gsm, "16 - 3 - 4 = <<16-3-4=9>>9\n#### 1,042") == "1042"


@pytest.mark.parametrize(
    ("answer_rule", "value", "reference"),
    [
        (NUMBER, 18, "18"),
        (NUMBER, 70000.0, "70000"),
        (NUMBER, "1,200", "1200"),
        (NUMBER, "3/4", "0.75"),
        (NUMBER, "many", "many"),
        (rule(type="choice", after="A:"), "b", "B"),
        (rule(type="label", labels=("Yes", "No"), after="A:"), "yes", "Yes"),
        (rule(type="label", labels=("true", "false")), True, "true"),
        (rule(type="json", path="x"), {"x": 5}, "5"),
        (rule(type="json", path="x"), "5", "5"),
        (rule(), " Paris ", "Paris"),
        (rule(after="A:"), "Paris", "Paris"),
        (NUMBER, None, ""),
        (NUMBER, math.nan, ""),
    ],
)
def test_a_reference_is_read_as_the_answers_type(answer_rule: AnswerRule, value: Any, reference: str) -> None:
    assert read_reference(answer_rule, value) == reference


@given(st.integers(-(10**9), 10**9))
def test_an_answer_equals_its_reference_however_each_is_written(number: int) -> None:
    references = {
        read_reference(NUMBER, form) for form in (number, float(number), f"{number:,}", f"${number}")
    }
    assert references == {read_answer(NUMBER, f"So. Answer: {number:,}.00")}
