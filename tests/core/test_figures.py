"""Numbers as people read them: enough digits to tell apart, and no more."""

from __future__ import annotations

from math import inf, nan

import pytest

from workbench.core.figures import figure, signed, signed_with_interval, with_interval


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (0.0, "0.000"),
        (0.7123, "0.712"),
        (1.0, "1.000"),
        (4.256, "4.26"),
        (31.234, "31.2"),
        (470.95, "470.9"),
        (0.000312, "0.00031"),
        (4e-13, "0.000000000"),
        (-1.204, "-1.20"),
        (nan, "–"),
        (inf, "inf"),
    ],
)
def test_a_figure_has_the_digits_that_tell_it_from_others(value: float, said: str):
    assert figure(value) == said


def test_the_cost_of_a_cheap_call_is_not_written_as_nothing():
    assert with_interval(0.00021, 0.0002, 0.00022) == "0.00021 [0.00020, 0.00022]"


def test_a_difference_always_has_its_sign():
    assert (signed(0.0), signed(-0.04), signed(2.5), signed(nan)) == ("+0.000", "-0.040", "+2.50", "–")


def test_what_has_no_interval_is_written_without_one():
    assert with_interval(0.5, nan, nan) == "0.500"
    assert signed_with_interval(0.5, nan, nan) == "+0.500"
