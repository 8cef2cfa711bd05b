"""Not worse by more than a margin: against other implementations, and how often it is wrong at the margin."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import optimize, stats

from workbench.statistics import (
    compare_corpus,
    gain_per_doubling,
    non_inferiority,
    non_inferiority_of,
    rows_for_margin,
    tango,
)


def differences_of(worse: int, better: int, n: int) -> np.ndarray:
    return np.repeat([-1.0, 1.0, 0.0], [worse, better, n - worse - better])


def score_statistic(worse: int, better: int, n: int, delta: float) -> float:
    """The restricted score test for p(better) - p(worse) = delta, its nuisance found by optimisation."""

    def negative_log_likelihood(q: float) -> float:
        shares = (q, q + delta, 1 - 2 * q - delta)
        counts = (worse, better, n - worse - better)
        return -sum(count * math.log(max(share, 1e-300)) for count, share in zip(counts, shares))

    lowest, highest = max(0.0, -delta), (1 - delta) / 2
    q = optimize.minimize_scalar(
        negative_log_likelihood, bounds=(lowest, highest), method="bounded", options={"xatol": 1e-12}
    ).x
    return (better - worse - n * delta) / math.sqrt(n * (2 * q + delta * (1 - delta)))


@pytest.mark.parametrize(("worse", "better", "n"), [(12, 9, 200), (3, 0, 80), (40, 60, 500), (1, 1, 30)])
def test_the_bound_is_where_the_one_sided_score_test_stops_rejecting(worse, better, n):
    found = non_inferiority(differences_of(worse, better, n), margin=0.05, confidence=0.95)
    assert score_statistic(worse, better, n, -found.shortfall_high) == pytest.approx(
        stats.norm.ppf(0.95), abs=1e-4
    )
    assert found.shortfall == pytest.approx((worse - better) / n)


def test_no_difference_seen_is_not_certainty():
    z = stats.norm.ppf(0.95)
    for n in (10, 132, 133):
        found = non_inferiority(np.zeros(n), margin=0.02)
        assert found.shortfall_high == pytest.approx(z**2 / (n + z**2))
        assert found.accepted is (n >= 133)
        assert found.rows_needed == (None if found.accepted else 133)
    repeated = non_inferiority(np.zeros(40), margin=0.2, clusters=np.arange(40) // 4)
    assert repeated.shortfall_high == pytest.approx(z**2 / (10 + z**2))  # ten rows, not forty
    graded = non_inferiority(np.r_[np.zeros(500), 0.25], margin=0.02)
    assert graded.accepted and graded.shortfall < 0


@pytest.mark.parametrize(
    ("worse", "better", "n"),
    [(0.12, 0.07, 100), (0.05, 0.0, 150), (0.30, 0.25, 400), (0.06, 0.01, 1000)],
)
def test_at_the_margin_a_right_or_wrong_candidate_is_accepted_as_seldom_as_promised(worse, better, n):
    margin, runs, confidence = worse - better, 4000, 0.95
    drawn = np.random.default_rng(11).multinomial(n, [worse, better, 1 - worse - better], size=runs)
    pairs, counts = np.unique(drawn[:, :2], axis=0, return_counts=True)
    accepted = sum(
        int(count)
        for (w, b), count in zip(pairs, counts)
        if non_inferiority(differences_of(int(w), int(b), n), margin + 1e-12, confidence).accepted
    )
    # the score test's own size may exceed its level a little for few discordant rows
    noise = 3 * math.sqrt(0.05 * 0.95 / runs)
    assert accepted / runs <= 0.05 + 0.012 + noise
    assert accepted / runs >= 0.015, "a test that never accepts keeps its level too"


@pytest.mark.parametrize("shape", ["normal", "skewed", "repeated"])
def test_at_the_margin_a_graded_candidate_is_accepted_as_seldom_as_promised(shape):
    rng, runs, n, margin = np.random.default_rng(4), 1200, 60, 0.1
    accepted = 0
    for _ in range(runs):
        clusters = None
        if shape == "normal":
            column = rng.normal(-margin, 0.3, n)
        elif shape == "skewed":
            column = 0.2 * (rng.exponential(1.0, n) - 1) - margin
        else:
            clusters = np.repeat(np.arange(n), 3)
            column = np.repeat(rng.normal(-margin, 0.3, n), 3) + rng.normal(0, 0.05, 3 * n)
        accepted += non_inferiority(column, margin, 0.95, clusters, resamples=400, seed=1).accepted
    noise = 3 * math.sqrt(0.05 * 0.95 / runs)
    slack = 0.02 if shape == "skewed" else 0.005
    assert accepted / runs <= 0.05 + slack + noise
    assert accepted / runs >= 0.02


@given(
    st.lists(st.sampled_from([-1.0, 0.0, 1.0]), min_size=1, max_size=60),
    st.floats(0.01, 0.9),
    st.floats(0.55, 0.99),
)
def test_more_margin_or_less_confidence_never_turns_a_candidate_away(column, margin, confidence):
    found = non_inferiority(column, margin, confidence)
    assert found.shortfall <= found.shortfall_high + 1e-9
    assert found.accepted == (found.shortfall_high < margin)
    if found.accepted:
        assert non_inferiority(column, margin + 0.05, confidence).accepted
        assert non_inferiority(column, margin, (confidence + 0.5) / 2).accepted


def test_the_bound_is_one_end_of_the_two_sided_interval_of_twice_the_tail():
    found = non_inferiority(differences_of(9, 4, 120), 0.1, confidence=0.975)
    assert found.shortfall_high == pytest.approx(-tango(9, 4, 120, 0.95).low)


def test_as_many_rows_as_are_said_to_be_needed_are_enough_about_as_often_as_stated():
    worse, better, margin = 0.06, 0.05, 0.05
    typical = differences_of(60, 50, 1000)
    n = rows_for_margin(typical, margin, 0.95, power=0.8)
    assert n is not None
    rng = np.random.default_rng(2)
    drawn = rng.multinomial(n, [worse, better, 1 - worse - better], size=800)
    accepted = [non_inferiority(differences_of(int(w), int(b), n), margin).accepted for w, b, _ in drawn]
    assert 0.72 <= np.mean(accepted) <= 0.88
    assert rows_for_margin(differences_of(60, 5, 1000), 0.05) is None  # it is worse by more than that


def test_nothing_compared_accepts_nothing():
    found = non_inferiority([math.nan, math.nan], 0.1)
    assert (found.n, found.accepted) == (0, False) and math.isnan(found.shortfall)
    assert rows_for_margin([], 0.1) is None


@pytest.mark.parametrize(("margin", "confidence"), [(0.0, 0.95), (-0.1, 0.95), (0.1, 0.5), (0.1, 1.0)])
def test_a_margin_or_confidence_that_means_nothing_is_refused(margin, confidence):
    with pytest.raises(ValueError, match="is a number"):
        non_inferiority([0.0, 1.0], margin, confidence)


def test_corpus_scores_are_judged_by_their_own_interval():
    rng = np.random.default_rng(5)
    best = np.column_stack([rng.random(200), np.ones(200)])
    candidate = best - np.array([0.02, 0.0])
    comparison = compare_corpus(best, candidate, lambda s: s[..., 0] / s[..., 1], confidence=0.9)
    found = non_inferiority_of(comparison, 0.03)
    assert found.shortfall == pytest.approx(0.02) and found.accepted
    assert not non_inferiority_of(comparison, 0.01).accepted


def test_the_gain_per_doubling_is_the_least_squares_slope_and_its_bootstrap():
    rng = np.random.default_rng(8)
    sizes = np.array([20.0, 21.3, 24.0])
    scores = (rng.random((3, 150)) < np.array([[0.3], [0.45], [0.6]])).astype(float)
    found = gain_per_doubling(scores, sizes, resamples=4000)
    assert found.mean == pytest.approx(np.polyfit(sizes, scores.mean(axis=1), 1)[0])
    drawn = rng.integers(0, 150, (4000, 150))
    slopes = [np.polyfit(sizes, scores[:, rows].mean(axis=1), 1)[0] for rows in drawn]
    assert found.low == pytest.approx(np.quantile(slopes, 0.025), abs=0.004)
    assert found.high == pytest.approx(np.quantile(slopes, 0.975), abs=0.004)


def test_rows_that_one_size_lacks_are_left_out_of_the_gain():
    scores = np.array([[0.0, 0.0, math.nan], [1.0, 0.0, 1.0]])
    found = gain_per_doubling(scores, [10, 12])
    assert (found.mean, found.n) == (0.25, 2)


def test_one_size_has_no_slope():
    assert math.isnan(gain_per_doubling([[0.0, 1.0]], [20]).mean)
    assert math.isnan(gain_per_doubling([[0.0, 1.0], [1.0, 1.0]], [20, 20]).mean)
    with pytest.raises(ValueError, match="do not fit"):
        gain_per_doubling([[0.0, 1.0]], [20, 21])
