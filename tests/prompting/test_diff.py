"""Word diffs: exact, readable, and quick on anything."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.prompting import word_diff

words = st.lists(st.sampled_from(["the", "cat", "a", " ", "\n", ".", "  ", "é"]), max_size=40).map("".join)


@given(words | st.text(), words | st.text())
def test_the_parts_make_up_both_texts(old: str, new: str) -> None:
    parts = word_diff(old, new)
    assert "".join(text for kind, text in parts if kind != "added") == old
    assert "".join(text for kind, text in parts if kind != "removed") == new
    assert all(text for _, text in parts)
    assert all(before[0] != after[0] for before, after in itertools.pairwise(parts))


@given(words)
def test_equal_texts_have_no_changes(text: str) -> None:
    assert [kind for kind, _ in word_diff(text, text)] == (["same"] if text else [])


@pytest.mark.parametrize(
    ("old", "new", "parts"),
    [
        (
            "Give the answer.",
            "Give only the answer.",
            [("same", "Give "), ("added", "only "), ("same", "the answer.")],
        ),
        (
            "one\ntwo words\nthree",
            "one\ntwo terms\nthree",
            [("same", "one\ntwo "), ("removed", "words"), ("added", "terms"), ("same", "\nthree")],
        ),
        ("a b", "a  b", [("same", "a"), ("removed", " "), ("added", "  "), ("same", "b")]),
        ("red cat", "blue dog", [("removed", "red cat"), ("added", "blue dog")]),
        ("", "new", [("added", "new")]),
        ("old", "", [("removed", "old")]),
        ("", "", []),
    ],
)
def test_changes_read_well(old: str, new: str, parts: list[tuple[str, str]]) -> None:
    assert word_diff(old, new) == parts


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("a " * 50_000, "b a " * 50_000),
        ("a b\n" * 50_000, "b c\n" * 50_000),
        ("x" * 10**6, "y" * 10**6),
        ("word " * 2000, "term word " * 2000),
        (" " * 100_000, "\n" * 100_000),
    ],
)
def test_large_texts_come_to_an_end(old: str, new: str) -> None:
    parts = word_diff(old, new)
    assert "".join(text for kind, text in parts if kind != "removed") == new
