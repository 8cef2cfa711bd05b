"""Rankings of pairwise ratings: against published figures, other packages and slow maximum likelihood."""

from __future__ import annotations

import math
import time

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize

from bench import ratings as drawn
from workbench.statistics import bradley_terry, most_uncertain_pairs
from workbench.statistics.davidson import Fitted, PairCounts, fit

# American League East, 1987: how often the team of the line beat that of the column
TEAMS = ["Milwaukee", "Detroit", "Toronto", "New York", "Boston", "Cleveland", "Baltimore"]
BASEBALL = np.array(
    [
        [0, 7, 9, 7, 7, 9, 11],
        [6, 0, 7, 5, 11, 9, 9],
        [4, 6, 0, 7, 7, 8, 12],
        [6, 8, 6, 0, 6, 7, 10],
        [6, 2, 6, 7, 0, 7, 12],
        [4, 4, 5, 6, 6, 0, 6],
        [2, 4, 1, 3, 1, 7, 0],
    ]
)
# Agresti, Categorical Data Analysis, and the vignette of BradleyTerry2: log abilities, Baltimore being 0
ABILITY = [1.5814, 1.4364, 1.2945, 1.2476, 1.1077, 0.6839, 0.0]
WIDE = 1000.0  # a prior that says nothing: maximum likelihood


def wins(table: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    first, second = (np.repeat(place, table[table > 0]) for place in np.nonzero(table))
    return first, second, np.ones(len(first))


def slowly(first, second, outcome, cells: int, spread: float = 3.0) -> tuple[np.ndarray, float]:
    """Davidson's model by a general optimiser, one rating at a time."""

    def loss(parameters):
        strength, log_tie = parameters[:-1], parameters[-1]
        one, two = strength[first], strength[second]
        middle = log_tie + (one + two) / 2
        chosen = np.where(outcome == 1, one, np.where(outcome == 0, two, middle))
        said = chosen - np.logaddexp(np.logaddexp(one, two), middle)
        return -said.sum() + (parameters**2).sum() / (2 * spread**2)

    found = optimize.minimize(loss, np.zeros(cells + 1), method="BFGS", options={"gtol": 1e-7}).x
    return found[:-1] - found[:-1].mean(), math.exp(found[-1])


def test_the_published_abilities_of_the_baseball_teams():
    found = bradley_terry(*wins(BASEBALL), spread=WIDE, resamples=50)
    assert found.strength - found.strength[-1] == pytest.approx(ABILITY, abs=1e-4)
    assert found.tie == 0 and found.finite and found.connected


def test_without_ties_it_is_a_logistic_regression():
    first, second, outcome = drawn.preferences(np.array([0.8, 0.1, -0.2, -0.7]), 0.0, 300, seed=1)
    table = np.zeros((300, 4))
    table[np.arange(300), first], table[np.arange(300), second] = 1, -1
    theirs = sm.GLM(outcome, table[:, 1:], family=sm.families.Binomial()).fit()
    ours = bradley_terry(first, second, outcome, spread=WIDE, resamples=500)
    assert (ours.strength - ours.strength[0])[1:] == pytest.approx(theirs.params, abs=1e-5)


@pytest.mark.parametrize("spread", [1.0, 3.0])
def test_with_ties_it_is_what_a_general_optimiser_finds(spread):
    first, second, outcome = drawn.preferences(np.linspace(1, -1, 6), 0.8, 400, seed=2)
    strength, tie = slowly(first, second, outcome, 6, spread)
    found = bradley_terry(first, second, outcome, resamples=20, spread=spread)
    assert found.strength == pytest.approx(strength, abs=1e-4)
    assert found.tie == pytest.approx(tie, abs=1e-4)


def test_each_resample_is_the_fit_of_its_rows():
    first, second, outcome = drawn.preferences(np.array([0.6, 0.0, -0.6]), 0.5, 200, seed=3)
    rows = np.arange(200) // 4
    found = bradley_terry(first, second, outcome, rows, resamples=2000)
    rng = np.random.default_rng(11)
    slow = []
    for _ in range(60):
        places = (rng.integers(0, 50, 50)[:, None] * 4 + np.arange(4)).reshape(-1)
        slow.append(slowly(first[places], second[places], outcome[places], 3)[0])
    width = 2 * 1.96 * np.std(slow, axis=0)
    assert (found.high - found.low) / width == pytest.approx(np.ones(3), abs=0.3)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000), st.permutations(range(5)))
