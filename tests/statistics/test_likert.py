"""Means of ratings, clustered by rater and row: against other ways to reckon, and how often they hold."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf

from bench.ratings import likert_held
from workbench.statistics import likert_mean

NAN = math.nan


def crossed(raters: int, rows: int, level: float, seed: int = 0) -> tuple[np.ndarray, ...]:
    rng = np.random.default_rng(seed)
    rater, row = (ids.reshape(-1) for ids in np.meshgrid(range(raters), range(rows), indexing="ij"))
    values = 3.5 + level * rng.normal(size=raters)[rater] + 0.7 * rng.normal(size=rows)[row]
    return values + 0.6 * rng.normal(size=len(rater)), rater, row


def test_its_variance_is_the_two_way_clustered_one_of_statsmodels():
    values, rater, row = crossed(12, 25, 0.5)
    kept = np.random.default_rng(1).random(len(values)) < 0.6
    values, rater, row = values[kept], rater[kept], row[kept]
    frame = pd.DataFrame({"value": values})
    fitted = smf.ols("value ~ 1", frame).fit(
        cov_type="cluster", cov_kwds={"groups": np.column_stack([rater, row])}
    )
    theirs = 2 * 1.96 * float(fitted.bse.iloc[0])
    ours = likert_mean(values, rater, row)
    assert ours.mean == pytest.approx(values.mean()) and ours.n == len(values)
    assert ours.high - ours.low == pytest.approx(theirs, rel=0.15)  # theirs by z, ours by t


def test_one_rater_is_a_mean_over_rows_and_repeats_add_nothing():
    values, _, row = crossed(1, 30, 0.0)
    once = likert_mean(values, ["ada"] * 30, row)
    half = 2.045 * values.std(ddof=1) / math.sqrt(30)
    assert (once.low, once.high) == pytest.approx((values.mean() - half, values.mean() + half), abs=1e-3)
    again = likert_mean(np.repeat(values, 5), ["ada"] * 150, np.repeat(row, 5))
    assert (again.low, again.high) == pytest.approx((once.low, once.high))


def test_raters_of_different_level_make_it_wide_and_raters_alike_do_not():
    unlike, rater, row = crossed(4, 60, 1.0)
    alike, *_ = crossed(4, 60, 0.0)
    wide, narrow = likert_mean(unlike, rater, row), likert_mean(alike, rater, row)
    by_rows = likert_mean(alike.reshape(4, 60).mean(axis=0), ["all"] * 60, range(60))
    assert wide.high - wide.low > 2 * (narrow.high - narrow.low)
    assert narrow.high - narrow.low < 1.5 * (by_rows.high - by_rows.low)


def test_names_and_order_change_nothing_and_the_scale_bounds_it():
    values, rater, row = crossed(3, 10, 0.8)
    order = np.random.default_rng(2).permutation(30)
    names = np.array(["x", "ada", "bo"])
    found = likert_mean(values, rater, row)
    other = likert_mean(values[order], names[rater[order]], row[order])
    assert (other.low, other.high) == pytest.approx((found.low, found.high))
    held = likert_mean([5, 5, 5, 4], ["a", "b", "a", "b"], [1, 1, 2, 2], bounds=(1, 5))
    assert held.high == 5 and held.low >= 1


@pytest.mark.parametrize(("raters", "level"), [(3, 0.1), (10, 0.3)])
def test_it_holds_the_mean_about_as_often_as_it_says(raters, level):
    assert likert_held(raters, 50, 400, level) >= 95 - 300 * math.sqrt(0.05 * 0.95 / 400) - 1


def test_nothing_one_rating_and_all_the_same_are_defined():
    assert likert_mean([NAN], ["a"], [1]).n == 0
    one = likert_mean([4], ["a"], [1])
    assert one.mean == 4 and math.isnan(one.low) and one.n == 1
    same = likert_mean([4] * 6, list("ababab"), [1, 1, 2, 2, 3, 3], bounds=(1, 5))
    assert 1 < same.low < 4 < same.high < 5
    one_row = likert_mean([3, 4, 5], ["a", "b", "c"], [1, 1, 1])
    assert one_row.low < 4 < one_row.high
    with pytest.raises(ValueError, match="infinite"):
        likert_mean([math.inf, 2], ["a", "a"], [1, 2])
    with pytest.raises(ValueError, match="same length"):
        likert_mean([1, 2], ["a"], [1, 2])
