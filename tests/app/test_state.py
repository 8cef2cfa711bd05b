"""The URL can be written by anyone."""

from __future__ import annotations

from streamlit.testing.v1 import AppTest


def read(script: str, **query: str) -> str:
    """What a one-line page makes of these query parameters."""
    test = AppTest.from_string(
        f"import streamlit as st\nfrom workbench.app import state\nst.text(repr({script}))"
    )
    for key, value in query.items():
        test.query_params[key] = value
    return str(test.run().text[0].value)


def test_a_value_that_is_no_option_is_not_taken() -> None:
    assert read("state.choice('prompt', ['a', 'b'], 'b')", prompt="../../etc") == "'b'"
    assert read("state.choice('prompt', ['a', 'b'])", prompt="b") == "'b'"
    assert read("state.unknown('prompt', ['a'])", prompt="x") == "'x'"


def test_numbers_are_held_in_their_range() -> None:
    assert read("state.whole('page', 1, 9, 1)", page="500") == "9"
    assert read("state.whole('page', 1, 9, 1)", page="-3") == "1"
    assert read("state.whole('page', 1, 9, 1)", page="٣") == "1"
    assert read("state.whole('page', 1, 9, 1)", page="9" * 5000) == "1"


def test_lists_keep_only_what_is_allowed() -> None:
    assert read("state.wholes('cells', [0, 1, 2], 2)", cells="2,9,2,x,,0,1") == "[2, 0]"


def test_words_and_numbers_keep_only_what_is_allowed() -> None:
    assert read("state.words('only', ['a', 'b'])", only="b,x,,b,a,../..") == "['b', 'a']"
    assert read("state.words('only', ['a', 'b'])") == "[]"
    for written, meant in (("-0.5", -0.5), ("3", 3.0), ("nan", None), ("1e9", None), ("", None), ("٣", None)):
        assert read("state.number('low')", low=written) == str(meant)


def test_a_link_to_this_page_keeps_what_it_is_told_to_keep() -> None:
    found = read(
        "state.here('run', 'tag', 'page', page=None, row='7')", run="r", tag="a&b=c", page="3", x="1"
    )
    assert found == "{'run': 'r', 'tag': 'a&b=c', 'row': '7'}"


def test_text_is_short_and_has_no_control_characters() -> None:
    assert read("state.text('find')", find="a\x00b\nc" + "d" * 900) == repr("abc" + "d" * 195)
