"""What holds whatever the scores: containment, monotony, symmetry, scale; and a result for bad ones."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.statistics import (
    bootstrap_mean,
    bootstrap_statistic,
    compare_corpus,
    compare_paired,
    gain_per_doubling,
    non_inferiority,
    paired_bootstrap,
    permutation_test,
    proportion,
    rows_needed,
    verdict,
)

INF, NAN = math.inf, math.nan
columns = st.lists(
    st.one_of(st.sampled_from([0.0, 0.25, 1.0]), st.floats(-100, 100).map(lambda x: round(x, 3))),
    min_size=2,
    max_size=30,
)
few = settings(max_examples=40, deadline=None)


def ratio(sums):
    return sums[..., 0] / sums[..., 1]


@few
@given(columns, st.floats(0.5, 0.97))
def test_more_confidence_never_narrows_an_interval_and_it_holds_the_mean(values, confidence):
    narrow = bootstrap_mean(values, confidence=confidence, resamples=300)
    wide = bootstrap_mean(values, confidence=(1 + confidence) / 2, resamples=300)
    assert wide.low <= narrow.low <= narrow.mean <= narrow.high <= wide.high


@few
@given(columns, st.randoms(use_true_random=False))
def test_the_order_of_rows_changes_nothing(values, random):
    shuffled = list(values)
    random.shuffle(shuffled)
    one, other = bootstrap_mean(values, resamples=300), bootstrap_mean(shuffled, resamples=300)
    scale = max(map(abs, values)) or 1.0
    assert (one.low, one.high) == pytest.approx((other.low, other.high), abs=1e-6 * scale)


@few
@given(columns, columns)
def test_swapping_baseline_and_candidate_mirrors_the_comparison(first, second):
    size = min(len(first), len(second))
    there = compare_paired(first[:size], second[:size])
    back = compare_paired(second[:size], first[:size])
    assert back.difference == -there.difference
    assert (back.low, back.high) == pytest.approx((-there.high, -there.low), abs=1e-9)
    assert back.p == pytest.approx(there.p, abs=0.03)


@few
@given(columns, st.sampled_from([1e-6, 0.1, 7.0, 1e6]))
def test_another_unit_scales_the_interval(values, unit):
    one = bootstrap_mean(values, resamples=300)
    other = bootstrap_mean([value * unit for value in values], resamples=300)
    slack = 1e-6 * unit * (max(map(abs, values)) or 1.0)
    assert (other.low, other.high) == pytest.approx((one.low * unit, one.high * unit), abs=slack)


def test_all_rows_tied_within_known_bounds_is_no_certainty():
    z = 1.959964
    share = z**2 / (40 + z**2)
    top, middle = bootstrap_mean([1.0] * 40, bounds=(0, 1)), bootstrap_mean([3.0] * 40, bounds=(1, 5))
    assert (top.low, top.high) == pytest.approx((1 - share, 1.0), abs=1e-6)
    assert (middle.low, middle.high) == pytest.approx((3 - 2 * share, 3 + 2 * share), abs=1e-6)
    assert (bootstrap_mean([1.0] * 40).low, bootstrap_mean([1.0] * 40).high) == (1.0, 1.0)
    repeated = bootstrap_mean([1.0] * 40, np.arange(40) // 4, bounds=(0, 1))
    assert repeated.low == pytest.approx(1 - z**2 / (10 + z**2), abs=1e-6)  # ten rows, not forty
    corpus = bootstrap_statistic(np.ones((40, 2)), ratio, bounds=(0, 1))
    assert corpus.low == pytest.approx(1 - share, abs=1e-6)


@pytest.mark.parametrize("values", [[INF, 1.0, 2.0], [INF, -INF], [INF], [-INF, NAN, 3.0]])
def test_an_infinite_score_gives_a_mean_without_bounds(values):
    estimate = bootstrap_mean(values)
    assert not math.isfinite(estimate.mean)
    assert math.isnan(estimate.low) and math.isnan(estimate.high)
    assert estimate.n == sum(not math.isnan(value) for value in values)
    assert not math.isfinite(proportion(values).mean)
    corpus = bootstrap_statistic(np.column_stack([values, np.ones(len(values))]), ratio)
    assert not math.isfinite(corpus.mean) and math.isnan(corpus.low)


def test_infinite_scores_are_compared_without_a_verdict():
    one_sided = compare_paired([1.0, 2.0, 3.0], [1.5, INF, 3.0])
    assert one_sided.difference == INF and math.isnan(one_sided.p) and math.isnan(one_sided.low)
    assert verdict(one_sided, one_sided.p) == "undecided"
    both = compare_paired([INF, 2.0, 3.0], [INF, 2.5, 3.5])
    assert both.difference == pytest.approx(1 / 3) and math.isfinite(both.low)


def test_one_infinite_row_leaves_every_other_function_defined_too():
    rows = np.column_stack([[INF, 1.0, 2.0], np.ones(3)])
    compared = compare_corpus(rows, np.ones((3, 2)), ratio)
    assert compared.difference == -INF and math.isnan(compared.p) and compared.n == 3
    assert not non_inferiority([INF, 0.0, 0.1], 0.1).accepted
    assert math.isnan(gain_per_doubling([[1.0, 2.0], [INF, 3.0]], [1, 2]).low)
    assert rows_needed([INF, 0.5]) is None
    assert math.isnan(permutation_test([INF, 0.5]))


@pytest.mark.parametrize("values", [[], [NAN], [NAN] * 5])
def test_nothing_scored_is_defined_everywhere(values):
    assert bootstrap_mean(values).n == proportion(values).n == 0
    assert compare_paired(values, values).n == 0
    assert math.isnan(permutation_test(values))
    assert rows_needed(values) is None
    assert math.isnan(paired_bootstrap(values).low)
    assert non_inferiority(values, 0.1).n == 0
    table = np.full((len(values), 2), NAN)
    assert bootstrap_statistic(table, ratio).n == 0
    assert compare_corpus(table, table, ratio).n == 0
    assert gain_per_doubling([values, values], [1, 2]).n == 0


def test_one_row_and_one_cluster_have_a_mean_and_no_bootstrap_bounds():
    for clusters in (None, ["only"]):
        assert bootstrap_mean([0.4], clusters).mean == 0.4
        assert math.isnan(bootstrap_mean([0.4], clusters).low)
    together = bootstrap_mean([0.2, 0.4, 0.9], ["one"] * 3)
    assert together.mean == pytest.approx(0.5) and math.isnan(together.low)
    share = proportion([1, 0, 1], ["one"] * 3)
    assert 0 <= share.low < share.mean < share.high <= 1
    compared = compare_paired([0.1, 0.2], [0.4, 0.3], ["one"] * 2)
    assert compared.p == 1.0 and math.isnan(compared.low)
    assert verdict(compared, compared.p) == "undecided"


def test_a_corpus_score_that_is_undefined_without_some_row_still_has_an_interval():
    rows = np.array([[3.0, 0.0], [1.0, 0.0], [2.0, 8.0]])
    estimate = bootstrap_statistic(rows, ratio, bounds=(0, 10))
    assert estimate.mean == 0.75 and 0 <= estimate.low <= 0.75 <= estimate.high <= 10


@pytest.mark.parametrize("scores", ["right or wrong", "graded"])
def test_equal_systems_with_five_identical_repeats_are_called_different_as_seldom_as_promised(scores):
    rng, runs, wrong, naive = np.random.default_rng(6), 600, 0, 0
    clusters = np.repeat(np.arange(40), 5)
    for trial in range(runs):
        pair = rng.random((2, 40))
        pair = np.repeat((pair < 0.5).astype(float) if scores == "right or wrong" else pair, 5, axis=1)
        wrong += permutation_test(pair[1] - pair[0], clusters, permutations=400, seed=trial) < 0.05
        naive += permutation_test(pair[1] - pair[0], permutations=400, seed=trial) < 0.05
    noise = 3 * math.sqrt(0.05 * 0.95 / runs)
    assert 0.01 <= wrong / runs <= 0.05 + noise
    assert naive / runs > 0.25
