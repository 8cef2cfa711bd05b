"""Checks put together: weights, thresholds, `not`, and what cannot be scored."""

from __future__ import annotations

import numpy as np
import pytest

from workbench.errors import MetricError, UnknownName
from workbench.metrics import CellOutputs, Scores, load_metric


def checks(*parts, **settings):
    return load_metric({"name": "checks", "checks": list(parts), **settings})


def values(metric, predictions, references):
    return metric.score(predictions, references).values.tolist()


def test_without_a_threshold_every_check_must_pass():
    metric = checks(
        "exact_match", {"metric": "contains", "not": True}, {"metric": "rouge_l", "threshold": 0.5}
    )
    assert values(checks("exact_match", "contains"), ["a b", "a b c"], ["a b", "a b"]) == [1, 0]
    assert values(metric, ["a b"], ["a b"]) == [0]  # what equals the reference contains it too


def test_the_score_is_the_weighted_mean_and_the_threshold_is_of_it():
    parts = [{"metric": "exact_match", "weight": 2}, {"metric": "rouge_l", "threshold": 0.9}]
    predictions, references = ["a b", "a c", "x"], ["a b", "a b", "a b"]
    mean = checks(*parts, give="score")
    assert values(mean, predictions, references) == pytest.approx([1, 0.5 / 3, 0])
    assert values(checks(*parts, threshold=0.1), predictions, references) == [1, 1, 0]
    assert values(checks(*parts, threshold=0.2), predictions, references) == [1, 0, 0]


def test_weights_that_add_up_to_the_threshold_reach_it():
    parts = [{"metric": "exact_match", "weight": w} for w in (0.1, 0.2)] + [
        {"metric": {"name": "exact_match", "reference": "other"}, "weight": 0.7}
    ]
    outputs = CellOutputs(["a"], ["a"], ["a"], ["a"], [{"other": "b"}])
    assert checks(*parts, threshold=0.3).score_outputs(outputs).values.tolist() == [1]


def test_not_turns_pass_and_score_round():
    metric = checks({"metric": "contains", "not": True})
    assert values(metric, ["it is a cat", "it is a dog"], ["cat", "cat"]) == [0, 1]
    score = checks({"metric": "rouge_l", "threshold": 0.5, "not": True}, give="score")
    assert values(score, ["a b", "a c"], ["a b", "a b"]) == pytest.approx([0, 0.5])
    passes = checks({"metric": "rouge_l", "threshold": 0.5, "not": True})
    assert values(passes, ["a b", "a c", "c d"], ["a b", "a b", "a b"]) == [0, 0, 1]


def test_where_less_is_better_a_check_passes_at_its_threshold_or_under():
    metric = checks({"metric": "ter", "threshold": 50})
    assert values(metric, ["a b", "a c", "c d"], ["a b", "a b", "a b"]) == [1, 1, 0]
    # without an upper bound there is no share between 0 and 1: it counts as pass or fail
    score = checks({"metric": "ter", "threshold": 50}, give="score")
    assert values(score, ["a b", "a c", "c d"], ["a b", "a b", "a b"]) == [1, 1, 0]


def test_weight_zero_is_reported_and_never_fails():
    metric = checks(
        "exact_match", {"metric": "contains", "weight": 0, "not": True}, {"metric": "f1", "weight": 0}
    )
    scores = metric.score(["a"], ["a"])
    assert scores.values.tolist() == [1]
    assert scores.reasons == {0: "only reported: not contains"}


def test_reasons_name_the_checks_that_failed():
    metric = checks(
        "exact_match",
        {"metric": {"name": "rouge_l", "as": "overlap"}, "threshold": 0.5},
        {"metric": "ter", "threshold": 20},
    )
    scores = metric.score(["a b", "a c"], ["a b", "a b"])
    assert scores.reasons == {1: "failed: exact_match, ter 50 (needs 20 or less)"}
    (reason,) = metric.score(["x"], ["a b"]).reasons.values()
    assert "overlap 0 (needs 0.5 or more)" in reason


def test_a_check_that_cannot_score_a_row_leaves_it_unscored_with_the_reason():
    metric = checks("exact_match", {"metric": {"name": "exact_match", "reference": "style"}, "weight": 3})
    rows = [{"style": "a"}, {"style": None}]
    scores = metric.score_outputs(CellOutputs(["a", "a"], ["a", "a"], ["a", "a"], ["a", "a"], rows))
    assert scores.values[0] == 1 and np.isnan(scores.values[1])
    assert scores.reasons == {1: "exact_match: not scored"}
    bare = checks("exact_match").score(["a"], [None])
    assert np.isnan(bare.values).all() and bare.reasons == {0: "exact_match: the row has no reference"}


