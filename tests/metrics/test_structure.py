"""The shape of outputs: JSON, schemas, patterns, contents, lengths, edits; their settings and bounds."""

from __future__ import annotations

import json
import re
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.errors import MetricError
from workbench.metrics import CellOutputs, load_metric

SCHEMA = {
    "type": "object",
    "required": ["city"],
    "properties": {
        "city": {"type": "string", "pattern": "^[A-Z]"},
        "size": {"type": "integer", "minimum": 1},
    },
    "additionalProperties": False,
}


def scored(spec, *texts, references=None):
    return load_metric(spec).score(list(texts), references).values.tolist()


@pytest.mark.parametrize(
    "text", ["{}", "[1, 2.5e3]", ' "a" ', "null", "-0", '{"a": {"b": [true]}}', "[" * 99 + "]" * 99]
)
def test_one_json_document_is_valid(text):
    assert scored("json_valid", text) == [1]


@pytest.mark.parametrize(
    "text",
    ["", "{", "{'a': 1}", "NaN", "[Infinity]", "[1,]", "{} {}", "```json\n{}\n```", "01", "// x\n1", "yes"],
)
def test_anything_else_is_not(text):
    assert scored("json_valid", text) == [0]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@settings(deadline=None)
@given(JSON)
def test_whatever_json_writes_is_valid_and_no_longer_is_when_cut(value):
    text = json.dumps(value)
    assert scored("json_valid", text) == [1]
    if text[0] in '[{"':
        assert scored("json_valid", text[:-1]) == [0]


def test_json_that_nobody_can_read_is_unscored():
    scores = load_metric("json_valid").score(["[" * 200_000 + "]" * 200_000, "[" + "9" * 5000 + "]", "[]"])
    assert np.isnan(scores.values).tolist() == [True, True, False]
    assert "nested too deeply" in scores.reasons[0] and "5000 digits" in scores.reasons[1]


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ('{"city": "Rome"}', 1),
        ('{"city": "Rome", "size": 3}', 1),
        ('{"city": "rome"}', 0),
        ('{"city": "Rome", "size": 0}', 0),
        ('{"city": "Rome", "size": 1.5}', 0),
        ('{"city": "Rome", "more": 1}', 0),
        ('{"size": 3}', 0),
        ("[]", 0),
        ("Rome", 0),
        ("", 0),
    ],
)
def test_a_schema_holds_or_does_not(text, right):
    assert scored({"name": "json_schema", "schema": SCHEMA}, text) == [right]


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        (None, "needs `schema`"),
        ({"type": "objekt"}, "the type is 'objekt'"),
        ({"type": "object", "properties": []}, "`properties` is a mapping"),
        ({"$ref": "https://example.org/schema.json"}, "leads nowhere"),
        ({"type": "string", "pattern": "("}, "'(' is not a 'regex'"),
        ({"type": "string", "minLength": "four"}, "cannot be used"),
        ("object", "cannot be used"),
    ],
)
def test_a_schema_that_cannot_be_used_is_one_sentence_when_loaded(schema, words):
    with pytest.raises(MetricError, match="'json_schema'") as caught:
        load_metric({"name": "json_schema", "schema": schema})
    assert words in str(caught.value)


def test_a_schema_that_leads_back_to_itself_leaves_its_rows_unscored():
    scores = load_metric({"name": "json_schema", "schema": {"$ref": "#"}}).score(["1"])
    assert np.isnan(scores.values[0]) and "leads back to itself" in scores.reasons[0]


def test_a_pattern_that_runs_away_is_unscored_within_seconds():
    long = "a" * 60 + "!"
    started = time.process_time()
    for spec in (
        {"name": "regex", "pattern": "(a|aa)+$"},
        {"name": "json_schema", "schema": {"type": "string", "pattern": "(a|aa)+$"}},
    ):
        scores = load_metric(spec).score([json.dumps(long)[: None if "schema" in spec else -1], '"a"'])
        assert np.isnan(scores.values[0]) and "not matched within 1 s" in scores.reasons[0]
        assert not np.isnan(scores.values[1])
    assert time.process_time() - started < 8


def test_a_pattern_is_found_anywhere_or_matches_all():
    assert scored({"name": "regex", "pattern": r"\d+"}, "is 42", "none", None) == [1, 0, 0]
    assert scored({"name": "regex", "pattern": r"\d+", "full": True}, "is 42", " 42\n") == [0, 1]
    assert scored({"name": "regex", "pattern": "(?i)YES"}, "yes") == [1]
    assert scored({"name": "regex", "pattern": "^$"}, None) == [1], "no answer is an empty text"


