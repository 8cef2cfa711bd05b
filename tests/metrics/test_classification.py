"""F1, precision, recall and Matthews equal scikit-learn's, whatever the labels and the gaps."""

from __future__ import annotations

import time
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import f1_score, matthews_corrcoef, precision_score, recall_score

from workbench.errors import MetricError
from workbench.metrics import load_metric

THEIRS = {
    "macro_f1": (f1_score, "macro"),
    "micro_f1": (f1_score, "micro"),
    "weighted_f1": (f1_score, "weighted"),
    "precision": (precision_score, "macro"),
    "recall": (recall_score, "macro"),
}
NOTHING = "(no label)"
LABELS = ["cat", "dog", "bird"]
rows = st.lists(
    st.tuples(st.sampled_from([*LABELS, " Cat", "DOG", "fish", None, "", "  "]), st.sampled_from(LABELS)),
    min_size=1,
    max_size=30,
)


def value(spec, predictions, references):
    metric = load_metric(spec)
    return metric.value(metric.score(predictions, references))


def theirs(function, predictions, references, **how):
    """scikit-learn's value; what is no label of the references is one more label of the predictions."""
    labels = sorted(set(references))
    said = [(text or "").strip().lower() for text in predictions]
    said = [text if text in labels else NOTHING for text in said]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if function is matthews_corrcoef:
            return function(references, said)
        return function(references, said, zero_division=0, **({"labels": labels} | how))


@settings(deadline=None, max_examples=60)
@given(rows)
def test_every_average_equals_scikit_learns(pairs):
    predictions, references = [p for p, _ in pairs], [r for _, r in pairs]
    for name, (function, average) in THEIRS.items():
        expected = theirs(function, predictions, references, average=average)
        assert value(name, predictions, references) == pytest.approx(expected, abs=1e-12), name
    for name in ("precision", "recall"):
        for average in ("micro", "weighted"):
            expected = theirs(THEIRS[name][0], predictions, references, average=average)
            ours = value({"name": name, "average": average}, predictions, references)
            assert ours == pytest.approx(expected, abs=1e-12), (name, average)


@settings(deadline=None, max_examples=60)
@given(rows)
def test_matthews_equals_scikit_learns(pairs):
    predictions, references = [p for p, _ in pairs], [r for _, r in pairs]
    expected = theirs(matthews_corrcoef, predictions, references)
    assert value("matthews", predictions, references) == pytest.approx(expected, abs=1e-9)


@settings(deadline=None, max_examples=40)
@given(st.lists(st.tuples(st.sampled_from([*LABELS, "fish"]), st.sampled_from(LABELS)), min_size=1))
def test_all_labels_is_scikit_learn_as_it_comes(pairs):
    predictions, references = [p for p, _ in pairs], [r for _, r in pairs]
    for name, (function, average) in THEIRS.items():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            expected = function(references, predictions, average=average, zero_division=0)
        ours = value({"name": name, "labels": "all"}, predictions, references)
        assert ours == pytest.approx(expected, abs=1e-12), name


def test_one_label_is_the_positive_class():
    predictions, references = ["yes", "no", "yes", None, "yes"], ["yes", "yes", "no", "yes", "yes"]
    assert value({"name": "precision", "label": "yes"}, predictions, references) == 2 / 3
    assert value({"name": "recall", "label": "yes"}, predictions, references) == 2 / 4
    # YAML reads `label: yes` as true
    assert value({"name": "recall", "label": True}, predictions, references) == 2 / 4
    assert value({"name": "macro_f1", "labels": ["yes"]}, predictions, references) == pytest.approx(4 / 7)


def test_no_answer_is_a_wrong_row_and_no_predicted_label():
    metric = load_metric("precision")
    scores = metric.score(["cat", None, "  "], ["cat", "cat", "cat"])
    assert scores.values.tolist() == [1, 0, 0]
    assert scores.sufficient.tolist() == [[1, 1, 1], [0, 0, 1], [0, 0, 1]]
    assert metric.value(scores) == 1.0
    assert value("recall", ["cat", None, "  "], ["cat", "cat", "cat"]) == pytest.approx(1 / 3)


def test_rambling_adds_no_classes():
    references = ["cat", "dog"] * 10
    right = value("macro_f1", references[:16] + [None] * 4, references)
    rambling = references[:16] + [f"Well, number {n}" for n in range(4)]
    assert value("macro_f1", rambling, references) == right
    assert value({"name": "macro_f1", "labels": "all"}, rambling, references) < right / 2


