"""No text makes a step crash or hang: ten megabytes, NUL bytes, half characters, signs by the million."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tuning.items import item
from tests.tuning.test_cleaning import spec_of
from workbench.tuning import clean, profile
from workbench.tuning.cleaning import step_names

SIGNS = 2_000_000
"""Enough for whatever grows with the square to take hours."""
LONG = {
    "one letter": "a" * SIGNS,
    "words": "a tram, " * (SIGNS // 8),
    "digits": "4" * SIGNS,
    "single digits": "4 " * (SIGNS // 2),
    "blanks": " \t" * (SIGNS // 2) + "x",
    "lines": "\n" * SIGNS + "x",
    "marks": "a" + "\u0301\u0323" * (SIGNS // 2),
    "ats and dots": "a.a@" * (SIGNS // 4),
    "pluses": "+1 (" * (SIGNS // 4),
    "key heads": ("-----BEGIN PRIVATE " + "KEY-----a") * (SIGNS // 28),
    "token heads": "eyJaaaaaaaaaaaa." * (SIGNS // 16),
    "capitals": "GB82" * (SIGNS // 4),
    "half characters": "\ud83d" * SIGNS,
}
ODD = ["", "\x00", "\ud83d", "\udc00\ud83d x", "\u202e\u200b", "\n\n", "🙂" * 3, "a\x00b"]


@pytest.mark.parametrize("name", step_names())
@pytest.mark.parametrize("long", LONG)
def test_a_text_made_to_be_slow_is_cleaned_in_seconds(name: str, long: str):
    started = time.process_time()
    done = clean([item("q", LONG[long]), item("q", "yes")], [spec_of(name)])
    assert len(done.outcomes) == 2
    assert time.process_time() - started < 20


@pytest.mark.parametrize("name", step_names())
def test_ten_megabytes_are_cleaned_in_seconds(name: str):
    started = time.process_time()
    assert len(clean([item("q", "the tram, " * 1_000_000)], [spec_of(name)]).outcomes) == 1
    assert time.process_time() - started < 20


@pytest.mark.parametrize("name", step_names())
@pytest.mark.parametrize("odd", ODD, ids=ascii)
def test_odd_texts_pass_every_step(name: str, odd: str):
    spec = spec_of(name)
    done = clean([item(odd, odd, rejected=odd), item(odd, odd), item("q", "")], [spec])
    assert len(done.outcomes) == 3


@given(st.lists(st.tuples(st.text(max_size=20), st.text(max_size=20)), max_size=6))
def test_any_texts_pass_all_steps_together(texts: list[tuple[str, str]]):
    items = [item(question, completion) for question, completion in texts]
    done = clean(items, [spec_of(name) for name in step_names()])
    assert len(done.outcomes) == len(items)


@pytest.mark.parametrize("long", ["one letter", "words", "marks", "half characters"])
def test_a_long_text_is_profiled_in_seconds(long: str):
    started = time.process_time()
    assert profile([item(LONG[long], LONG[long]), item("q", "yes")]).items == 2
    assert time.process_time() - started < 20


def test_odd_texts_are_profiled():
    assert profile([item(odd, odd) for odd in ODD]).items == len(ODD)
