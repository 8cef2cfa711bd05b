"""What counts as a JSON schema that an answer can be held to."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from workbench.core.document import dump, load
from workbench.core.json_schema import schema_problem
from workbench.core.prompt import AnswerRule, Prompt
from workbench.errors import InvalidFile

COUNT = {
    "type": "object",
    "properties": {"count": {"type": ["integer", "null"], "minimum": 0}, "tags": {"$ref": "#/$defs/tags"}},
    "required": ["count"],
    "additionalProperties": False,
    "$defs": {"tags": {"type": "array", "items": {"enum": ["a", "b"]}}},
}
PROMPT = """\
name: count
messages:
  - {role: user, content: "JSON, please: {{ question }}"}
answer:
  type: json
  path: count
  schema: {type: object, properties: {count: {type: TYPE}}}
"""


def test_a_usual_schema_is_one():
    assert schema_problem(COUNT) is None


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        ({}, "says nothing"),
        ([], "is a mapping"),
        ({"type": "int"}, "'int'"),
        ({"type": 5}, "type is 5"),
        ({"properties": ["a"]}, "mapping from names"),
        ({"properties": {"a": {"type": "text"}}}, "at `properties.a`"),
        ({"type": "array", "items": "string"}, "at `items`"),
        ({"anyOf": [{"type": "string"}, {"type": "x"}]}, r"at `anyOf\[1\]`"),
        ({"anyOf": {"type": "string"}}, "list of schemas"),
        ({"enum": []}, "at least one value"),
        ({"type": "object", "required": "a"}, "list of names"),
        ({"type": "object", "properties": {}, "required": ["a"]}, "names 'a'"),
        ({"$ref": "#/$defs/none"}, "leads nowhere"),
        ({"$ref": "https://example.org/schema"}, "leads nowhere"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(schema: Any, words: str):
    with pytest.raises(AssertionError, match=words):
        raise AssertionError(schema_problem(schema))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["type", "items", "properties", "required", "enum", "$ref", "anyOf", "x"]), inner
        )
    ),
    max_leaves=20,
)


@given(JSON)
def test_whatever_stands_there_is_judged_and_not_stumbled_over(schema: Any):
    problem = schema_problem(schema)
    assert problem is None or "\n" not in problem.replace("\\n", "")


def test_nothing_is_too_deep_to_judge():
    schema: dict[str, Any] = {"type": "string"}
    for _ in range(2000):
        schema = {"type": "array", "items": schema}
    assert "deep" in str(schema_problem(schema))


def test_a_wrong_schema_is_an_error_of_its_file_with_the_line():
    with pytest.raises(InvalidFile, match=r"prompts/count.yaml, line 7, key `answer.schema`.*'whole'"):
        load(Prompt, PROMPT.replace("TYPE", "whole"), "prompts/count.yaml")


def test_a_schema_is_part_of_the_version_and_comes_back_from_the_file():
    prompt = load(Prompt, PROMPT.replace("TYPE", "integer"))
    without = load(Prompt, PROMPT.split("  schema")[0])
    assert prompt.version != without.version
    assert "schema" not in str(without.content()), "prompts without one keep the versions that they had"
    assert load(Prompt, dump(prompt)) == prompt


def test_a_schema_needs_an_answer_that_is_json_from_its_start():
    for rule in ({"type": "text"}, {"type": "json", "after": "Answer:"}):
        with pytest.raises(ValidationError, match="needs `type: json` and no `after`"):
            AnswerRule.model_validate(rule | {"schema": COUNT})
