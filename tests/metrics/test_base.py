"""What every metric promises about rows, gaps, repeats and comparisons."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tests.metrics.needs import needs, spec_of
from workbench.errors import MetricError
from workbench.metrics import load_metric, metric_names
from workbench.statistics import compare_paired, share_interval


@pytest.fixture
def case(name):
    """What the metric is loaded with and tried on; metrics that need more are in tests/metrics/needs.py."""
    if needs(name).skip:
        pytest.skip(needs(name).skip)
    return needs(name)


@pytest.mark.parametrize("name", metric_names())
class TestEveryMetric:
    def test_says_what_it_is(self, name, case):
        metric = load_metric(spec_of(name))
        assert metric.name == name
        assert metric.description.endswith(".") and metric.source
        assert metric.direction in ("higher", "lower")
        assert type(metric).__doc__

    def test_leaves_only_rows_without_a_reference_unscored(self, name, case):
        metric = load_metric(spec_of(name))
        expected = ((3,) if metric.needs_reference else ()) if case.unscored is None else case.unscored
        values = metric.score(case.predictions, case.references).values
        assert tuple(np.flatnonzero(np.isnan(values))) == expected

    def test_keeps_to_its_range_and_gives_a_perfect_answer_the_best_score(self, name, case):
        metric = load_metric(spec_of(name))
        low, high = metric.range
        values = metric.score(case.predictions, case.references).values
        scored = values[~np.isnan(values)]
        assert (scored >= low).all() and (scored <= high + 1e-9).all()
        assert values[5] == pytest.approx(high if metric.direction == "higher" else low)

    def test_counts_no_answer_as_a_wrong_one(self, name, case):
        metric = load_metric(spec_of(name))
        none, wrong = metric.score([None, "zzz"], [case.references[5]] * 2).values
        assert none >= wrong if metric.direction == "lower" else none <= wrong

    def test_estimates_the_value_it_gives(self, name, case):
        metric = load_metric(spec_of(name))
        scores = metric.score(case.predictions * 4, case.references * 4)
        estimate = metric.estimate(scores, clusters=list(range(6)) * 4)
        assert estimate.n == 4 * np.count_nonzero(~np.isnan(scores.values[:6]))
        assert estimate.mean == pytest.approx(metric.value(scores))
        assert estimate.low <= estimate.mean <= estimate.high

    def test_finds_no_difference_to_itself(self, name, case):
        metric = load_metric(spec_of(name))
        scores = metric.score(case.predictions, case.references)
        comparison = metric.compare(scores, scores)
        assert (comparison.difference, comparison.p, comparison.differing) == (0, 1.0, 0)

    def test_scores_nothing_without_rows(self, name, case):
        metric = load_metric(spec_of(name))
        for scores in [metric.score([], [])] + [metric.score(["a"], [None])] * metric.needs_reference:
            estimate = metric.estimate(scores)
            assert estimate.n == 0 and math.isnan(estimate.mean) and math.isnan(metric.value(scores))

    def test_a_row_scores_the_same_alone_and_among_others(self, name, case):
        metric = load_metric(spec_of(name))
        together = metric.score(case.predictions, case.references).values
        alone = [
            metric.score([p], [r]).values[0] for p, r in zip(case.predictions, case.references, strict=True)
        ]
        assert together == pytest.approx(alone, nan_ok=True)


@pytest.mark.parametrize("missing", [None, "", "  ", math.nan, [], [None, ""], np.nan])
def test_a_missing_reference_is_unscored_and_not_zero(missing):
    assert np.isnan(load_metric("exact_match").score(["x"], [missing]).values).all()


def test_references_may_come_as_arrays_numbers_and_booleans():
    exact = load_metric("exact_match")
    references = [np.int64(3), np.float32(0.5), True, np.array(["x", "y"]), ("p", "q")]
    assert exact.score(["3", "0.5", "true", "y", "q"], references).values.all()


def test_a_proportion_gets_wilson_and_mcnemar():
    exact = load_metric("exact_match")
    first = exact.score(["1", "2", "3", "9"], ["1", "2", "3", "4"])
    second = exact.score(["1", "0", "0", "0"], ["1", "2", "3", "4"])
    estimate = exact.estimate(first)
    assert (estimate.low, estimate.high) == share_interval(3, 4)
    assert exact.compare(first, second) == compare_paired(first.values, second.values, binary=True)


def test_an_uneven_number_of_rows_is_refused():
    exact = load_metric("exact_match")
    with pytest.raises(MetricError, match="2 predictions but 1 references"):
        exact.score(["a", "b"], ["a"])
    with pytest.raises(MetricError, match="2 rows and the candidate 1"):
        exact.compare(exact.score(["a", "b"], ["a", "b"]), exact.score(["a"], ["a"]))
    with pytest.raises(MetricError, match="needs a reference"):
        exact.score(["a"])
