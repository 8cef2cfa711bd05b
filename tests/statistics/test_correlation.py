"""Metrics against people: rank correlations against scipy, and how often both prefer the same output."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from workbench.statistics import kendall, pairwise_accuracy, spearman, wilson

BOTH = [(spearman, stats.spearmanr), (kendall, stats.kendalltau)]
NAN = math.nan


def columns(n: int, seed: int, graded: bool) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    first = rng.normal(size=n)
    second = first + rng.normal(size=n)
    return (first, second) if graded else (np.round(first), np.round(2 * second))


@pytest.mark.parametrize(("ours", "theirs"), BOTH)
@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10_000), n=st.integers(3, 60), graded=st.booleans())
def test_it_is_what_scipy_computes_ties_included(ours, theirs, seed, n, graded):
    first, second = columns(n, seed, graded)
    if len(set(first)) > 1 and len(set(second)) > 1:
        found = ours(first, second, resamples=2)
        assert found.value == pytest.approx(theirs(first, second).statistic) and found.n == n


@pytest.mark.parametrize(("ours", "theirs"), BOTH)
def test_with_more_values_than_fit_a_table_it_still_is(ours, theirs):
    first, second = columns(1500, 1, True)
    found = ours(first, second, resamples=200)
    assert found.value == pytest.approx(theirs(first, second).statistic)
    slow = stats.bootstrap(
        (first, second),
        lambda a, b: theirs(a, b).statistic,
        paired=True,
        vectorized=False,
        n_resamples=100,
        method="percentile",
        rng=1,
    ).confidence_interval
    assert found.high - found.low == pytest.approx(slow.high - slow.low, rel=0.3)


@pytest.mark.parametrize(("ours", "theirs"), BOTH)
def test_the_interval_is_the_bootstrap_of_scipy(ours, theirs):
    first, second = columns(60, 2, True)
    found = ours(first, second, resamples=4000)
    slow = stats.bootstrap(
        (first, second),
        lambda a, b: theirs(a, b).statistic,
        paired=True,
        vectorized=False,
        n_resamples=600,
        method="percentile",
        rng=1,
    ).confidence_interval
    assert found.low == pytest.approx(slow.low, abs=0.05) and found.high == pytest.approx(slow.high, abs=0.05)


@pytest.mark.parametrize("ours", [spearman, kendall])
def test_repeats_of_a_row_are_no_more_rows(ours):
    first, second = columns(80, 3, True)
    once = ours(first, second)
    again = ours(np.repeat(first, 4), np.repeat(second, 4), np.repeat(np.arange(80), 4))
    pretended = ours(np.repeat(first, 4), np.repeat(second, 4))
    assert again.high - again.low == pytest.approx(once.high - once.low, rel=0.1)
    assert pretended.high - pretended.low < 0.65 * (once.high - once.low)


@pytest.mark.parametrize("ours", [spearman, kendall])
def test_order_and_scale_change_nothing_and_a_turned_metric_turns_it(ours):
    first, second = columns(50, 4, False)
    found, order = ours(first, second), np.random.default_rng(5).permutation(50)
    assert ours(np.exp(first[order]), 3 * second[order] - 1) == found
    assert ours(-first, second).value == pytest.approx(-found.value)
    assert ours(np.append(first, np.inf), np.append(second, 9)) == ours([*first, 1e9], [*second, 9])
    with_gap = ours(np.append(first, [NAN, 1]), np.append(second, [0, NAN]))
    assert with_gap == found


@pytest.mark.parametrize("ours", [spearman, kendall])
def test_columns_that_do_not_vary_or_are_empty_have_no_correlation(ours):
    assert math.isnan(ours([1, 1, 1], [1, 2, 3]).value)
    nothing = ours([NAN, 1], [1, NAN])
    assert math.isnan(nothing.value) and nothing.n == 0
    alike = ours(range(10), range(10))
    assert alike.value == pytest.approx(1) and 0 < alike.low < 1
    with pytest.raises(ValueError, match="same length"):
        ours([1, 2], [1])


@pytest.mark.parametrize("ours", [spearman, kendall])
def test_where_all_hangs_on_one_observation_there_is_no_interval(ours):
    # a third of the resamples leave it out and have no value; the others would never reach 0
    one_apart = [0.0] * 20 + [1.0]
    found = ours(one_apart, range(21))
    assert found.value > 0 and math.isnan(found.low) and math.isnan(found.high)
    assert not math.isnan(ours([0.0] * 20 + [1.0] * 8, range(28)).low)


def test_accuracy_is_the_share_of_decided_pairs_that_the_metric_decides_likewise():
    first, second = [0.9, 0.1, 0.5, 0.2, 0.7, NAN], [0.1, 0.9, 0.5, 0.4, 0.2, 1]
    found = pairwise_accuracy(first, second, [1, 0, 1, 1, 0.5, 1])
    assert found.mean == pytest.approx((1 + 1 + 0.5 + 0) / 4) and found.n == 4
    turned = pairwise_accuracy(second, first, [0, 1, 0, 0, 0.5, 0])
    assert turned == found


def test_its_interval_is_wilsons_with_pairs_of_a_row_counted_together():
    rng = np.random.default_rng(6)
    right = rng.random(100) < 0.8
    plain = pairwise_accuracy(right, ~right, np.ones(100))
    assert (plain.low, plain.high) == pytest.approx(wilson(right.sum(), 100))
    four = np.repeat(right, 4)
    clustered = pairwise_accuracy(four, ~four, np.ones(400), np.repeat(np.arange(100), 4))
    assert clustered.mean == plain.mean
    assert clustered.high - clustered.low == pytest.approx(plain.high - plain.low, rel=0.05)


def test_preferences_that_are_none_are_refused_and_no_pairs_are_nothing():
    assert pairwise_accuracy([], [], []).n == 0
    assert math.isnan(pairwise_accuracy([1], [0], [0.5]).mean)
    with pytest.raises(ValueError, match="preference"):
        pairwise_accuracy([1], [0], [2])
    with pytest.raises(ValueError, match="same length"):
        pairwise_accuracy([1], [0, 1], [1])
