"""A few squares of the coverage tables, so that an interval that stops covering is noticed at once."""

from __future__ import annotations

import math

import numpy as np
import pytest

from bench import coverage
from workbench.statistics import share_interval

CASES = {
    case.name: case
    for case in [*coverage.means(), *coverage.shares_repeated(), *coverage.differences(), *coverage.corpora()]
}


@pytest.mark.parametrize(
    ("name", "rows"),
    [
        ("exponential", 30),
        ("graded, nine in ten are 1", 30),
        ("share 0.05, repeats alike in part", 30),
        ("right or wrong, five repeats", 100),
    ],
)
def test_an_interval_covers_as_the_table_says(name, rows):
    runs = 500
    noise = 100 * 3 * math.sqrt(0.95 * 0.05 / runs)
    assert coverage.LOWEST - noise <= coverage.covered(CASES[name], rows, runs) <= 100


def test_counting_outcomes_agrees_with_drawing_them():
    exact = float(coverage.covered_exactly(share_interval, 30, np.array([0.05]))[0])
    drawn = np.random.default_rng(0).binomial(30, 0.05, 4000)
    held = [low <= 0.05 <= high for low, high in (share_interval(int(k), 30) for k in drawn)]
    assert exact == pytest.approx(100 * np.mean(held), abs=1.5)


def test_a_square_outside_what_is_wanted_is_marked():
    assert coverage.shown(95.0) == "95.0"
    assert coverage.shown(93.44) == "93.4 *"
    assert coverage.shown(98.2) == "98.2 *"
