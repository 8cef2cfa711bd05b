"""Intervals: against other implementations, by coverage in simulation, and by their properties."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.proportion import proportion_confint

from workbench.statistics import (
    bootstrap_mean,
    bootstrap_statistic,
    proportion,
    share_interval,
    wilson,
)
from workbench.statistics.quantiles import gamma_quantile, student_quantile
from workbench.statistics.resampling import resample_count, resampled_sums


def ratio(sums):
    return sums[..., 0] / sums[..., 1]


scores = st.lists(st.floats(-1e6, 1e6, allow_nan=False), min_size=2, max_size=40)


@pytest.mark.parametrize(("successes", "n"), [(0, 10), (1, 1), (7, 9), (71, 100), (10, 10), (3, 9999)])
@pytest.mark.parametrize("confidence", [0.8, 0.95, 0.99])
def test_wilson_equals_statsmodels(successes, n, confidence):
    expected = proportion_confint(successes, n, alpha=1 - confidence, method="wilson")
    assert wilson(successes, n, confidence) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize(("shape", "probability"), [(1, 0.05), (2, 0.05), (3, 0.01), (2.4, 0.2), (0.3, 0.5)])
def test_gamma_quantiles_equal_scipy(shape, probability):
    assert gamma_quantile(probability, shape) == pytest.approx(stats.gamma.ppf(probability, shape), rel=1e-9)


def coverage_of_shares(interval, n, shares):
    """Exact: the probability of the outcomes whose interval holds the share."""
    counts = np.arange(n + 1)
    low, high = np.array([interval(k, n) for k in counts]).T
    held = (low[:, None] <= shares + 1e-12) & (shares - 1e-12 <= high[:, None])
    return (stats.binom.pmf(counts[:, None], n, shares) * held).sum(axis=0)


@pytest.mark.parametrize("n", [30, 100])
def test_next_to_the_edges_a_share_is_held_where_wilsons_own_interval_fails(n):
    shares = np.linspace(0.0005, 0.9995, 2000)
    ours, plain = coverage_of_shares(share_interval, n, shares), coverage_of_shares(wilson, n, shares)
    assert plain.min() < 0.87
    assert ours.min() > 0.915
    assert 0.945 <= ours.mean() <= 0.96
    middle = (shares > 0.2) & (shares < 0.8)
    assert ours[middle] == pytest.approx(plain[middle])


@settings(deadline=None)
@given(st.integers(1, 300).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))), st.floats(0.5, 0.99))
def test_a_share_interval_holds_wilsons_mirrors_and_grows_with_confidence(counts, confidence):
    k, n = counts
    low, high = share_interval(k, n, confidence)
    inner = wilson(k, n, confidence)
    assert 0 <= low <= inner.low <= k / n <= inner.high <= high <= 1
    assert share_interval(n - k, n, confidence) == pytest.approx((1 - high, 1 - low), abs=1e-9)
    surer = share_interval(k, n, (1 + confidence) / 2)
    assert surer.low <= low and high <= surer.high


@settings(deadline=None)
@given(st.integers(1, 10_000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilson_holds_the_share_and_mirrors_when_right_and_wrong_swap(counts):
    k, n = counts
    low, high = wilson(k, n)
    assert 0 <= low <= k / n <= high <= 1
    assert wilson(n - k, n) == pytest.approx((1 - high, 1 - low), abs=1e-12)


def test_nothing_scored_is_nan_with_zero_rows():
    for estimate in (bootstrap_mean([]), bootstrap_mean([math.nan]), proportion([math.nan] * 3)):
        assert estimate.n == 0
        assert all(map(math.isnan, (estimate.mean, estimate.low, estimate.high)))


def test_one_value_has_a_mean_but_no_bootstrap_bounds():
    estimate = bootstrap_mean([0.4])
    assert (estimate.mean, estimate.n) == (0.4, 1)
    assert math.isnan(estimate.low) and math.isnan(estimate.high)


def test_unscored_values_change_nothing():
    values = [0.1, 0.9, 0.4, 0.3]
    with_gaps = [0.1, math.nan, 0.9, 0.4, math.nan, 0.3]
    assert bootstrap_mean(values) == bootstrap_mean(with_gaps)
    assert proportion([1, 0, 1]) == proportion([1, math.nan, 0, 1])


@settings(max_examples=60, deadline=None)
@given(scores)
def test_a_bootstrap_interval_holds_its_mean_and_stays_within_what_is_possible(values):
    bounds = (min(values), max(values))
    estimate = bootstrap_mean(values, resamples=500, bounds=bounds)
    slack = 1e-9 * max(map(abs, values))
    assert bounds[0] - slack <= estimate.low <= estimate.mean <= estimate.high <= bounds[1] + slack


def test_a_bootstrap_interval_agrees_with_the_bias_corrected_one_of_scipy():
    values = np.random.default_rng(3).gamma(2.0, size=300)
    ours = bootstrap_mean(values)
    theirs = stats.bootstrap((values,), np.mean, method="BCa", rng=1).confidence_interval
    width = theirs.high - theirs.low
    assert ours.low == pytest.approx(theirs.low, abs=0.05 * width)
    assert ours.high == pytest.approx(theirs.high, abs=0.05 * width)


@pytest.mark.parametrize("kind", ["mean", "corpus", "clusters"])
def test_a_bootstrap_interval_is_the_bootstrap_t_written_out_one_resample_at_a_time(kind):
    rng = np.random.default_rng(5)
    values = rng.lognormal(size=40)
    ids = np.repeat(np.arange(20), 2) if kind == "clusters" else None
    if kind == "corpus":
        found = bootstrap_statistic(np.column_stack([values, np.ones(40)]), ratio, resamples=4000)
    else:
        found = bootstrap_mean(values, ids, resamples=4000)
    units = values if ids is None else values.reshape(20, 2).mean(axis=1)
    m, spread = len(units), units.std(ddof=1)
    t = []
    for _ in range(4000):
        drawn = rng.choice(units, m)
        error = math.sqrt((drawn.var() + spread**2 / m) / m)
        t.append((drawn.mean() - units.mean()) / error)
    low, high = np.quantile(t, [0.025, 0.975])
    error = spread / math.sqrt(m)
    assert found.mean == pytest.approx(values.mean())
    assert found.low == pytest.approx(units.mean() - high * error, abs=0.2 * error)
    assert found.high == pytest.approx(units.mean() - low * error, abs=0.35 * error)


@pytest.mark.parametrize("n", [8, 30, 200])
def test_the_bootstrap_covers_the_true_mean_about_as_often_as_it_says(n):
    rng = np.random.default_rng(11)
    hits = 0
    for trial in range(600):
        estimate = bootstrap_mean(rng.beta(2, 3, size=n), resamples=600, seed=trial)
        hits += estimate.low <= 2 / 5 <= estimate.high
    assert 0.925 <= hits / 600 <= 0.98


def test_the_cluster_interval_covers_where_the_naive_one_does_not():
    rng = np.random.default_rng(5)
    rows, repeats = 40, 5
    ids = np.repeat(np.arange(rows), repeats)
    hits = {"clustered": 0, "naive": 0, "share": 0, "naive share": 0}
    for trial in range(400):
        chance = np.repeat(rng.beta(0.5, 0.5, size=rows), repeats)
        values = (rng.random(rows * repeats) < chance).astype(float)
        for name, estimate in {
            "clustered": bootstrap_mean(values, ids, resamples=400, seed=trial),
            "naive": bootstrap_mean(values, resamples=400, seed=trial),
            "share": proportion(values, ids),
            "naive share": proportion(values),
        }.items():
            hits[name] += estimate.low <= 0.5 <= estimate.high
    assert hits["clustered"] / 400 >= 0.925
    assert hits["share"] / 400 >= 0.925
    assert hits["naive"] / 400 < 0.85
    assert hits["naive share"] / 400 < 0.85


def test_identical_repeats_say_no_more_than_the_single_rows():
    values = np.random.default_rng(0).random(60)
    ids = np.tile(np.arange(60), 4)
    single, repeated = bootstrap_mean(values), bootstrap_mean(np.tile(values, 4), ids)
    assert repeated.mean == pytest.approx(single.mean)
    assert (repeated.low, repeated.high) == pytest.approx((single.low, single.high), abs=0.005)
    right = (values < 0.3).astype(float)
    one, four = proportion(right), proportion(np.tile(right, 4), ids)
    assert (four.low, four.high) == pytest.approx((one.low, one.high), abs=0.005)
    assert four.n == 240


def test_a_share_of_all_or_nothing_still_has_a_width_with_repeats():
    ids = np.repeat(np.arange(20), 3)
    estimate = proportion(np.ones(60), ids)
    assert estimate.high == 1.0
    assert estimate.low == pytest.approx(share_interval(20, 20).low)


def test_clusters_of_one_are_no_clusters():
    values = np.random.default_rng(1).random(50)
    names = [f"row-{i:02d}" for i in range(50)]
    clustered = bootstrap_mean(values, names)
    plain = bootstrap_mean(values)
    assert (clustered.low, clustered.high) == pytest.approx((plain.low, plain.high))
    right = values > 0.5
    assert proportion(right, names) == proportion(right)


def test_drawing_counts_of_distinct_units_has_the_distribution_of_drawing_units():
    values = np.repeat([[0.0], [0.3], [1.0]], [50, 150, 200], axis=0)
    rng = np.random.default_rng(2)
    counted = resampled_sums(values, 4000, rng)[:, 0]
    drawn = values[rng.integers(0, 400, (4000, 400)), 0].sum(axis=1)
    assert stats.ks_2samp(counted, drawn).pvalue > 0.01


def test_many_columns_are_resampled_like_few():
    rng = np.random.default_rng(4)
    units = rng.random((200, 6))
    wide = resampled_sums(units, 3000, rng)
    narrow = np.column_stack([resampled_sums(units[:, [i]], 3000, rng)[:, 0] for i in range(6)])
    assert wide.mean(axis=0) == pytest.approx(units.sum(axis=0), rel=0.01)
    assert wide.std(axis=0) == pytest.approx(narrow.std(axis=0), rel=0.08)


def test_a_corpus_statistic_comes_from_sums_and_skips_unscored_rows():
    rows = np.array([[1.0, 2.0], [math.nan, math.nan], [3.0, 10.0], [2.0, 4.0]])
    estimate = bootstrap_statistic(rows, ratio, bounds=(0.3, 0.5))
    assert estimate.mean == pytest.approx(6 / 16)
    assert estimate.n == 3
    assert 0.3 <= estimate.low <= estimate.mean <= estimate.high <= 0.5


def test_the_same_seed_gives_the_same_interval():
    values = np.random.default_rng(9).random(100)
    assert bootstrap_mean(values, seed=1) == bootstrap_mean(values, seed=1)
    assert bootstrap_mean(values, seed=1) != bootstrap_mean(values, seed=2)


def test_resamples_fall_with_many_rows_but_not_below_two_thousand():
    assert resample_count(100, None) == 10_000
    assert resample_count(4_000, None) == 5_000
    assert resample_count(10**6, None) == 2_000
    assert resample_count(10**6, 77) == 77


@pytest.mark.parametrize("confidence", [0.0, 1.0, 95, -1])
def test_a_confidence_outside_zero_to_one_is_refused(confidence):
    with pytest.raises(ValueError, match="between 0 and 1"):
        bootstrap_mean([0.1, 0.2], confidence=confidence)
    with pytest.raises(ValueError, match="between 0 and 1"):
        wilson(1, 2, confidence)


@pytest.mark.parametrize(("freedom", "tolerance"), [(1, 1e-9), (2, 1e-9), (3, 0.01), (10, 1e-4), (200, 1e-9)])
def test_student_quantiles_agree_with_scipy(freedom, tolerance):
    assert student_quantile(0.975, freedom) == pytest.approx(stats.t.ppf(0.975, freedom), rel=tolerance)
