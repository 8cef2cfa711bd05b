"""What outputs took as metrics: from a run's own measures, or from a file's columns."""

from __future__ import annotations

import numpy as np
import pytest

from workbench.errors import MetricError
from workbench.metrics import CellOutputs, load_metric

TAKEN = {
    "latency_s": np.array([0.5, 1.5, np.nan]),
    "cost_usd": np.array([0.001, 0.0, 0.002]),
    "prompt_tokens": np.array([10.0, 20.0, 30.0]),
    "completion_tokens": np.array([1.0, 2.0, np.nan]),
}
ROWS = [{"seconds": "2.5"}, {"seconds": None}, {"seconds": "fast"}]
OUTPUTS = CellOutputs(["a"] * 3, [None] * 3, [None] * 3, ["a"] * 3, ROWS, np.arange(3), TAKEN)


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ("latency", [0.5, 1.5, np.nan]),
        ("cost", [0.001, 0, 0.002]),
        ("tokens", [11, 22, np.nan]),
        ({"name": "tokens", "which": "prompt"}, [10, 20, 30]),
        ({"name": "tokens", "which": "completion"}, [1, 2, np.nan]),
        ({"name": "latency", "column": "seconds"}, [2.5, np.nan, np.nan]),
    ],
)
def test_each_output_has_what_it_took(spec, expected):
    metric = load_metric(spec)
    scores = metric.score_outputs(OUTPUTS)
    assert scores.values == pytest.approx(expected, nan_ok=True)
    assert set(scores.reasons) == set(np.flatnonzero(np.isnan(expected)))
    assert metric.estimate(scores).mean == pytest.approx(np.nanmean(expected))


def test_reasons_say_why_it_is_not_known():
    assert load_metric("latency").score_outputs(OUTPUTS).reasons[2] == (
        "the latency is not known: it was not measured"
    )
    reasons = load_metric({"name": "cost", "column": "seconds"}).score_outputs(OUTPUTS).reasons
    assert reasons[1] == "the cost is not known: column 'seconds' has no number here"


def test_a_finished_file_took_nothing_that_is_known():
    for name in ("latency", "cost", "tokens"):
        scores = load_metric(name).score(["a", None])
        assert np.isnan(scores.values).all() and len(scores.reasons) == 2


def test_less_is_better_and_a_limit_makes_a_check_of_it():
    latency = load_metric("latency")
    assert latency.direction == "lower" and not latency.needs_reference
    quick = load_metric({"name": "checks", "checks": [{"metric": "latency", "threshold": 1}]})
    assert quick.needs_outputs
    scores = quick.score_outputs(OUTPUTS)
    assert scores.values == pytest.approx([1, 0, np.nan], nan_ok=True)
    assert scores.reasons[1] == "failed: latency 1.5 (needs 1 or less)"


def test_an_unknown_part_or_column_is_one_sentence():
    with pytest.raises(MetricError, match="total, prompt or completion, not 'all'"):
        load_metric({"name": "tokens", "which": "all"})
    with pytest.raises(MetricError, match="Did you mean 'seconds'"):
        load_metric({"name": "latency", "column": "second"}).score_outputs(OUTPUTS)
