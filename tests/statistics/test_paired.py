"""Paired comparisons: against other implementations, under the null, and by symmetry."""

from __future__ import annotations

import math
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize, stats
from statsmodels.stats.contingency_tables import mcnemar

from workbench.statistics import (
    compare_corpus,
    compare_paired,
    mcnemar_exact,
    paired_bootstrap,
    permutation_test,
    tango,
)


def ratio(sums):
    return sums[..., 0] / sums[..., 1]


@pytest.mark.parametrize(
    ("b", "c"), [(0, 0), (0, 1), (1, 7), (5, 15), (10, 10), (10, 11), (300, 340), (0, 900)]
)
def test_mcnemar_equals_statsmodels(b, c):
    expected = mcnemar([[10, b], [c, 10]], exact=True).pvalue
    assert mcnemar_exact(b, c) == pytest.approx(min(1.0, expected), rel=1e-9)


def test_mcnemar_takes_large_counts():
    b, c = 1_000_000, 1_005_000
    assert mcnemar_exact(b, c) == pytest.approx(stats.binomtest(b, b + c).pvalue, rel=1e-6)


@settings(deadline=None)
@given(st.integers(0, 500), st.integers(0, 500))
def test_mcnemar_is_a_probability_and_blind_to_which_is_which(b, c):
    assert 0 <= mcnemar_exact(b, c) <= 1
    assert mcnemar_exact(b, c) == mcnemar_exact(c, b)


def test_tango_gives_the_published_interval():
    """Airway hyper-responsiveness before and after transplantation, in Fagerland et al. 2014."""
    assert tango(7, 1, 21) == pytest.approx((-0.517, -0.026), abs=5e-4)


def test_tango_bounds_are_where_the_restricted_likelihood_says():
    b, c, n = 4, 11, 60

    def score(d):
        def loss(q):
            shares = (q, q + d, 1 - 2 * q - d)
            return -sum(k * math.log(max(s, 1e-300)) for k, s in zip((b, c, n - b - c), shares))

        low, high = max(0.0, -d), (1 - d) / 2
        q = optimize.minimize_scalar(loss, bounds=(low, high), options={"xatol": 1e-12}).x
        return (c - b - n * d) / math.sqrt(n * (2 * q + d - d * d))

    for bound, z in zip(tango(b, c, n), (1.959964, -1.959964), strict=True):
        assert score(bound) == pytest.approx(z, abs=1e-4)


def test_tango_covers_the_true_difference_in_small_samples():
    rng = np.random.default_rng(8)
    draws = rng.multinomial(25, [0.05, 0.25, 0.70], size=3000)
    hits = sum(low <= 0.2 <= high for low, high in (tango(b, c, 25) for b, c, _ in draws))
    assert 0.935 <= hits / 3000 <= 0.975


@settings(deadline=None)
@given(st.integers(0, 30), st.integers(0, 30), st.integers(0, 30))
def test_tango_holds_the_difference_and_mirrors(b, c, same):
    n = b + c + same
    if n == 0:
        assert all(map(math.isnan, tango(0, 0, 0)))
        return
    low, high = tango(b, c, n)
    assert -1 <= low <= (c - b) / n + 1e-12 and (c - b) / n - 1e-12 <= high <= 1
    assert tango(c, b, n) == pytest.approx((-high, -low), abs=1e-9)


def test_few_differences_are_permuted_exactly():
    differences = np.array([0.3, -0.1, 0.25, 0.4, 0.0, 0.2, -0.05])
    moved = differences[differences != 0]
    sums = [abs(np.dot(signs, moved)) for signs in product((1, -1), repeat=len(moved))]
    expected = np.mean(np.array(sums) >= moved.sum() - 1e-12)
    assert permutation_test(differences) == pytest.approx(expected)


def test_the_permutation_test_agrees_with_scipy():
    differences = np.random.default_rng(4).normal(0.12, 1, size=200)
    theirs = stats.permutation_test(
        (differences,), np.mean, permutation_type="samples", n_resamples=10_000, rng=0
    ).pvalue
    assert permutation_test(differences) == pytest.approx(theirs, abs=0.015)


def test_on_right_or_wrong_scores_the_permutation_test_is_mcnemar():
    differences = np.repeat([1.0, -1.0, 0.0], [30, 18, 100])
    assert permutation_test(differences, permutations=100_000) == pytest.approx(
        mcnemar_exact(18, 30), abs=0.005
    )