def test_an_accepted_reference_counts_as_the_actual_label():
    scores = load_metric("macro_f1").score(["b", "c"], [["a", "b"], ["a", "b"]])
    assert scores.values.tolist() == [1, 0]
    assert scores.blocks == ("a", "b")
    assert scores.sufficient.tolist() == [[0, 0, 0, 1, 1, 1], [0, 0, 1, 0, 0, 0]]


@pytest.mark.parametrize("name", [*THEIRS, "matthews"])
def test_one_label_only_and_all_wrong_are_defined(name):
    assert value(name, ["a", "a"], ["a", "a"]) == (0 if name == "matthews" else 1)
    assert value(name, [None, None], ["a", "b"]) == 0
    assert value(name, ["b", "a"], ["a", "b"]) == (-1 if name == "matthews" else 0)


def test_rows_without_a_reference_are_left_out_of_every_count():
    scores = load_metric("macro_f1").score(["a", "b", "b"], ["a", None, "b"])
    assert np.isnan(scores.values).tolist() == [False, True, False]
    assert np.isnan(scores.sufficient[1]).all()
    assert load_metric("macro_f1").estimate(scores).n == 2


def test_two_cells_that_name_different_labels_are_compared_label_by_label():
    metric = load_metric({"name": "macro_f1", "labels": "all"})
    references = ["a", "b"] * 20
    base = metric.score(["a", "x"] * 20, references)
    better = metric.score(["a", "b"] * 19 + ["a", "y"], references)
    found = metric.compare(base, better)
    assert found.difference == pytest.approx(metric.value(better) - metric.value(base))
    assert found.p < 0.01
    assert -1 <= found.low < found.difference < found.high <= 1


def test_a_label_of_a_single_row_makes_the_interval_wide():
    references = ["a", "b"] * 100
    predictions = ["a", "b"] * 80 + ["a"] * 40
    metric = load_metric("macro_f1")
    common = metric.estimate(metric.score(predictions, references))
    rare = metric.estimate(metric.score([*predictions, "a"], [*references, "c"]))
    assert 0 <= rare.low < common.low and rare.high - rare.low > 3 * (common.high - common.low)


def test_more_than_two_hundred_labels_are_no_classification():
    many = [f"label {number}" for number in range(201)]
    with pytest.raises(MetricError, match=r"201 different labels .* use exact_match"):
        load_metric("macro_f1").score(many, many)
    with pytest.raises(MetricError, match="leave `labels: all` out"):
        load_metric({"name": "macro_f1", "labels": "all"}).score(many, ["a"] * 201)


def test_more_counts_than_memory_should_hold_are_refused(monkeypatch):
    monkeypatch.setattr("workbench.metrics.classification.MOST_NUMBERS", 100)
    with pytest.raises(MetricError, match="too many for 2 labels and 20 rows"):
        load_metric("macro_f1").score(["a", "b"] * 10, ["a", "b"] * 10)


def test_a_label_that_no_reference_has_leaves_the_rows_unscored_and_says_so():
    scores = load_metric({"name": "recall", "label": "spm"}).score(["spam", "ham"], ["spam", "ham"])
    assert np.isnan(scores.values).all()
    assert scores.reasons[0].startswith("No reference is labelled 'spm'. Did you mean 'spam'?")


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ({"name": "precision", "average": "makro"}, "macro, micro or weighted, not 'makro'"),
        ({"name": "recall", "label": "a", "labels": ["b"]}, "not both"),
        ({"name": "macro_f1", "labels": "some"}, "a list of labels, not 'some'"),
        ({"name": "macro_f1", "labels": []}, "a list of labels"),
    ],
)
def test_settings_that_mean_nothing_are_one_sentence(spec, words):
    with pytest.raises(MetricError, match=words):
        load_metric(spec)


def test_ten_thousand_rows_have_their_interval_at_once():
    rng = np.random.default_rng(0)
    references = [f"label {number}" for number in rng.integers(0, 10, 10_000)]
    predictions = [r if hit else "label 0" for r, hit in zip(references, rng.random(10_000) < 0.7)]
    metric = load_metric("macro_f1")
    started = time.process_time()
    estimate = metric.estimate(metric.score(predictions, references))
    assert time.process_time() - started < 3
    assert estimate.low < estimate.mean < estimate.high and estimate.high - estimate.low < 0.03