def test_relabelled_cells_give_the_same_relabelled(seed, order):
    first, second, outcome = drawn.preferences(np.linspace(0.8, -0.8, 5), 0.4, 60, seed=seed)
    rows, new = np.arange(60) // 2, np.array(order)
    plain = bradley_terry(first, second, outcome, rows, resamples=50)
    moved = bradley_terry(new[first], new[second], outcome, rows, resamples=50)
    for name in ("strength", "low", "high", "win_rate", "win_low", "win_high", "n", "beats_average"):
        assert getattr(moved, name)[new] == pytest.approx(getattr(plain, name), abs=1e-6, nan_ok=True), name
    assert moved.undecided == pytest.approx(plain.undecided)


def test_the_order_of_ratings_and_which_of_the_two_stood_first_change_nothing():
    first, second, outcome = drawn.preferences(np.array([0.5, 0.0, -0.5]), 0.5, 90, seed=4)
    order = np.random.default_rng(0).permutation(90)
    plain = bradley_terry(first, second, outcome, resamples=100)
    turned = bradley_terry(second[order], first[order], 1 - outcome[order], resamples=100)
    assert turned.low == pytest.approx(plain.low) and turned.high == pytest.approx(plain.high)


def test_a_weight_is_that_many_ratings_and_doubling_all_keeps_the_strengths():
    first, second, outcome = drawn.preferences(np.array([0.7, 0.0, -0.7]), 0.5, 150, seed=5)
    weight = np.random.default_rng(6).integers(0, 3, 150)
    often = (np.repeat(column, weight) for column in (first, second, outcome))
    weighed = bradley_terry(first, second, outcome, weights=weight, resamples=10)
    assert weighed.strength == pytest.approx(bradley_terry(*often, resamples=10).strength)
    assert weighed.n.sum() == 2 * weight.sum()
    once, twice = (
        bradley_terry(first, second, outcome, weights=np.full(150, w), spread=WIDE, resamples=10)
        for w in (1, 2)
    )
    assert twice.strength == pytest.approx(once.strength, abs=1e-5)


def test_ratings_of_one_row_that_say_the_same_are_no_more_ratings():
    first, second, outcome = drawn.preferences(np.array([0.7, 0.0, -0.7]), 0.5, 200, seed=7)
    once = bradley_terry(first, second, outcome, np.arange(200))
    four = [np.repeat(column, 4) for column in (first, second, outcome, np.arange(200))]
    again = bradley_terry(*four)
    assert again.high - again.low == pytest.approx(once.high - once.low, rel=0.12)
    assert again.win_high == pytest.approx(once.win_high, abs=0.02)
    pretended = bradley_terry(*four[:3])
    assert pretended.high - pretended.low == pytest.approx((once.high - once.low) / 2, rel=0.15)


def test_a_cell_that_never_lost_is_finite_and_said_not_to_be_by_its_ratings():
    found = bradley_terry([0] * 12 + [1] * 6, [1] * 6 + [2] * 12, [1] * 12 + [1, 0, 1, 0, 1, 0])
    assert np.isfinite([found.strength, found.low, found.high]).all()
    assert not found.finite and found.connected
    assert found.order[0] == 0 and found.high[0] - found.low[0] > 2  # six wins bound it from below only


