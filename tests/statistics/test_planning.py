"""Which difference so many rows show: against simulation, statsmodels, and rows_needed read backwards."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.power import TTestPower

from workbench.statistics import detectable_difference, mcnemar_exact, rows_needed


def test_two_hundred_rows_show_nine_points():
    assert detectable_difference(200, discordance=0.2) == pytest.approx(0.088, abs=0.001)
    assert detectable_difference(200) == detectable_difference(200, discordance=0.2)


@pytest.mark.parametrize(("rows", "discordance"), [(100, 0.3), (200, 0.2), (500, 0.1), (1000, 0.5)])
def test_the_difference_is_found_about_as_often_as_promised(rows, discordance):
    delta = detectable_difference(rows, discordance=discordance)
    shares = [(discordance - delta) / 2, (discordance + delta) / 2, 1 - discordance]
    drawn = np.random.default_rng(3).multinomial(rows, shares, size=1500)
    found = [mcnemar_exact(int(worse), int(better)) < 0.05 for worse, better, _ in drawn]
    assert 0.72 <= np.mean(found) <= 0.85  # the exact test is a little stricter than the formula


@pytest.mark.parametrize("rows", [50, 200, 2000])
def test_with_a_deviation_it_is_near_the_paired_t_test_of_statsmodels(rows):
    # their variance is the same under both hypotheses, ours adds the effect under the null
    effect = TTestPower().solve_power(nobs=rows, alpha=0.05, power=0.8)
    assert detectable_difference(rows, deviation=0.3) == pytest.approx(0.3 * effect, rel=0.04)


@pytest.mark.parametrize("power", [0.7, 0.9])
def test_it_is_rows_needed_read_backwards(power):
    observed = np.repeat([-1.0, 1.0, 0.0], [10, 24, 66])
    rows = rows_needed(observed, power=power)
    assert detectable_difference(rows, power=power, discordance=0.34) == pytest.approx(0.14, rel=0.01)
    column = np.random.default_rng(0).normal(0.2, 1, 400)
    rows = rows_needed(column, power=power)
    found = detectable_difference(rows, power=power, deviation=float(column.std()))
    assert found == pytest.approx(column.mean(), rel=0.01)


@given(st.integers(1, 5000), st.floats(0.01, 1), st.floats(0.8, 0.99))
def test_more_rows_or_less_confidence_show_smaller_differences(rows, discordance, confidence):
    found = detectable_difference(rows, confidence, discordance=discordance)
    more = detectable_difference(4 * rows, confidence, discordance=discordance)
    if found is None:
        return
    assert 0 < found <= discordance
    assert more is not None and more < found
    easier = detectable_difference(rows, confidence - 0.1, discordance=discordance)
    assert easier is not None and easier < found


def test_too_few_rows_show_no_difference_at_all():
    assert detectable_difference(5, discordance=0.2) is None
    assert detectable_difference(3, deviation=0.1) is None
    assert detectable_difference(0) is None
    assert detectable_difference(100, deviation=0.0) == 0.0


@pytest.mark.parametrize(
    "wrong",
    [
        {"discordance": 0.0},
        {"discordance": 1.5},
        {"deviation": -0.1},
        {"power": 0.3},
        {"power": 1.0},
        {"confidence": 95},
        {"discordance": 0.2, "deviation": 0.1},
    ],
)
def test_a_number_outside_its_range_is_refused(wrong):
    with pytest.raises(ValueError, match=r"is a|not both"):
        detectable_difference(100, **wrong)
    assert not math.isnan(detectable_difference(100))