def test_the_permutation_test_keeps_its_level_under_the_null():
    rng = np.random.default_rng(6)
    ids = np.repeat(np.arange(25), 4)
    rejected = 0
    for trial in range(500):
        shared = np.repeat(rng.normal(size=25), 4)
        p = permutation_test(shared + rng.normal(size=100), ids, permutations=400, seed=trial)
        rejected += p < 0.05
    assert 0.02 <= rejected / 500 <= 0.08


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=2, max_size=40))
def test_swapping_the_two_systems_mirrors_the_comparison(pairs):
    first, second = map(list, zip(*pairs, strict=True))
    there, back = compare_paired(first, second), compare_paired(second, first)
    assert back.difference == pytest.approx(-there.difference)
    assert (back.n, back.differing) == (there.n, there.differing)
    assert back.p == pytest.approx(there.p, abs=0.03)
    width = there.high - there.low
    assert back.low == pytest.approx(-there.high, abs=0.1 * width + 1e-9)
    assert back.high == pytest.approx(-there.low, abs=0.1 * width + 1e-9)


def test_binary_scores_get_mcnemar_and_tango():
    baseline = [1] * 5 + [0] * 15 + [1] * 30 + [0] * 10
    candidate = [0] * 5 + [1] * 15 + [1] * 30 + [0] * 10
    comparison = compare_paired(baseline, candidate)
    assert comparison.difference == pytest.approx(10 / 60)
    assert comparison.p == mcnemar_exact(5, 15)
    assert (comparison.low, comparison.high) == tango(5, 15, 60)
    assert (comparison.n, comparison.differing) == (60, 20)


def test_only_rows_that_both_scored_are_compared():
    comparison = compare_paired([1, math.nan, 0, 0], [1, 1, math.nan, 1])
    assert (comparison.n, comparison.difference) == (2, 0.5)
    nothing = compare_paired([math.nan], [1.0])
    assert nothing.n == 0 and math.isnan(nothing.p)


def test_repeats_do_not_make_a_difference_surer():
    rng = np.random.default_rng(2)
    baseline, candidate = rng.random(40), rng.random(40) + 0.1
    once = compare_paired(baseline, candidate)
    ids = np.tile(np.arange(40), 5)
    five = compare_paired(np.tile(baseline, 5), np.tile(candidate, 5), ids)
    assert five.p == pytest.approx(once.p, abs=0.02)
    assert (five.low, five.high) == pytest.approx((once.low, once.high), abs=0.02)


def test_the_paired_interval_covers_the_true_difference():
    rng = np.random.default_rng(12)
    hits = 0
    for trial in range(500):
        interval = paired_bootstrap(rng.normal(0.3, 1, size=20), resamples=500, seed=trial)
        hits += interval.low <= 0.3 <= interval.high
    assert 0.92 <= hits / 500 <= 0.98


def test_a_corpus_comparison_of_a_mean_is_the_paired_comparison():
    rng = np.random.default_rng(1)
    first, second = rng.random(80), rng.random(80) + 0.05
    ones = np.ones(80)
    corpus = compare_corpus(np.column_stack([first, ones]), np.column_stack([second, ones]), ratio)
    rows = compare_paired(first, second)
    assert corpus.difference == pytest.approx(rows.difference)
    assert corpus.p == pytest.approx(rows.p, abs=0.02)
    assert (corpus.low, corpus.high) == pytest.approx((rows.low, rows.high), abs=0.02)


def test_approximate_randomisation_keeps_its_level_under_the_null():
    rng = np.random.default_rng(7)
    rejected = 0
    for trial in range(300):
        lengths = rng.integers(5, 30, size=(40, 1))
        stats_of = [np.hstack([rng.binomial(lengths, 0.4), lengths]).astype(float) for _ in range(2)]
        comparison = compare_corpus(*stats_of, ratio, seed=trial, permutations=300, resamples=10)
        rejected += comparison.p < 0.05
    assert 0.02 <= rejected / 300 <= 0.085


def test_a_system_compared_with_itself_shows_no_difference():
    stats_of = np.random.default_rng(3).random((30, 2)) + 0.1
    comparison = compare_corpus(stats_of, stats_of, ratio)
    assert (comparison.difference, comparison.low, comparison.high) == (0, 0, 0)
    assert (comparison.p, comparison.differing) == (1.0, 0)
    assert permutation_test(np.zeros(9)) == 1.0