def test_a_check_of_weight_zero_that_cannot_score_a_row_does_not_matter():
    metric = checks("exact_match", {"metric": {"name": "exact_match", "reference": "style"}, "weight": 0})
    outputs = CellOutputs(["a"], ["a"], ["a"], ["a"], [{"style": None}])
    assert metric.score_outputs(outputs).values.tolist() == [1]


def test_checks_may_hold_checks():
    either = {"name": "checks", "threshold": 0.5, "checks": ["exact_match", "contains"]}
    metric = checks({"metric": either}, {"metric": "contains", "not": True})
    assert values(metric, ["a b c", "b"], ["b", "b"]) == [0, 0]
    assert values(checks({"metric": either}), ["a b c", "x"], ["b", "b"]) == [1, 0]
    inner = {**either, "give": "score"}
    with pytest.raises(MetricError, match="'checks' gives more than right or wrong"):
        checks({"metric": inner})


def test_what_the_parts_need_is_what_the_whole_needs():
    plain = checks("exact_match")
    assert plain.needs_reference and not plain.needs_outputs and not plain.asks_models
    assert plain.kind == "proportion" and checks("exact_match", give="score").kind == "mean"
    assert checks({"metric": {"name": "exact_match", "of": "text"}}).needs_outputs


def test_of_text_reaches_the_checks():
    outputs = CellOutputs(["4"], ["4"], ["#### 4"], ["so #### 4"])
    assert checks("exact_match").score_outputs(outputs).values.tolist() == [1]
    assert checks("exact_match", of="text").score_outputs(outputs).values.tolist() == [0]


def test_a_pass_rate_has_the_interval_of_a_share():
    rows = ["a", "b", "b", "b"], ["a", "b", "b", "c"]
    metric, exact = checks("exact_match"), load_metric("exact_match")
    assert metric.estimate(metric.score(*rows)) == exact.estimate(exact.score(*rows))


def test_no_answer_fails_a_check_and_passes_its_opposite():
    assert values(checks("exact_match"), [None], ["a"]) == [0]
    assert values(checks({"metric": "contains", "not": True}), [None], ["a"]) == [1]


def test_no_rows_are_no_scores():
    assert isinstance(checks("exact_match").score([], []), Scores)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({}, "needs a list of `checks`"),
        ({"checks": []}, "needs a list of `checks`"),
        ({"checks": {"metric": "exact_match"}}, "needs a list of `checks`"),
        ({"checks": [{"weight": 1}]}, "check 1: it needs a `metric`"),
        ({"checks": ["exact_match", 7]}, "check 2: it needs a `metric`"),
        ({"checks": [{"metric": "f1"}]}, "'f1' gives more than right or wrong; say with `threshold`"),
        ({"checks": [{"metric": "exact_match", "wieght": 1}]}, "no key 'wieght'. Did you mean 'weight'"),
        ({"checks": [{"metric": "bleu", "tokenize": "zh"}]}, "stand inside `metric`"),
        ({"checks": [{"metric": "exact_match", "weight": -1}]}, "a number from 0 upwards, not -1"),
        ({"checks": [{"metric": "exact_match", "weight": "two"}]}, "not 'two'"),
        ({"checks": [{"metric": "exact_match", "weight": 0}]}, "every check has weight 0"),
        ({"checks": [{"metric": "exact_match", "not": "no"}]}, "`not` is true or false"),
        ({"checks": [{"metric": "f1", "threshold": float("nan")}]}, "is a number, not nan"),
        ({"checks": ["exact_match"], "threshold": 70}, "a number from 0 to 1, not 70"),
        ({"checks": ["exact_match"], "give": "both"}, "`give` is pass or score"),
    ],
)
def test_what_is_written_wrongly_is_one_sentence(settings, words):
    with pytest.raises(MetricError, match=words):
        load_metric({"name": "checks", **settings})


def test_an_unknown_metric_inside_offers_the_nearest_one():
    with pytest.raises(UnknownName, match="Did you mean 'exact_match'"):
        checks("exact_mach")


def test_an_uneven_number_of_rows_is_refused():
    with pytest.raises(MetricError, match="2 predictions but 1 references"):
        checks("exact_match").score(["a", "b"], ["a"])
