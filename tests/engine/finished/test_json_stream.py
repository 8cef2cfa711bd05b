"""A large JSON document is read member by member, and says where it is broken."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.datasets import text
from workbench.datasets.source import Notes, Source
from workbench.engine.finished.head import head_of
from workbench.engine.finished.json_stream import members
from workbench.errors import InvalidFile

plain = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text('aé\n"\\{}[],:1'),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("ab", min_size=1), inner, max_size=4),
    max_leaves=20,
)


def read(content: str | bytes, *streamed: str, **options: Any) -> list[tuple[str, Any]]:
    raw = content if isinstance(content, bytes) else content.encode("utf-8")
    return list(members(Source("x.json", content=raw), Notes(), streamed, **options))


@given(st.lists(plain), st.integers(1, 9))
def test_a_list_comes_item_by_item_whatever_the_pieces_are(items: list[Any], size: int):
    before = text.CHUNK_BYTES
    text.CHUNK_BYTES = size
    try:
        found = read(json.dumps(items))
    finally:
        text.CHUNK_BYTES = before
    assert found == [("[]", item) for item in items]


@given(st.dictionaries(st.text("abc", min_size=1), plain))
def test_an_object_comes_member_by_member(content: dict[str, Any]):
    assert read(json.dumps(content, indent=1)) == list(content.items())


def test_only_what_is_asked_for_is_streamed():
    document = {"a": {"b": [{"x": 1}, {"x": [2]}], "z": 5}, "q": [1, 2], "o": {"p": {}}}
    assert read(json.dumps(document), "a.b", "o") == [
        ("a.b.[]", {"x": 1}),
        ("a.b.[]", {"x": [2]}),
        ("a.z", 5),
        ("q", [1, 2]),
        ("o.p", {}),
    ]


def test_nan_and_infinity_are_missing_values_or_refused():
    assert read('[NaN, Infinity, -Infinity, 1e999, {"a": NaN}]') == [("[]", None)] * 4 + [("[]", {"a": None})]
    with pytest.raises(InvalidFile, match="line 2: NaN is not JSON"):
        read("[1,\nNaN]", nan_is_null=False)


BROKEN = {
    "": "the file is empty",
    "  \n ": "the file is empty",
    "[": "line 1: not valid JSON",
    '[{"a": 1},\n{"a": ': "line 2: not valid JSON",
    '{"a": 1': "the file ends where ',' or '}' is needed",
    '{"a" 1}': "found '1' where ':' is needed",
    "{1: 2}": "expected a key in double quotes",
    "[1 2]": "found '2' where",
    "[1] x": "something stands after the end",
    "7": "expected a JSON object or list, found a number",
    "[" * 100_000: "nested too deeply",
    '["\\ud800"]': "half of a character",
    '["a\\u0000"]': "NUL",
    "[" + "9" * 5000 + "]": "too many digits",
}


@pytest.mark.parametrize("content", BROKEN, ids=range(len(BROKEN)))
def test_a_broken_document_is_one_sentence_that_says_where(content: str):
    with pytest.raises(InvalidFile, match=r"x\.json") as raised:
        read(content)
    assert BROKEN[content] in str(raised.value)


def test_bytes_that_are_no_text_are_refused_by_their_place():
    with pytest.raises(InvalidFile, match="not UTF-8 at byte 2"):
        read(b'["\xe9"]')
    with pytest.raises(InvalidFile, match="NUL byte"):
        read(b"[1\x00]")
    assert read('["é"]'.encode("utf-16")) == [("[]", "é")]


def test_the_head_tells_paths_of_a_text_that_may_end_anywhere():
    whole = json.dumps({"version": 3, "results": {"results": [{"vars": {"a": 1}}], "stats": {}}, "x": "a: {"})
    head = head_of(Source("x.json", content=whole.encode()))
    assert head.has("version", "results.results", "results.results.[].vars", "results.stats", "x")
    assert not head.has("results.results.[].vars.a")
    for end in range(len(whole)):
        assert head_of(Source("x.json", content=whole[:end].encode())).keys <= head.keys
    assert head_of(Source("x.jsonl", content=b'{"a": 1}\n{"b": [{"c": 2}]}')).keys == {"a", "b", "b.[].c"}
    assert head_of(Source("x.bin", content=b"PK\x03\x04\xff")).keys == frozenset()
