"""Rendering: what the model is sent, and that data is never taken for a template."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.core.prompt import Prompt
from workbench.errors import MissingVariable, PromptError
from workbench.prompting import Renderer

SYSTEM = {"role": "system", "content": "You solve problems."}


def prompt(user: str = "{{ question }}", **more: Any) -> Prompt:
    return Prompt.model_validate(
        {"name": "p", "messages": [SYSTEM, {"role": "user", "content": user}], **more}
    )


def last(user: str, **row: Any) -> str:
    return Renderer(prompt(user)).messages(row)[-1]["content"]


def test_columns_stand_where_the_template_names_them() -> None:
    messages = Renderer(prompt("Q: {{ question }}")).messages({"question": "2 + 2?", "id": "1"})
    assert messages == (SYSTEM, {"role": "user", "content": "Q: 2 + 2?"})


def test_reasoning_stands_on_a_line_of_its_own_in_the_last_user_message_only() -> None:
    conversation = [
        {"role": "user", "content": "Hello"},
        {"role": "assistant", "content": "Yes?"},
        {"role": "user", "content": "{{ question }}"},
    ]
    one = Prompt.model_validate({"name": "p", "messages": conversation, "reasoning": "step_by_step"})
    contents = [message["content"] for message in Renderer(one).messages({"question": "Why?"})]
    assert contents == ["Hello", "Yes?", "Why?\nLet's think step by step."]


def test_the_authors_own_reasoning_words_are_used_as_they_are() -> None:
    rendered = Renderer(prompt(reasoning={"custom": "Draw a table {{ first }}."})).messages({"question": "Q"})
    assert rendered[-1]["content"] == "Q\nDraw a table {{ first }}."


def test_a_prefilled_assistant_turn_stays_last() -> None:
    turns = [{"role": "user", "content": "{{ q }}"}, {"role": "assistant", "content": "Answer:"}]
    messages = Renderer(Prompt.model_validate({"name": "p", "messages": turns})).messages({"q": "2 + 2?"})
    assert [message["role"] for message in messages] == ["user", "assistant"]


@pytest.mark.parametrize(
    "value", ["{{ 7 * 7 }}", "{% for i in x %}", "{# gone #}", "{{", "}}", "{%", "%}", "{{ question }}"]
)
def test_template_syntax_inside_data_stays_literal(value: str) -> None:
    assert last("Q: {{ question }}", question=value) == f"Q: {value}"
    examples = [{"question": value, "answer": value}]
    with_examples = Renderer(prompt(examples={"rows": examples}), "answer")
    shown = with_examples.messages({"question": value}, examples)
    assert [message["content"] for message in shown[1:]] == [value, value, value]


@given(st.text())
def test_any_text_at_all_arrives_unchanged(text: str) -> None:
    assert last("{{ question }}", question=text) == text


def test_a_missing_column_is_named_with_the_columns_there_are() -> None:
    with pytest.raises(MissingVariable, match=r"\{\{ question \}\}.*columns: id, questoin"):
        Renderer(prompt()).messages({"questoin": "typo", "id": "1"})


def test_a_column_that_is_asked_for_only_if_it_is_there_may_be_missing() -> None:
    template = "{% if hint is defined %}{{ hint }} {% endif %}{{ question }}"
    assert last(template, question="Q") == "Q"
    assert last(template, question="Q", hint="H") == "H Q"


def test_a_syntax_error_names_prompt_message_and_line() -> None:
    with pytest.raises(PromptError, match=r"Prompt 'p', message 2 \(user\), line 2: "):
        last("one\n{% if %}\nthree", question="Q")


def test_an_error_inside_a_template_is_one_sentence() -> None:
    with pytest.raises(PromptError, match=r"Prompt 'p', message 2 \(user\): .*upperr"):
        last("{{ question.upperr }}", question="Q")


@pytest.mark.parametrize("empty", [None, math.nan])
def test_a_missing_value_leaves_nothing(empty: object) -> None:
    assert last("<{{ question }}>", question=empty) == "<>"


def test_lists_and_mappings_read_as_json() -> None:
    assert last("{{ question }}", question=["a", {"b": 1}]) == '["a", {"b": 1}]'


def test_a_columns_name_may_hold_spaces() -> None:
    renderer = Renderer(prompt('{{ row["Question text"] }}'))
    assert renderer.variables == {"Question text"}
    assert renderer.messages({"Question text": "Q"})[-1]["content"] == "Q"


def test_variables_are_those_of_every_message() -> None:
    asked = prompt("{{ question }}{% if hint %}{{ hint }}{% endif %}{% for x in items %}{{ x }}{% endfor %}")
    assert Renderer(asked).variables == {"question", "hint", "items"}


def test_examples_are_earlier_turns_after_the_system_message() -> None:
    examples = [{"question": "1 + 1?", "answer": 2}, {"question": "2 + 2?", "answer": 4}]
    shots = prompt(examples={"rows": examples}, answer={"after": "Answer:"}, reasoning="step_by_step")
    messages = Renderer(shots, "answer").messages({"question": "3 + 3?"}, examples)
    assert messages == (
        SYSTEM,
        {"role": "user", "content": "1 + 1?"},
        {"role": "assistant", "content": "Answer: 2"},
        {"role": "user", "content": "2 + 2?"},
        {"role": "assistant", "content": "Answer: 4"},
        {"role": "user", "content": "3 + 3?\nLet's think step by step."},
    )


def test_examples_may_have_templates_of_their_own() -> None:
    examples = {
        "rows": [{"q": "1 + 1?", "why": "One more.", "a": 2}],
        "user": "Q {{ q }}",
        "assistant": "{{ why }} #### {{ a }}",
    }
    own = prompt("{{ question }}", examples=examples)
    messages = Renderer(own).messages({"question": "Q"}, own.examples.rows)  # type: ignore[union-attr, arg-type]
    assert messages[1:3] == (
        {"role": "user", "content": "Q 1 + 1?"},
        {"role": "assistant", "content": "One more. #### 2"},
    )


def test_a_reference_that_holds_the_marker_is_not_given_a_second_one() -> None:
    rows = [{"question": "Q", "answer": "One and one. #### 2"}]
    gsm = prompt(examples={"rows": rows}, answer={"after": "####", "type": "number"})
    assert Renderer(gsm, "answer").messages(rows[0], rows)[2]["content"] == "One and one. #### 2"


def test_examples_without_a_known_answer_say_what_to_do() -> None:
    rows = [{"question": "Q", "solution": "2"}]
    with pytest.raises(PromptError, match=r"examples\.assistant"):
        Renderer(prompt(examples={"rows": rows})).messages({"question": "Q"}, rows)