@pytest.mark.parametrize(
    ("outcomes", "finite"),
    [
        ([(0, 1, 1), (1, 2, 1), (2, 0, 1)], True),
        ([(0, 1, 1), (1, 2, 1), (2, 0, 0)], False),  # the last never won
        ([(0, 1, 1), (0, 1, 0.5), (1, 2, 1), (1, 2, 0.5)], False),  # nobody lost to a weaker one
        ([(0, 1, 1), (0, 1, 0), (1, 2, 1), (1, 2, 0.5)], True),  # the first two bound the weight of a tie
        ([(0, 1, 0.5), (1, 2, 0.5)], False),  # of ties alone ν is without bound
    ],
)
def test_finite_is_said_where_the_likelihood_has_a_maximum(outcomes, finite):
    first, second, outcome = np.array(outcomes).T
    found = bradley_terry(first.astype(int), second.astype(int), outcome, resamples=10)
    assert found.finite is finite
    wider, widest = (
        bradley_terry(first.astype(int), second.astype(int), outcome, spread=spread, resamples=1)
        for spread in (1e2, 1e4)
    )
    moved = [abs(widest.strength - wider.strength).max(), abs(widest.tie - wider.tie)]
    assert bool(max(moved) < 0.01) is finite


def test_the_fit_is_at_the_top_however_far_off_it_began():
    rng = np.random.default_rng(12)
    first, second = np.triu_indices(6, 1)
    for scale in (0.1, 3, 1000):
        counts = rng.poisson(scale, (3, 15, 40)).astype(float) * (rng.random((3, 15, 40)) < 0.5)
        pairs = PairCounts(6, first, second, counts)
        start = Fitted(rng.normal(0, 5, (1, 6)), rng.normal(0, 5, 1))
        plain, far = fit(pairs), fit(pairs, start=start)
        assert far.strength == pytest.approx(plain.strength, abs=1e-5)
        assert far.log_tie == pytest.approx(plain.log_tie, abs=1e-5)


