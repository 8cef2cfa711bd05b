"""A million characters: every metric answers within seconds or says why not; other rows stand."""

from __future__ import annotations

import time

import numpy as np
import pytest

from tests.metrics.needs import needs, spec_of
from workbench.metrics import load_metric, metric_names

MILLION = "x" * 250_000 + "the cat " * 31_250 + "(" * 250_000 + "a\n" * 125_000


@pytest.mark.parametrize("name", metric_names())
def test_a_million_characters_are_scored_within_seconds_or_unscored_with_the_reason(name):
    case = needs(name)
    if case.skip:
        pytest.skip(case.skip)
    metric = load_metric(spec_of(name))
    perfect = metric.score(case.predictions, case.references).values[5]
    started = time.process_time()
    scores = metric.score([MILLION, case.predictions[5]], [case.references[0], case.references[5]])
    assert time.process_time() - started < 6
    assert not np.isnan(scores.values[0]) or scores.reasons[0]
    assert scores.values[1] == pytest.approx(perfect)


@pytest.mark.parametrize("name", ["levenshtein", "rouge_l", "ter"])
def test_two_texts_of_a_million_characters_are_unscored_where_comparing_them_takes_minutes(name):
    metric = load_metric(name)
    started = time.process_time()
    scores = metric.score(["a b\n" * 250_000, "a b"], ["c d\n" * 250_000, "a b"])
    assert time.process_time() - started < 3
    assert np.isnan(scores.values[0]) and "too " in scores.reasons[0]
    assert metric.estimate(scores).n == 1


def test_long_texts_are_not_kept_in_memory():
    from workbench.metrics import exact, text

    metric = load_metric("contains")
    before = text._remembered.cache_info().currsize, exact._remembered.cache_info().currsize
    metric.score([f"{number} {'long ' * 1000}" for number in range(20)], ["short"] * 20)
    after = text._remembered.cache_info().currsize, exact._remembered.cache_info().currsize
    assert sum(after) - sum(before) <= 3
