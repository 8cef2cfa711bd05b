"""Agreement of raters: against published examples, statsmodels and a coincidence matrix counted by hand."""

from __future__ import annotations

import math
import time
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats import inter_rater

from bench.ratings import rated
from workbench.statistics import (
    cohen_kappa,
    fleiss_kappa,
    krippendorff_alpha,
    percent_agreement,
    rating_table,
)

NAN = math.nan
LEVELS = ["nominal", "ordinal", "interval"]

# Krippendorff, "Computing Krippendorff's Alpha-Reliability", 2011: four observers, twelve units
OBSERVERS = np.array(
    [
        [1, 2, 3, 3, 2, 1, 4, 1, 2, NAN, NAN, NAN],
        [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, NAN, 3],
        [NAN, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, NAN],
        [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, NAN],
    ]
).T

# Fleiss, 1971, as table of counts: ten subjects, fourteen raters, five categories
FLEISS = np.array(
    [
        [0, 0, 0, 0, 14],
        [0, 2, 6, 4, 2],
        [0, 0, 3, 5, 6],
        [0, 3, 9, 2, 0],
        [2, 2, 8, 1, 1],
        [7, 7, 0, 0, 0],
        [3, 2, 6, 3, 0],
        [2, 5, 3, 2, 2],
        [6, 5, 2, 1, 0],
        [0, 2, 2, 3, 7],
    ]
)


def by_hand(table: np.ndarray, level: str) -> float:
    """α from the coincidence matrix, cell by cell, with the distances as Krippendorff writes them."""
    values = sorted(set(table[~np.isnan(table)]))
    matrix = np.zeros((len(values), len(values)))
    for line in table:
        said = [values.index(value) for value in line if not math.isnan(value)]
        for c, k in permutations(said, 2):
            matrix[c, k] += 1 / (len(said) - 1)
    n_c = matrix.sum(axis=1)
    apart = np.zeros_like(matrix)
    for c in range(len(values)):
        for k in range(len(values)):
            low, high = min(c, k), max(c, k)
            apart[c, k] = {
                "nominal": float(c != k),
                "interval": (values[c] - values[k]) ** 2,
                "ordinal": (n_c[low : high + 1].sum() - (n_c[c] + n_c[k]) / 2) ** 2,
            }[level]
    expected = (np.outer(n_c, n_c) * apart).sum() / (n_c.sum() - 1)
    return 1 - (matrix * apart).sum() / expected


@pytest.mark.parametrize(("level", "alpha"), [("nominal", 0.743), ("ordinal", 0.815), ("interval", 0.849)])
def test_the_published_alphas_of_four_observers(level, alpha):
    found = krippendorff_alpha(OBSERVERS, level)
    assert found.value == pytest.approx(alpha, abs=5e-4)
    assert found.n == 11  # the twelfth unit has one value
    assert found.low < found.value < found.high


def test_the_published_kappa_of_fourteen_raters():
    table = np.array([np.repeat(np.arange(5.0), line) for line in FLEISS])
    assert fleiss_kappa(table).value == pytest.approx(0.210, abs=5e-4)
    assert fleiss_kappa(table).value == pytest.approx(inter_rater.fleiss_kappa(FLEISS))
    assert percent_agreement(table).value == pytest.approx(0.378, abs=5e-4)


@pytest.mark.parametrize("weights", ["none", "quadratic"])
def test_cohens_kappa_is_that_of_statsmodels(weights):
    first, second, _ = rated(300, 3, np.random.default_rng(0), 0.0).T
    counts = np.zeros((5, 5))
    np.add.at(counts, (first.astype(int) - 1, second.astype(int) - 1), 1)
    theirs = inter_rater.cohens_kappa(counts, wt=None if weights == "none" else "fc")
    ours = cohen_kappa(first, second, weights)
    assert ours.value == pytest.approx(theirs.kappa)
    assert ours.high - ours.low == pytest.approx(theirs.kappa_upp - theirs.kappa_low, rel=0.1)


def test_cohens_kappa_of_the_textbook():
    first, second = [1] * 25 + [0] * 25, [1] * 20 + [0] * 5 + [1] * 10 + [0] * 15
    assert cohen_kappa(first, second).value == pytest.approx(0.4)  # (0.7 - 0.5) / (1 - 0.5)


@pytest.mark.parametrize("level", LEVELS)
@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_alpha_is_that_of_the_coincidence_matrix(level, seed):
    table = rated(12, 4, np.random.default_rng(seed), 0.3)
    kept = table[(~np.isnan(table)).sum(axis=1) > 1]
    if len(set(kept[~np.isnan(kept)])) > 1:
        assert krippendorff_alpha(table, level, resamples=2).value == pytest.approx(by_hand(kept, level))


@pytest.mark.parametrize("level", LEVELS)
def test_order_of_items_and_names_of_raters_change_nothing(level):
    rng = np.random.default_rng(4)
    table = rated(60, 4, rng)
    found = krippendorff_alpha(table, level)
    shuffled = rng.permuted(table, axis=1)  # within an item it does not matter who said what
    assert krippendorff_alpha(shuffled[rng.permutation(60)], level) == found


