"""The confusion matrix and the table of labels, against scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import confusion_matrix, precision_recall_fscore_support

from workbench.errors import MetricError
from workbench.metrics.confusion import NONE, OTHER, confusion, no_labels
from workbench.statistics import proportion

LABELS = ["cat", "dog", "bird"]


@settings(deadline=None, max_examples=40)
@given(
    st.lists(
        st.tuples(st.sampled_from([*LABELS, "CAT ", "a fish", "", None]), st.sampled_from(LABELS)),
        min_size=1,
        max_size=40,
    )
)
def test_counts_and_shares_equal_scikit_learns(pairs):
    references = [reference for _, reference in pairs]
    labels = sorted(set(references))
    found = confusion([prediction for prediction, _ in pairs], references)
    said = [(prediction or "").strip().lower() for prediction, _ in pairs]
    said = [text if text in labels else OTHER if text else NONE for text in said]
    names = [*labels, OTHER, NONE]
    theirs = confusion_matrix(references, said, labels=names)[: len(labels)]
    wide = np.zeros_like(theirs)
    wide[:, [names.index(column) for column in found.columns]] = found.counts
    assert found.labels == tuple(labels) and (wide == theirs).all()
    precision, recall, f1, support = precision_recall_fscore_support(
        references, said, labels=labels, zero_division=0
    )
    assert [line.support for line in found.lines] == support.tolist()
    assert [line.recall.mean for line in found.lines] == pytest.approx(recall)
    assert [line.f1.mean for line in found.lines] == pytest.approx(f1)
    for line, theirs_here in zip(found.lines, precision):
        assert line.precision.mean == pytest.approx(theirs_here) if line.given else line.precision.n == 0


def test_intervals_are_those_of_the_rows_that_count():
    found = confusion(["a"] * 30 + ["b"] * 10, ["a"] * 20 + ["b"] * 20)
    first = found.lines[0]
    assert first.precision == proportion([1] * 20 + [0] * 10)
    assert first.recall.mean == 1 and first.recall.low < 1 and first.recall.n == 20
    assert first.f1.low < first.f1.mean < first.f1.high


def test_repeats_of_a_row_are_no_new_rows():
    predictions, references = ["a", "a", "b", "a"] * 5, ["a", "a", "a", "b"] * 5
    once = confusion(predictions, references).lines[0].recall
    same = confusion(predictions * 4, references * 4, clusters=list(range(20)) * 4).lines[0].recall
    assert same.high - same.low == pytest.approx(once.high - once.low, rel=0.1)


def test_mistakes_come_most_first():
    found = confusion(["b", "b", "a", None, "b", "what?"], ["a", "a", "b", "a", "b", "b"])
    assert found.columns == ("a", "b", OTHER, NONE)
    assert found.mistakes[0] == ("a", "b", 2)
    assert set(found.mistakes[1:]) == {("a", NONE, 1), ("b", OTHER, 1), ("b", "a", 1)}


def test_labels_are_shown_as_written_and_numbers_stand_by_value():
    found = confusion(["10", "9", "x"], ["10", 9, "Yes"])
    assert found.labels == ("9", "10", "Yes")


def test_rows_without_a_reference_are_counted_apart():
    found = confusion(["a", "b", "a"], ["a", None, "b"])
    assert found.unscored == 1 and found.counts.sum() == 2
    with pytest.raises(MetricError, match="No row has a reference"):
        confusion(["a"], [None])


@pytest.mark.parametrize(
    ("references", "words"),
    [
        ([None, ""], "No row has a reference"),
        ([str(number) for number in range(31)] * 2, "31 different texts; up to 30"),
        (["a"] * 5, "the same reference"),
        (["1", "2", "3", "4", "4"], "4 different references in 5 rows are answers"),
    ],
)
def test_references_that_are_no_labels_say_why(references, words):
    assert words in no_labels(references)


def test_few_references_that_come_again_are_labels():
    assert no_labels(["a", "b", None, ["A", "b"], "b"]) is None
