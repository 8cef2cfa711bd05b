"""Verdicts and their arithmetic: Holm's adjustment, the four words, the rows still needed."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.multitest import multipletests

from workbench.statistics import (
    PairedComparison,
    compare_paired,
    holm,
    mcnemar_exact,
    open_confidence,
    permutation_test,
    rows_needed,
    verdict,
)

probabilities = st.lists(st.floats(0, 1), min_size=1, max_size=12)


def comparison(difference=0.1, low=0.05, high=0.15, n=200, differing=40):
    return PairedComparison(difference, low, high, 0.001, n, differing)


@pytest.mark.parametrize("p_values", [[0.01, 0.04, 0.03], [0.5, 0.9], [0.0, 0.02, 0.02, 0.02, 1.0], [0.3]])
def test_holm_equals_statsmodels(p_values):
    expected = multipletests(p_values, method="holm")[1]
    assert holm(p_values) == pytest.approx(list(expected))


@settings(max_examples=40, deadline=None)
@given(probabilities)
def test_holm_never_lowers_a_p_and_keeps_their_order(p_values):
    adjusted = holm(p_values)
    assert all(a >= p for a, p in zip(adjusted, p_values, strict=True))
    ranked = [adjusted[i] for i in np.argsort(p_values, kind="stable")]
    assert ranked == sorted(ranked)


def test_holm_leaves_what_could_not_be_compared_out_of_the_count():
    adjusted = holm([0.02, math.nan, 0.03])
    assert adjusted[0] == pytest.approx(0.04) and adjusted[2] == pytest.approx(0.04)
    assert math.isnan(adjusted[1])
    assert holm([]) == []


def test_a_significant_gain_is_better_and_a_significant_loss_worse():
    assert verdict(comparison(), 0.01) == "better"
    assert verdict(comparison(-0.1, -0.15, -0.05), 0.01) == "worse"


def test_where_lower_is_better_a_fall_is_better():
    assert verdict(comparison(-0.1, -0.15, -0.05), 0.01, direction="lower") == "better"
    assert verdict(comparison(), 0.01, direction="lower") == "worse"


def test_the_adjusted_p_decides_and_not_the_raw_one():
    assert verdict(comparison(), 0.06) == "undecided"
    assert verdict(comparison(), 0.06, confidence=0.9) == "better"


def test_an_interval_within_the_margin_is_a_tie_even_when_the_difference_is_not_zero():
    small = comparison(0.004, 0.001, 0.008)
    assert verdict(small, 0.4, margin=0.01) == "tied"
    assert verdict(small, 0.001, margin=0.01) == "tied"
    assert verdict(small, 0.001, margin=0.005) == "better"
    assert verdict(comparison(0.0, -0.02, 0.02), 1.0, margin=0.01) == "undecided"


def test_no_difference_on_any_row_is_a_tie_without_a_margin():
    same = compare_paired([1, 0, 1, 1], [1, 0, 1, 1])
    assert verdict(same, same.p) == "tied"
    balanced = compare_paired([1, 0, 1, 1], [0, 1, 1, 1])
    assert verdict(balanced, balanced.p) == "undecided"


def test_nothing_compared_is_undecided():
    nothing = compare_paired([math.nan], [math.nan])
    assert verdict(nothing, math.nan) == "undecided"


def test_with_the_rows_it_asks_for_mcnemar_finds_the_effect_about_as_often_as_promised():
    rng = np.random.default_rng(0)
    observed = np.repeat([-1.0, 1.0, 0.0], [10, 20, 70])
    n = rows_needed(observed, power=0.8)
    samples = rng.choice(observed, size=(1500, n))
    found = [mcnemar_exact((row < 0).sum(), (row > 0).sum()) < 0.05 for row in samples]
    assert np.mean(found) == pytest.approx(0.8, abs=0.05)


def test_with_the_rows_it_asks_for_a_mean_difference_is_found_about_as_often_as_promised():
    rng = np.random.default_rng(1)
    observed = rng.normal(size=400)
    observed += 0.25 - observed.mean()
    n = rows_needed(observed, power=0.9)
    samples = rng.choice(observed, size=(400, n))
    found = [permutation_test(row, permutations=400, seed=i) < 0.05 for i, row in enumerate(samples)]
    assert np.mean(found) == pytest.approx(0.9, abs=0.05)


def test_more_power_and_more_confidence_take_more_rows():
    observed = np.repeat([-1.0, 1.0, 0.0], [10, 20, 70])
    assert rows_needed(observed) < rows_needed(observed, power=0.9)
    assert rows_needed(observed) < rows_needed(observed, confidence=0.99)


def test_what_a_table_leaves_open_needs_more_rows_than_it_had():
    column = np.repeat([-1.0, 1.0, 0.0], [3, 16, 61])
    raw = mcnemar_exact(3, 16)
    adjusted = holm([raw, *[0.3] * 11, 1e-9])
    assert raw < 0.05 <= adjusted[0], "undecided only because of the others"
    assert rows_needed(column) < len(column) < rows_needed(column, confidence=open_confidence(adjusted))


def test_only_what_is_still_open_shares_the_level():
    assert open_confidence([0.001, 0.2, math.nan]) == 0.95
    assert open_confidence([0.5] * 5) == pytest.approx(0.99)
    assert open_confidence([]) == 0.95


def test_repeats_of_a_row_count_as_one_row():
    observed = np.random.default_rng(2).normal(0.2, 1, size=50)
    ids = np.tile(np.arange(50), 3)
    assert rows_needed(np.tile(observed, 3), ids) == rows_needed(observed)


def test_no_effect_needs_no_number_of_rows():
    assert rows_needed([0.0, 0.0]) is None
    assert rows_needed([0.1, -0.1, math.nan]) is None
    assert rows_needed([]) is None
    assert rows_needed([math.nan]) is None