def test_levels_see_what_they_are_for():
    table = rated(80, 3, np.random.default_rng(5))
    recoded = np.where(np.isnan(table), NAN, np.array([0, 3, 1, 5, 2, 4.0])[np.nan_to_num(table).astype(int)])
    assert krippendorff_alpha(recoded, "nominal").value == pytest.approx(
        krippendorff_alpha(table, "nominal").value
    )
    assert krippendorff_alpha(np.exp(table), "ordinal") == krippendorff_alpha(table, "ordinal")
    stretched = krippendorff_alpha(1e9 + 7 * table, "interval")
    assert stretched.value == pytest.approx(krippendorff_alpha(table, "interval").value)


def test_many_distinct_values_are_ranked_as_few_are():
    rng = np.random.default_rng(6)
    table = rng.normal(size=40)[:, None] + rng.normal(size=(40, 3))
    assert krippendorff_alpha(table, "ordinal").value == pytest.approx(by_hand(table, "ordinal"))


@pytest.mark.parametrize("level", LEVELS)
def test_the_interval_is_the_bootstrap_of_items(level):
    table = rated(80, 3, np.random.default_rng(7), 0.0)
    found = krippendorff_alpha(table, level, resamples=4000)
    rng = np.random.default_rng(8)
    slow = [by_hand(table[rng.integers(0, 80, 80)], level) for _ in range(250)]
    assert found.high - found.low == pytest.approx(2 * 1.96 * np.std(slow), rel=0.15)


def test_raters_by_chance_agree_by_chance():
    table = np.random.default_rng(9).integers(1, 4, (3000, 3)).astype(float)
    for found in (fleiss_kappa(table), krippendorff_alpha(table), krippendorff_alpha(table, "ordinal")):
        assert found.low < 0 < found.high and found.high - found.low < 0.1
    assert percent_agreement(table).value == pytest.approx(1 / 3, abs=0.02)


def test_all_the_same_value_is_no_chance_to_disagree():
    same = np.ones((6, 3))
    assert percent_agreement(same).value == 1 and 0.5 < percent_agreement(same).low < 1
    for level in LEVELS:
        assert math.isnan(krippendorff_alpha(same * 0.1, level).value)
    assert math.isnan(fleiss_kappa(same).value) and math.isnan(cohen_kappa([1, 1], [1, 1]).value)


def test_raters_who_always_agree_are_not_sure_to_agree_for_ever():
    table = np.repeat([[1.0], [2.0]] * 10, 2, axis=1)
    for found in (krippendorff_alpha(table), fleiss_kappa(table), cohen_kappa(*table.T)):
        assert found.value == 1 and found.high == 1 and 0.5 < found.low < 1


@pytest.mark.parametrize(
    "table",
    [np.empty((0, 3)), np.empty((4, 0)), np.ones((4, 1)), np.full((4, 2), NAN), [[1, NAN], [NAN, 2]]],
    ids=["nothing", "nobody", "one rater", "no value", "nobody overlaps"],
)
def test_where_nobody_overlaps_there_is_nothing_to_say(table):
    for found in (percent_agreement(table), fleiss_kappa(table), krippendorff_alpha(table, "ordinal")):
        assert found.n == 0 and math.isnan(found.value) and math.isnan(found.low)
    assert cohen_kappa([], []).n == 0 and cohen_kappa([1, NAN], [NAN, 1]).n == 0


def test_one_item_has_no_interval():
    found = percent_agreement([[1, 1, 2]])
    assert found.value == pytest.approx(1 / 3) and found.n == 1 and math.isnan(found.low)


def test_ratings_one_by_one_become_a_table_and_the_last_counts():
    table, items, raters = rating_table(["x", "y", "x", "x"], ["bo", "ada", "ada", "bo"], [1, 2, 3, 5])
    assert items.tolist() == ["x", "y"] and raters.tolist() == ["ada", "bo"]
    assert np.array_equal(table, [[3, 5], [2, NAN]], equal_nan=True)
    with pytest.raises(ValueError, match="same length"):
        rating_table([1], [1, 2], [1, 2])


def test_what_is_no_table_and_other_words_are_refused():
    with pytest.raises(ValueError, match="table"):
        krippendorff_alpha([1, 2, 3])
    with pytest.raises(ValueError, match="infinite"):
        fleiss_kappa([[1, math.inf]])
    with pytest.raises(ValueError, match="infinite"):
        cohen_kappa([1, math.inf], [1, 2])
    with pytest.raises(ValueError, match="level"):
        krippendorff_alpha([[1, 2]], "ratio")
    with pytest.raises(ValueError, match="weights"):
        cohen_kappa([1], [1], "linear")
    with pytest.raises(ValueError, match="same length"):
        cohen_kappa([1, 2], [1])


def test_ten_thousand_items_by_five_raters_take_less_than_a_second():
    table = rated(10_000, 5, np.random.default_rng(10))
    for level in LEVELS:
        start = time.process_time()
        krippendorff_alpha(table, level)
        assert time.process_time() - start < 1