def test_fifty_cells_and_twenty_thousand_ratings_take_less_than_five_seconds():
    columns = drawn.preferences(np.linspace(-1.5, 1.5, 50), 0.6, 20_000, seed=13)
    start = time.process_time()
    bradley_terry(*columns, np.arange(20_000) // 10)
    assert time.process_time() - start < 5


def test_cells_that_no_rating_connects_are_told():
    found = bradley_terry([0, 0, 2, 2], [1, 1, 3, 3], [1, 0, 1, 0.5], cells=5)
    assert found.group.tolist() == [0, 0, 1, 1, 2]
    assert not found.connected and not found.finite
    assert found.strength[4] == 0 and math.isnan(found.win_rate[4]) and found.n[4] == 0
    assert found.low[4] < -3 and found.high[4] > 3 and found.order[-1] == 4


def test_win_rate_counts_a_tie_half():
    found = bradley_terry([0, 0, 1, 0], [1, 1, 0, 1], [1, 0.5, 0, math.nan])
    assert found.win_rate.tolist() == pytest.approx([2.5 / 3, 0.5 / 3])
    assert found.n.tolist() == [3, 3]
    assert (found.win_low < found.win_rate).all() and (found.win_rate < found.win_high).all()


def test_only_ties_and_one_row_and_nothing_have_a_defined_result():
    ties = bradley_terry([0, 1, 2], [1, 2, 0], [0.5] * 3)
    assert ties.strength == pytest.approx(np.zeros(3), abs=1e-9) and ties.ratings_to_settle is None
    assert ties.undecided == 1 and ties.beats_average == pytest.approx([0.5] * 3)
    one_row = bradley_terry([0, 0], [1, 1], [1, 1], rows=["a", "a"])
    assert one_row.low[0] < one_row.strength[0] < one_row.high[0]
    nothing = bradley_terry([], [], [], cells=2)
    assert nothing.strength.tolist() == [0, 0] and nothing.undecided == 1
    assert len(bradley_terry([], [], []).strength) == 0
    assert math.isnan(bradley_terry([], [], [], cells=1).undecided)


@pytest.mark.parametrize(
    ("columns", "options", "said"),
    [
        (([0], [0], [1]), {}, "against itself"),
        (([0], [1], [2]), {}, "outcome"),
        (([0], [3], [1]), {"cells": 2}, "numbered 0 to 1"),
        (([-1], [1], [1]), {}, "numbered"),
        (([0, 1], [1], [1]), {}, "lengths"),
        (([0], [1], [1]), {"weights": [-1]}, "weight"),
        (([0], [1], [1]), {"spread": 0}, "above 0"),
        (([0], [1], [1]), {"confidence": 95}, "confidence"),
    ],
)
def test_columns_that_say_nothing_sensible_are_refused(columns, options, said):
    with pytest.raises(ValueError, match=said):
        bradley_terry(*columns, **options)


def test_two_cells_apart_are_decided_and_two_alike_are_not():
    first, second, outcome = drawn.preferences(np.array([1.0, 0.95, -2.0]), 0.5, 600, seed=8)
    found = bradley_terry(first, second, outcome)
    assert found.undecided_pairs.tolist() == [
        [False, True, False],
        [True, False, False],
        [False, False, False],
    ]
    assert found.undecided == pytest.approx(1 / 3)


def test_so_many_more_ratings_settle_the_top_four_times_out_of_five():
    found = bradley_terry([0] * 50, [1] * 50, [1] * 30 + [0] * 20, spread=WIDE)
    n = 50 + found.ratings_to_settle
    won = np.random.default_rng(0).binomial(n, 0.6, 20_000)
    apart, error = np.log(won / (n - won)), np.sqrt(n / (won * (n - won)))
    assert np.mean(apart > 1.96 * error) == pytest.approx(0.8, abs=0.05)
    assert bradley_terry([0] * 50, [1] * 50, [1] * 45 + [0] * 5).ratings_to_settle == 0
    assert bradley_terry([0] * 50, [1] * 50, [1, 0] * 25).ratings_to_settle is None


def test_intervals_of_strengths_cover_and_equal_cells_are_seldom_called_different():
    runs = 40
    noise = 3 * math.sqrt(0.05 * 0.95 / runs)
    held, apart = drawn.ranking_coverage(cells=4, rows=60, runs=runs, together=0.0, strength=0.5)
    assert held >= 0.95 - noise
    _, apart = drawn.ranking_coverage(cells=4, rows=60, runs=runs, together=0.6, strength=0.0)
    assert apart <= 0.05 + noise


def test_the_next_pair_is_the_one_that_tells_most():
    table = np.array([[0, 20, 18, 1], [2, 0, 60, 1], [1, 60, 0, 0], [1, 0, 1, 0]], dtype=float)
    found = most_uncertain_pairs(table)
    assert (found.gain[:-1] >= found.gain[1:]).all() and len(found.gain) == 6
    assert all(3 in pair for pair in list(zip(found.first, found.second))[:3])  # seldom rated
    # by the definition: one more rating of each pair, expected fall of log variance of its difference
    ties = np.array([[0, 5, 2, 1], [5, 0, 0, 0], [2, 0, 0, 0], [1, 0, 0, 0]], dtype=float)
    with_ties = most_uncertain_pairs(table, ties)
    for i, j, gain in zip(with_ties.first, with_ties.second, with_ties.gain):
        more = table.copy()
        more[i, j] += 1e-4
        more[j, i] += 1e-4
        assert gain > 0 and most_uncertain_pairs(more, ties).gain.sum() < with_ties.gain.sum()


def test_before_any_rating_all_pairs_tell_the_same_and_one_cell_is_no_pair():
    found = most_uncertain_pairs(np.zeros((3, 3)))
    assert found.gain == pytest.approx(np.full(3, 0.5 * math.log1p(2 * 9 / 4)))
    assert len(most_uncertain_pairs(np.zeros((1, 1))).gain) == 0


@pytest.mark.parametrize(
    ("wins", "ties", "said"),
    [
        (np.zeros((2, 3)), None, "tables"),
        (-np.ones((2, 2)), None, "counts"),
        (np.zeros((2, 2)), [[0, 1], [0, 0]], "symmetric"),
    ],
)
def test_tables_of_wins_that_say_nothing_sensible_are_refused(wins, ties, said):
    with pytest.raises(ValueError, match=said):
        most_uncertain_pairs(wins, ties)
