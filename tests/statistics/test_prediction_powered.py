"""Few labels by people, many by a judge: by hand, by simulation, and never worse than the people alone."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from bench.ratings import powered
from workbench.statistics import prediction_powered_difference, prediction_powered_mean

NAN = math.nan


def labels(n: int, judged: int, seed: int, agrees: float = 0.8) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    people = rng.normal(3, 1, n + judged)
    judge = agrees * people + math.sqrt(1 - agrees**2) * rng.normal(size=n + judged) + 0.5
    people[n:] = NAN
    return people, judge


def test_numbers_worked_by_hand():
    # Y = 1 2 3 4, f = 1 2 3 6 on them, f' = 2 4 6 8 alone
    human, judge = [1, 2, 3, 4, NAN, NAN, NAN, NAN], [1, 2, 3, 6, 2, 4, 6, 8]
    plain = prediction_powered_mean(human, judge, trust=1)
    assert plain.value == pytest.approx(2.5 + (5 - 3))  # PPI: the judge's mean less its bias
    # Σ(Y-2.5)(f-3) = 8, Σ(f-3)² = 14, Σ(f'-5)² = 20; λ = (8/16) / (14/16 + 20/16) = 8/34
    tuned = prediction_powered_mean(human, judge)
    assert tuned.trust == pytest.approx(8 / 34)
    assert tuned.value == pytest.approx(2.5 + 8 / 34 * 2)
    # variance Σ(u + λv)² · n/(n-2) = (5/16 - (8/16)² / (34/16)) · 2
    half = stats.t.ppf(0.975, 2) * math.sqrt((5 / 16 - (0.5**2) / (34 / 16)) * 2)
    assert tuned.high - tuned.value == pytest.approx(half)
    assert (tuned.n, tuned.judged) == (4, 4) and tuned.judge == pytest.approx(4.0)


def test_people_alone_are_students_interval():
    people = [3.0, 4, 2, 5, 4]
    low, high = stats.t.interval(0.95, 4, np.mean(people), stats.sem(people))
    for found in (
        prediction_powered_mean(people, [1.0] * 5),
        prediction_powered_mean([*people, NAN], [1, 2, 1, 2, 1, 2], trust=0),
    ):
        assert (found.low, found.high) == pytest.approx((low, high), rel=1e-3)
        assert (found.human_low, found.human_high) == (found.low, found.high)
        assert found.trust == 0 and found.worth == pytest.approx(5)


def test_trust_is_near_that_of_the_paper_and_makes_the_interval_least():
    people, judge = labels(20_000, 40_000, 1)
    found = prediction_powered_mean(people, judge)
    both = ~np.isnan(people)
    paper = np.cov(people[both], judge[both])[0, 1] / (1.5 * np.var(judge))
    assert found.trust == pytest.approx(paper, rel=0.03)
    for other in (found.trust - 0.1, found.trust + 0.1, 0, 1):
        less = prediction_powered_mean(people, judge, trust=other)
        assert less.high - less.low > found.high - found.low


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10_000), scale=st.floats(0.01, 100), shift=st.floats(-50, 50))
def test_the_scale_and_the_bias_of_the_judge_change_nothing(seed, scale, shift):
    people, judge = labels(12, 60, seed)
    found, other = (prediction_powered_mean(people, f) for f in (judge, scale * judge + shift))
    assert (other.value, other.low, other.high) == pytest.approx((found.value, found.low, found.high))
    turned = prediction_powered_mean(people, -judge)
    assert turned.value == pytest.approx(found.value)


@pytest.mark.parametrize(("n", "agrees"), [(20, 0.0), (20, 0.9), (100, 0.6)])
def test_it_covers_and_is_no_wider_than_people_alone(n, agrees):
    held, width, worth = powered(n, 500, agrees, 400)
    assert 95 - 3 * 100 * math.sqrt(0.05 * 0.95 / 400) <= held
    assert width <= 1.04 and worth >= n
    if agrees == 0.9:
        assert width < 0.6


def test_the_difference_of_two_cells_pairs_what_was_labelled_for_both():
    rng = np.random.default_rng(2)
    row = rng.normal(size=300)
    first, second = row + 0.3 * rng.normal(size=300), row + 0.4 + 0.3 * rng.normal(size=300)
    judges = first + 0.3 * rng.normal(size=300), second + 0.3 * rng.normal(size=300) + 1
    hidden = np.arange(300) >= 40
    people = [np.where(hidden, NAN, column) for column in (first, second)]
    found = prediction_powered_difference(people[0], judges[0], people[1], judges[1])
    alone = prediction_powered_mean(people[1] - people[0], judges[1] - judges[0])
    assert found.value == pytest.approx(alone.value)
    assert (found.low, found.high) == pytest.approx((alone.low, alone.high))
    assert found.judge - found.value > 0.8  # the second judge is a point too kind, and it is taken off
    swapped = prediction_powered_difference(people[1], judges[1], people[0], judges[0])
    assert (swapped.low, swapped.high) == pytest.approx((-found.high, -found.low))


def test_cells_labelled_on_different_rows_are_compared_as_independent():
    first, judge = labels(30, 100, 3, 0.0)
    second, other = labels(30, 100, 4, 0.0)
    second, other = np.roll(second, 40), np.roll(other, 40)
    found = prediction_powered_difference(first, judge, second, other, trust=0)
    a, b = first[~np.isnan(first)], second[~np.isnan(second)]
    half = stats.t.ppf(0.975, 29) * math.sqrt(a.var(ddof=1) / 30 + b.var(ddof=1) / 30)
    assert found.value == pytest.approx(b.mean() - a.mean())
    assert found.high - found.value == pytest.approx(half, rel=1e-4)


def test_without_people_or_with_few_there_is_no_interval_and_the_judge_stands():
    nobody = prediction_powered_mean([NAN] * 3, [4, 5, 6])
    assert math.isnan(nobody.value) and nobody.judge == 5 and (nobody.n, nobody.judged) == (0, 3)
    one = prediction_powered_mean([4, NAN, NAN], [4, 5, 6])
    assert one.value == 4 and math.isnan(one.low) and one.trust == 0
    three = prediction_powered_mean([4, 3, 5, NAN], [4, 2, 5, 1])
    assert three.trust == 0 and three.low == three.human_low < 4  # too few to tune
    nothing = prediction_powered_mean([], [])
    assert math.isnan(nothing.value) and math.isnan(nothing.judge)


def test_columns_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="do not fit"):
        prediction_powered_mean([1, 2], [1])
    with pytest.raises(ValueError, match="same rows"):
        prediction_powered_difference([1], [1], [1, 2], [1, 2])
