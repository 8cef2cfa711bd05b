"""Variety and stability over the repeats of a row."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import sacrebleu
from hypothesis import given, settings
from hypothesis import strategies as st
from rapidfuzz.distance import Levenshtein

from workbench.errors import MetricError
from workbench.metrics import CellOutputs, load_metric


def cell(*rows, answers=None):
    """Outputs of several rows, each a list of texts."""
    texts = [text for row in rows for text in row]
    group = np.repeat(np.arange(len(rows)), [len(row) for row in rows])
    empty = [None] * len(texts)
    return CellOutputs(texts if answers is None else answers, empty, empty, texts, [{}] * len(texts), group)


def values(spec, outputs):
    return load_metric(spec).score_outputs(outputs).values


def test_distinct_n_counts_the_pairs_of_words_that_differ():
    outputs = cell(["a b c", "A B d"], ["x y", "x y"])
    assert values("distinct_n", outputs) == pytest.approx([3 / 4, 3 / 4, 1 / 2, 1 / 2])
    assert values({"name": "distinct_n", "n": 1}, outputs) == pytest.approx([4 / 6, 4 / 6, 2 / 4, 2 / 4])


def test_self_bleu_is_the_mean_of_sacrebleus_sentences():
    rows = [["the cat sat on the mat", "the cat sat on a mat", "a dog ran"], ["one two three four"] * 2]
    expected = []
    for row in rows:
        each = [
            sacrebleu.sentence_bleu(text, row[:place] + row[place + 1 :]).score
            for place, text in enumerate(row)
        ]
        expected += [sum(each) / len(each)] * len(row)
    assert values("self_bleu", cell(*rows)) == pytest.approx(expected, abs=1e-9)
    assert expected[-1] == pytest.approx(100)


def test_stability_is_the_share_of_pairs_that_agree():
    outputs = cell(["x"] * 4, ["y"] * 2, answers=["4", "4.0", "5", None, None, None])
    # one pair of six agrees; missing answers agree with nothing
    assert values("stability", outputs) == pytest.approx([1 / 6] * 4 + [0, 0])


@settings(deadline=None, max_examples=50)
@given(st.lists(st.sampled_from(["yes", "no", "Yes.", None]), min_size=2, max_size=9))
def test_stability_counts_every_pair(answers):
    agree = [
        a is not None and b is not None and a.lower().strip(".") == b.lower().strip(".")
        for a, b in itertools.combinations(answers, 2)
    ]
    outputs = cell(["text"] * len(answers), answers=answers)
    assert values("stability", outputs) == pytest.approx([np.mean(agree)] * len(answers))


def test_stability_of_whole_texts_by_edits():
    texts = ["the cat", "the cats", "a dog"]
    spec = {"name": "stability", "of": "text", "similarity": "levenshtein"}
    expected = np.mean([Levenshtein.normalized_similarity(a, b) for a, b in itertools.combinations(texts, 2)])
    assert values(spec, cell(texts, answers=["1", "1", "1"])) == pytest.approx([expected] * 3)
    assert values({"name": "stability", "of": "text"}, cell(texts, answers=["1"] * 3)) == pytest.approx(
        [0] * 3
    )


@pytest.mark.parametrize("name", ["distinct_n", "self_bleu", "stability"])
class TestOverRepeats:
    def test_a_row_with_one_output_is_unscored_and_says_what_to_do(self, name):
        scores = load_metric(name).score_outputs(cell(["a b", "a b"], ["a b"]))
        assert np.isnan(scores.values).tolist() == [False, False, True]
        assert "`repeats: 2`" in scores.reasons[2]

    def test_the_interval_takes_whole_rows(self, name):
        metric = load_metric(name)
        outputs = cell(*[["a b c", "a b c"], ["a b", "c d"], ["x y", "x y"]] * 5)
        scores = metric.score_outputs(outputs)
        by_row = metric.estimate(scores, clusters=outputs.group)
        once = metric.estimate(scores)
        assert by_row.high - by_row.low > once.high - once.low

    def test_predictions_without_their_rows_are_unscored(self, name):
        assert np.isnan(load_metric(name).score(["a b", "a b"]).values).all()

    def test_a_column_says_which_outputs_of_a_file_belong_together(self, name):
        rows = [{"question": "q1"}, {"question": "q2"}, {"question": "q1"}]
        outputs = CellOutputs(["a b"] * 3, [None] * 3, [None] * 3, ["a b"] * 3, rows)
        found = load_metric({"name": name, "by": "question"}).score_outputs(outputs).values
        assert np.isnan(found).tolist() == [False, True, False]
        with pytest.raises(MetricError, match="Did you mean 'question'"):
            load_metric({"name": name, "by": "qestion"}).score_outputs(outputs)


def test_empty_outputs_and_huge_ones_are_unscored_with_the_reason():
    empty = load_metric("self_bleu").score_outputs(cell(["", ""]))
    assert np.isnan(empty.values).all() and empty.reasons[0] == "every output is empty"
    assert "no output has 2 words" in load_metric("distinct_n").score_outputs(cell(["a", ""])).reasons[0]
    huge = load_metric("self_bleu").score_outputs(cell(["a " * 500_000, "b"]))
    assert "1,000,000 characters" in huge.reasons[0]


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ({"name": "distinct_n", "n": 0}, "whole number from 1 on, not 0"),
        ({"name": "distinct_n", "n": "two"}, "not 'two'"),
        ({"name": "stability", "similarity": "cosine"}, "exact or levenshtein, not 'cosine'"),
    ],
)
def test_settings_that_mean_nothing_are_one_sentence(spec, words):
    with pytest.raises(MetricError, match=words):
        load_metric(spec)
