"""Evidence at any time: the formula, fair bets under the null, and errors while one keeps looking."""

from __future__ import annotations

import math
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.statistics import PairwiseEvidence, anytime_interval
from workbench.statistics.anytime import BETS


def evidence_of(scores, cells=None) -> PairwiseEvidence:
    found = PairwiseEvidence(cells or np.shape(scores)[1])
    found.add(scores)
    return found


def test_three_wins_in_a_row_multiply_the_stake_as_worked_by_hand():
    """(1 + b)³ averaged over b = 0.05, 0.10 … 0.95, whose sums of powers are 9.5, 6.175 and 4.5125."""
    found = evidence_of([[1, 0], [1, 0], [1, 0]])
    assert found.e_values()[0, 1] == pytest.approx(1 + (3 * 9.5 + 3 * 6.175 + 4.5125) / 19)
    assert found.e_values()[1, 0] == pytest.approx(1 + (-3 * 9.5 + 3 * 6.175 - 4.5125) / 19)
    assert found.against() == pytest.approx([1.0, 1 + (3 * 9.5 + 3 * 6.175 + 4.5125) / 19])


def test_evidence_is_the_product_over_rows_averaged_over_bets_and_rivals():
    scores = np.random.default_rng(3).random((25, 4))
    scores[3, 1] = scores[9, 2] = math.nan
    found = evidence_of(scores)
    peaks = [1.0] * 4
    e = {}
    for rows in range(1, 26):
        for i, j in product(range(4), repeat=2):
            gaps = [x - y for x, y in scores[:rows, [i, j]] if not math.isnan(x - y)]
            e[i, j] = sum(math.prod(1 + b * gap for gap in gaps) for b in BETS) / len(BETS)
        for j in range(4):
            peaks[j] = max(peaks[j], sum(e[i, j] for i in range(4) if i != j) / 3)
    assert found.against() == pytest.approx(peaks)
    assert found.e_values() == pytest.approx(np.array([[e[i, j] for j in range(4)] for i in range(4)]))
    worst = int(np.argmax(peaks))
    assert found.strongest_rival(worst) == max((i for i in range(4) if i != worst), key=lambda i: e[i, worst])


def test_a_stake_is_worth_one_on_average_while_the_two_are_equally_good():
    """Every sequence of five rows with its probability: a fair game, to the last digit."""
    chances = {1.0: 0.2, 0.0: 0.6, -1.0: 0.2}
    mean = 0.0
    for sequence in product(chances, repeat=5):
        rows = [[(1 + gap) / 2, (1 - gap) / 2] for gap in sequence]
        mean += math.prod(chances[gap] for gap in sequence) * evidence_of(rows).e_values()[0, 1]
    assert mean == pytest.approx(1.0)


def test_a_stake_shrinks_on_average_where_the_hypothesis_is_right():
    chances = {1.0: 0.1, 0.0: 0.6, -1.0: 0.3}
    mean = 0.0
    for sequence in product(chances, repeat=4):
        rows = [[(1 + gap) / 2, (1 - gap) / 2] for gap in sequence]
        mean += math.prod(chances[gap] for gap in sequence) * evidence_of(rows).e_values()[0, 1]
    assert mean < 0.75


@pytest.mark.parametrize("level", [0.05, 0.2])
def test_the_best_is_rarely_beaten_however_often_one_looks(level: float):
    """The worst case, four cells equally good, looked at after each of 300 rows."""
    rng = np.random.default_rng(1)
    beaten = 0
    for _ in range(300):
        hard = rng.random((300, 1))
        scores = (0.5 * hard + 0.5 * rng.random((300, 4)) < 0.5).astype(float)
        beaten += evidence_of(scores).against()[0] >= 1 / level
    assert beaten / 300 <= level


def test_a_cell_that_is_behind_is_found_out_and_the_best_is_not():
    rng = np.random.default_rng(2)
    scores = (rng.random((400, 3)) < [0.8, 0.5, 0.45]).astype(float)
    against = evidence_of(scores).against()
    assert (against[1:] > 60).all() and against[0] < 5


def test_cells_that_never_differ_are_never_beaten():
    same = np.repeat((np.random.default_rng(0).random((500, 1)) < 0.4).astype(float), 3, axis=1)
    assert (evidence_of(same).against() == 1).all()


