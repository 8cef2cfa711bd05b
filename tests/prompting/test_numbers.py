"""The last number of a text, however people and models write it."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.prompting.numbers import canonical, last_number


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("42", "42"),
        ("So the answer is 42.", "42"),
        ("**42**", "42"),
        (r"\boxed{42}", "42"),
        ("16 - 3 - 4 = 9 eggs", "9"),
        ("1,200.50", "1200.5"),
        ("80,000+50,000=$130,000", "130000"),
        ("1,00,000", "100000"),
        ("1\u202f200", "1200"),
        ("1'200", "1200"),
        ("1.200.500", "1200500"),
        ("€1.200,50", "1200.5"),
        ("3,5", "3.5"),
        ("12,50 €", "12.5"),
        ("0,125", "0.125"),
        ("1,2,3", "3"),
        ("1, 2, 3", "3"),
        ("$5", "5"),
        ("$ 5", "5"),
        ("5 £", "5"),
        ("$.50", "0.5"),
        ("-5", "-5"),
        ("−5", "-5"),
        ("–5", "-5"),
        ("-$5", "-5"),
        ("$-5", "-5"),
        ("(−3)", "-3"),
        ("x = -3.", "-3"),
        ("+7", "7"),
        ("10-5", "5"),
        ("3–5", "5"),
        ("x-3", "3"),
        ("3/4", "0.75"),
        ("-1/2", "-0.5"),
        ("1 1/2 cups", "1.5"),
        ("-1 1/2", "-1.5"),
        (r"\frac{3}{4}", "0.75"),
        ("1/3", "0.333333333333333"),
        ("1½", "1.5"),
        ("¾ of it", "0.75"),
        ("8/10", "0.8"),
        ("2024/05/06", "6"),
        ("3/0", "0"),
        ("50%", "50"),
        ("12.5 %", "12.5"),
        ("1.2e3", "1200"),
        ("2E-3", "0.002"),
        ("3 × 10^4", "30000"),
        ("3 x 10^{-2}", "0.03"),
        ("1e400", "1E+400"),
        ("0.50", "0.5"),
        ("-0", "0"),
        ("007", "7"),
        ("5kg", "5"),
        ("10:30", "30"),
        ("答案是42", "42"),
        ("٣", "3"),
        ("only 3 of the H2O samples", "3"),
        ("version v1.2.3", None),
        ("1.2.3", None),
        ("no number", None),
        ("", None),
        ("-", None),
        ("$", None),
    ],
)
def test_the_last_number_is_read(text: str, number: str | None) -> None:
    assert last_number(text) == number


@given(st.integers(-(10**15), 10**15))
def test_every_integer_is_read_back_plain_grouped_and_in_a_sentence(number: int) -> None:
    for text in (f"{number}", f"{number:,}", f"It is 7 or rather {number:,}.", f"${number:,}.00"):
        assert last_number(text) == str(number)


@given(st.decimals(allow_nan=False, allow_infinity=False, places=4, min_value=-(10**9), max_value=10**9))
def test_every_decimal_keeps_its_value(number: Decimal) -> None:
    read = last_number(f"Answer: {number:f}")
    assert read is not None
    assert Decimal(read) == number
    assert read == canonical(Decimal(read)), "reading what was read changes nothing"


@given(st.integers(-999, 999), st.integers(1, 999))
def test_every_fraction_is_divided_out(top: int, bottom: int) -> None:
    read = last_number(f"{top}/{bottom}")
    assert read is not None
    assert abs(float(read) - top / bottom) < 1e-12 * max(1, abs(top / bottom))


@given(st.text())
def test_any_text_gives_a_canonical_number_or_none(text: str) -> None:
    read = last_number(text)
    assert read is None or last_number(read) in (read, None) or "E" in read


@given(st.text(alphabet="0123456789.,-+/eE$% ½^x10{}"))
def test_any_mixture_of_number_signs_is_read_without_a_failure(text: str) -> None:
    read = last_number(text)
    assert read is None or Decimal(read).is_finite()


@given(st.text(alphabet="abc \n", max_size=50), st.integers(0, 10**6))
def test_a_number_is_found_far_from_the_end(tail: str, number: int) -> None:
    assert last_number(f"9 x {number}{' ' + tail * 200}") == str(number)


@pytest.mark.parametrize("piece", ["1", ",12", "v1.2.3 ", "1/", "x", " ", "1.2.", "½", "-$", "1e"])
def test_megabytes_of_anything_come_to_an_end(piece: str) -> None:
    last_number(piece * (2_000_000 // len(piece)))
