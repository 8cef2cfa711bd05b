"""Every pair at once: the same as each pair alone, within the error of drawing; and what it takes."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.multitest import multipletests

from workbench.statistics import compare_all_pairs, compare_paired


def graded(cells: int, rows: int, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    row = rng.random(rows)
    return 0.7 * row + 0.3 * rng.random((cells, rows)) + 0.02 * np.arange(cells)[:, None]


def with_gaps(scores: np.ndarray) -> np.ndarray:
    scores = scores.copy()
    scores[0, :30] = math.nan
    scores[-1, 20:70] = math.nan
    return scores


@pytest.mark.parametrize("shape", ["plain", "gaps", "repeats", "repeats with gaps", "few values"])
def test_each_pair_is_what_it_is_alone(shape):
    scores = graded(4, 200)
    if "gaps" in shape:
        scores = with_gaps(scores)
    if shape == "few values":
        scores = np.round(scores * 2)
    clusters = np.arange(200) // 4 if "repeats" in shape else None
    found = compare_all_pairs(scores, clusters)
    assert list(zip(found.first, found.second)) == [(0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3)]
    for k, (i, j) in enumerate(zip(found.first, found.second)):
        alone = compare_paired(scores[i], scores[j], clusters)
        width = alone.high - alone.low
        assert found.difference[k] == pytest.approx(alone.difference)
        assert (found.n[k], found.differing[k]) == (alone.n, alone.differing)
        assert found.low[k] == pytest.approx(alone.low, abs=0.06 * width)
        assert found.high[k] == pytest.approx(alone.high, abs=0.06 * width)
        assert found.p[k] == pytest.approx(alone.p, abs=0.02)


def test_a_pair_agrees_with_the_paired_bootstrap_of_scipy():
    scores = graded(3, 300, seed=4)
    found = compare_all_pairs(scores)
    theirs = stats.bootstrap(
        (scores[1], scores[2]),
        lambda a, b, axis=-1: (b - a).mean(axis=axis),
        paired=True,
        n_resamples=5000,
        vectorized=True,
        rng=2,
    ).confidence_interval
    width = theirs.high - theirs.low
    assert found.low[2] == pytest.approx(theirs.low, abs=0.06 * width)
    assert found.high[2] == pytest.approx(theirs.high, abs=0.06 * width)


def test_right_or_wrong_scores_get_the_exact_test_of_the_pair():
    scores = (graded(3, 120) > 0.6).astype(float)
    scores[1, 3] = math.nan
    found = compare_all_pairs(scores)
    for k, (i, j) in enumerate(zip(found.first, found.second)):
        alone = compare_paired(scores[i], scores[j])
        assert (found.low[k], found.high[k], found.p[k]) == (alone.low, alone.high, alone.p)


def test_p_values_are_adjusted_over_all_pairs():
    found = compare_all_pairs(graded(4, 60, seed=3))
    assert found.p_adjusted == pytest.approx(multipletests(found.p, method="holm")[1])


def test_no_pair_of_equal_cells_is_called_different_more_often_than_promised():
    rng, wrong, runs = np.random.default_rng(8), 0, 250
    for trial in range(runs):
        rows = rng.lognormal(size=(4, 40)) + rng.random(40)
        found = compare_all_pairs(rows, resamples=400, seed=trial)
        wrong += bool((found.p_adjusted < 0.05).any())
    assert wrong / runs <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / runs)


def test_identical_repeats_are_no_more_rows():
    scores = graded(3, 40)
    once, five = (
        compare_all_pairs(scores),
        compare_all_pairs(np.repeat(scores, 5, axis=1), np.arange(200) // 5),
    )
    assert five.p == pytest.approx(once.p, abs=0.02)
    assert five.low == pytest.approx(once.low, abs=0.005)
    assert five.high == pytest.approx(once.high, abs=0.005)


def test_pairs_that_cannot_be_compared_are_nan_and_spoil_no_other():
    scores = np.vstack([graded(2, 50), np.full(50, math.nan), graded(1, 50), np.full(50, math.inf)])
    scores[3, 1:] = math.nan
    found = compare_all_pairs(scores, bounds=(0, 2))
    by_pair = {(int(i), int(j)): k for k, (i, j) in enumerate(zip(found.first, found.second))}
    alone = compare_all_pairs(scores[:2], bounds=(0, 2))
    assert found.low[by_pair[0, 1]] == pytest.approx(alone.low[0])
    nothing, single, infinite = by_pair[0, 2], by_pair[0, 3], by_pair[0, 4]
    assert found.n[nothing] == 0 and math.isnan(found.difference[nothing]) and math.isnan(found.p[nothing])
    assert found.n[single] == 1 and math.isnan(found.low[single]) and found.p[single] == 1.0
    assert found.difference[infinite] == math.inf and math.isnan(found.p[infinite])


def test_equal_cells_have_no_difference_and_no_doubt():
    scores = graded(1, 30).repeat(3, axis=0)
    found = compare_all_pairs(scores)
    assert not found.difference.any() and not found.low.any() and not found.high.any()
    assert (found.p == 1).all() and not found.differing.any()


def test_no_cells_no_rows_and_one_cell_are_no_pairs_or_nothing():
    assert len(compare_all_pairs(np.empty((0, 5))).p) == 0
    assert len(compare_all_pairs(np.zeros((1, 5))).p) == 0
    empty = compare_all_pairs(np.empty((2, 0)))
    assert empty.n.tolist() == [0] and math.isnan(empty.difference[0])


def test_scores_that_are_no_table_are_refused():
    with pytest.raises(ValueError, match="table"):
        compare_all_pairs([0.1, 0.2])
    with pytest.raises(ValueError, match="clusters"):
        compare_all_pairs(np.zeros((2, 3)), [1, 2])
