"""Numbers read well at every size."""

from __future__ import annotations

import datetime

import pytest

from workbench.app.widgets import numbers
from workbench.core.run import MetricEstimate


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (0.0234, "23 ms"),
        (2.34, "2.3 s"),
        (42.4, "42 s"),
        (75, "1 min 15 s"),
        (7300, "2 h 1 min"),
        (None, "–"),
    ],
)
def test_durations_take_the_unit_that_fits(value: float | None, words: str) -> None:
    assert numbers.seconds(value) == words


@pytest.mark.parametrize(
    ("value", "words"), [(0, "$0"), (12.345, "$12.35"), (0.0123, "$0.0123"), (0.00000002, "< $0.0001")]
)
def test_a_small_cost_is_never_shown_as_none(value: float, words: str) -> None:
    assert numbers.dollars(value) == words


def test_a_mean_comes_with_its_interval() -> None:
    assert numbers.interval(MetricEstimate(0.71, 0.64, 0.77, 200)) == "0.710 [0.640, 0.770]"
    assert numbers.interval(MetricEstimate(float("nan"), 0, 0, 0)) == "not scored"
    assert numbers.interval(None) == "not scored"


def test_one_row_is_not_one_rows() -> None:
    assert numbers.many(1, "row") == "1 row"
    assert numbers.many(2000, "row") == "2,000 rows"


def test_the_past_is_told_roughly() -> None:
    now = datetime.datetime.now(datetime.UTC)
    assert numbers.ago(now) == "just now"
    assert numbers.ago(now - datetime.timedelta(hours=3)) == "3 hours ago"