@settings(deadline=None)
@given(st.sampled_from(["a+b", "^(ab|b)*$", "[^a]", "b{2,}", r"\ba"]), st.text("ab ", max_size=12))
def test_patterns_are_those_of_python(pattern, text):
    assert scored({"name": "regex", "pattern": pattern}, text) == [float(bool(re.search(pattern, text)))]


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ({"name": "regex"}, "'regex' needs `pattern`"),
        ({"name": "regex", "pattern": "("}, "'regex': `pattern` is no regular expression"),
        ({"name": "regex", "pattern": 7}, "'regex' needs `pattern`"),
        ({"name": "regex", "pattern": "a" * 10_001}, "more than 10,000 characters"),
        ({"name": "regex", "pattern": "a", "full": 1}, "`full` is true or false"),
        ({"name": "length"}, "needs `min` or `max`"),
        ({"name": "length", "max": -1}, "`max` is a whole number"),
        ({"name": "length", "max": True}, "`max` is a whole number"),
        ({"name": "length", "min": 3, "max": 2}, "`min` 3 is more than `max` 2"),
        ({"name": "length", "max": 2, "unit": "letters"}, "`unit` is words, characters or tokens"),
        ({"name": "contains_any", "values": []}, "`values` is a text or a list"),
        ({"name": "contains_all", "values": ["a", None]}, "`values` holds None"),
        ({"name": "starts_with", "values": {"a": 1}}, "`values` is a text or a list"),
        ({"name": "contains_any", "values": "a", "case": "no"}, "`case` is true or false"),
        ({"name": "levenshtein", "unit": "lines"}, "`unit` is characters or words"),
        ({"name": "levenshtein", "distance": "yes"}, "`distance` is true or false"),
    ],
)
def test_a_wrong_setting_is_one_sentence_that_names_it(spec, words):
    with pytest.raises(MetricError) as caught:
        load_metric(spec)
    assert words in str(caught.value) and f"'{spec['name']}'" in str(caught.value)


def test_contents_are_looked_for_in_the_values_or_in_the_reference():
    text = "I am sorry, I cannot say 42"
    assert scored({"name": "contains_any", "values": ["SORRY", "no"]}, text) == [1]
    assert scored({"name": "contains_any", "values": "SORRY", "case": True}, text) == [0]
    assert scored({"name": "contains_all", "values": ["sorry", 42]}, text, "sorry") == [1, 0]
    assert scored({"name": "starts_with", "values": ["You", "i am"]}, f"\n {text}", "Well, I am") == [1, 0]
    references = [["nobody", "cannot"], ["sorry", "never"], None]
    assert scored("contains_any", text, text, references=references[:2]) == [1, 1]
    assert scored("contains_all", text, text, references=references[:2]) == [0, 0]
    assert np.isnan(scored("starts_with", text, references=references[2:])).all()


def test_they_need_a_reference_only_without_values():
    assert load_metric("contains_any").needs_reference
    assert not load_metric({"name": "contains_any", "values": "x"}).needs_reference


def test_they_read_the_whole_text_unless_the_answer_is_asked_for():
    outputs = CellOutputs(["7", None], ["7", "7"], ["= 7", "= 7"], ["So: 7", "So?"])
    spec = {"name": "starts_with", "values": "So"}
    assert load_metric(spec).score_outputs(outputs).values.tolist() == [1, 1]
    assert load_metric({**spec, "of": "answer"}).score_outputs(outputs).values.tolist() == [0, 0]


def test_length_is_counted_in_words_characters_or_tokens():
    text = " Don't use well-known words: x=1. "
    assert scored({"name": "length", "min": 6, "max": 6}, text) == [1]
    assert scored({"name": "length", "min": 5, "max": 5, "unit": "tokens"}, text) == [1]
    assert scored({"name": "length", "max": len(text.strip()), "unit": "characters"}, text) == [1]
    assert scored({"name": "length", "max": 0}, None, "", "a") == [1, 1, 0]
    assert scored({"name": "length", "min": 1}, None, "北京") == [0, 1]


def edits(first, second):
    """The textbook's table."""
    row = list(range(len(second) + 1))
    for i, one in enumerate(first, 1):
        row, above = [i], row
        for j, other in enumerate(second, 1):
            row.append(min(above[j] + 1, row[-1] + 1, above[j - 1] + (one != other)))
    return row[-1]


@settings(deadline=None)
@given(st.text("abc ", max_size=20), st.text("abc ", min_size=1, max_size=20).filter(str.strip))
def test_levenshtein_is_the_textbooks(output, reference):
    distance = edits(output, reference)
    assert scored({"name": "levenshtein", "distance": True}, output, references=[reference]) == [distance]
    likeness = 1 - distance / max(len(output), len(reference))
    assert scored("levenshtein", output, references=[reference]) == pytest.approx([likeness])
    words = edits(output.split(), reference.split())
    spec = {"name": "levenshtein", "distance": True, "unit": "words"}
    assert scored(spec, output, references=[reference]) == [words]


def test_levenshtein_turns_round_with_its_form_and_takes_the_best_reference():
    assert load_metric("levenshtein").direction == "higher"
    distance = load_metric({"name": "levenshtein", "distance": True})
    assert (distance.direction, distance.range[0]) == ("lower", 0)
    assert distance.score(["kitten", None], [["sitting", "mitten"], "abc"]).values.tolist() == [1, 3]
