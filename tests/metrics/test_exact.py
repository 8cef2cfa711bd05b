"""Exact match and contains: what counts as the same answer."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.metrics import load_metric
from workbench.metrics.text import canonical_number, normalised


def right(name, prediction, reference):
    return bool(load_metric(name).score([prediction], [reference]).values[0])


@pytest.mark.parametrize(
    ("prediction", "reference"),
    [
        ("Paris", "paris"),
        ("  New \n York. ", "new york"),
        ("“42”", "42"),
        ("**yes**", "Yes"),
        ("1,000", "1000.0"),
        ("1000.", "1000"),
        ("-5", "−5"),
        (".5", "0.50"),
        ("007", "7"),
        ("+3", 3),
        ("1e3", "1000"),
        ("1e+16", 1e16),
        ("ﬁne", "fine"),
        ("１２", "12"),
        ("Straße", "STRASSE"),
        ("b", ["a", "b"]),
    ],
)
def test_differences_of_form_are_forgiven(prediction, reference):
    assert right("exact_match", prediction, reference)


@pytest.mark.parametrize(
    ("prediction", "reference"),
    [
        ("-5", "5"),
        ("5%", "5"),
        ("C#", "C"),
        ("1,00", "100"),
        ("?", "!"),
        ("10", "100"),
        ("1000000000000000000001", "1000000000000000000000"),
        ("the cat", "cat"),
        ("", "x"),
        ("c", ["a", "b"]),
    ],
)
def test_differences_of_content_are_not(prediction, reference):
    assert not right("exact_match", prediction, reference)


@settings(deadline=None)
@given(st.text())
def test_normalising_twice_is_normalising_once(text):
    assert normalised(normalised(text)) == normalised(text)


@settings(deadline=None)
@given(st.text(min_size=1).filter(lambda text: text.strip()))
def test_every_text_matches_itself_whatever_its_case_and_margins(text):
    assert right("exact_match", text, text)
    assert right("exact_match", f"  {text}\n", text)
    assert right("contains", text, text)


@settings(deadline=None)
@given(st.decimals(allow_nan=False, allow_infinity=False, places=4, min_value=-(10**12), max_value=10**12))
def test_a_number_has_one_spelling_however_it_is_written(number):
    plain = canonical_number(format(number, "f"))
    assert canonical_number(format(number, ",.4f")) == plain
    assert canonical_number(f"{number:.9f}") == plain
    assert Decimal(plain) == number


def test_a_huge_exponent_stays_a_text():
    assert canonical_number("1e999999999") is None
    assert right("exact_match", "1e999999999", "1e999999999")


@pytest.mark.parametrize(
    ("prediction", "reference"),
    [
        ("It is 5.0 metres.", "5"),
        ("The answer: 1,234 dollars", "1234"),
        ("x = 7", "7"),
        ("in New York City", "new york"),
        ("他住在北京市", "北京"),
        ("costs $5", "5"),
        ("5km", "5km"),
    ],
)
def test_contains_finds_whole_words_and_numbers_by_value(prediction, reference):
    assert right("contains", prediction, reference)


@pytest.mark.parametrize(
    ("prediction", "reference"),
    [("15", "5"), ("5.5", "5"), ("it is -5", "5"), ("concatenate", "cat"), ("12,345", "345")],
)
def test_contains_does_not_find_parts_of_words_or_numbers(prediction, reference):
    assert not right("contains", prediction, reference)