def test_blocks_of_rows_add_up_to_the_whole():
    scores = np.random.default_rng(5).integers(0, 2, (60, 3)).astype(float)
    pieces = PairwiseEvidence(3)
    for start in (0, 7, 30):
        pieces.add(scores[start : {0: 7, 7: 30, 30: 60}[start]])
    assert pieces.against() == pytest.approx(evidence_of(scores).against())
    assert pieces.rows == 60


def test_a_cell_that_stopped_keeps_its_evidence_and_the_others_go_on():
    scores = np.array([[1, 0, 0.0]] * 10 + [[1, 0, np.nan]] * 10)
    found = evidence_of(scores)
    assert found.e_values()[0, 2] == pytest.approx(evidence_of(scores[:10]).e_values()[0, 2])
    assert found.e_values()[0, 1] == pytest.approx(evidence_of(scores[:, :2]).e_values()[0, 1])
    # what the stopped cell had to say against another is still a third of the evidence
    expected = (found.e_values()[0, 1] + found.e_values()[2, 1]) / 2
    assert found.against()[1] == pytest.approx(expected)


def test_scores_that_are_no_shares_are_refused():
    with pytest.raises(ValueError, match="two cells"):
        PairwiseEvidence(1)
    with pytest.raises(ValueError, match="between 0 and 1"):
        PairwiseEvidence(2).add([[0.5, 1.2]])
    with pytest.raises(ValueError, match="shape"):
        PairwiseEvidence(2).add([[0.5, 1.0, 0.0]])
    silent = PairwiseEvidence(2)
    silent.add([[math.nan, math.nan], [1.0, math.nan]])
    assert (silent.against() == 1).all()


def test_an_interval_is_what_a_search_over_every_mean_leaves():
    values = np.random.default_rng(7).choice([0, 0.5, 1.0], size=40)

    def bought(mean: float, gains: np.ndarray) -> float:
        steps = np.cumprod(1 + BETS * (gains[:, None] / mean - 1), axis=0)
        return float(steps.mean(axis=1).max())

    grid = np.linspace(0.001, 0.999, 999)
    left = [m for m in grid if bought(m, values) < 40 and bought(1 - m, 1 - values) < 40]
    low, high = anytime_interval(values, 0, 1)
    assert low == pytest.approx(left[0], abs=0.002) and high == pytest.approx(left[-1], abs=0.002)


def test_an_interval_covers_at_all_times_together():
    """Bounds are the tightest of all moments so far, so that the last one tells of all of them."""
    rng = np.random.default_rng(4)
    missed = 0
    for _ in range(200):
        gained = rng.choice([1.0, 0.0, -1.0], p=[0.25, 0.65, 0.1], size=80)
        low, high = anytime_interval(gained, -1, 1, confidence=0.9)
        missed += not low <= 0.15 <= high
    assert missed / 200 <= 0.1


def test_an_interval_is_wider_than_one_for_a_number_of_rows_fixed_beforehand():
    low, high = anytime_interval([1, 0] * 100, 0, 1)
    assert 0.35 < low < 0.5 - 1.96 * math.sqrt(0.25 / 200)
    assert high == pytest.approx(1 - low, abs=0.03)


@settings(deadline=None, max_examples=30)
@given(st.lists(st.floats(-1, 1), min_size=1, max_size=40))
def test_an_interval_turns_round_with_its_values_and_holds_their_mean(values):
    low, high = anytime_interval(values, -1, 1)
    turned = anytime_interval([-value for value in values], -1, 1)
    assert turned == pytest.approx((-high, -low), abs=1e-6)
    assert -1 <= low <= np.mean(values) + 1e-9 and np.mean(values) - 1e-9 <= high <= 1


def test_an_interval_of_nothing_or_of_nonsense():
    assert all(math.isnan(bound) for bound in anytime_interval([math.nan], 0, 1))
    assert anytime_interval([0.0] * 50, 0, 1).low == 0 and anytime_interval([0.0] * 50, 0, 1).high < 0.12
    with pytest.raises(ValueError, match="between 0 and 1"):
        anytime_interval([3.0], 0, 1)
    with pytest.raises(ValueError, match="range"):
        anytime_interval([0.0], 1, 1)
    with pytest.raises(ValueError, match="confidence"):
        anytime_interval([0.0], 0, 1, confidence=95)
