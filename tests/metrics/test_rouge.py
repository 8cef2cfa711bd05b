"""All four ROUGEs equal rouge-score, stemmed and not, over texts of every kind."""

from __future__ import annotations

import random
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rouge_score.rouge_scorer import RougeScorer

from workbench.errors import MetricError
from workbench.metrics import load_metric
from workbench.metrics.rouge import common_places

THEIRS = {"rouge_1": "rouge1", "rouge_2": "rouge2", "rouge_l": "rougeL", "rouge_lsum": "rougeLsum"}
WORDS = ["the", "a", "cat", "dogs", "running", "runs", "ran", "happily", "trees", "3", "x"]


def rouge_score(name, stem, output, references):
    scorer = RougeScorer([THEIRS[name]], use_stemmer=stem)
    return scorer.score_multi(references, output)[THEIRS[name]].fmeasure


def summary(rng):
    lines = (" ".join(rng.choices(WORDS, k=rng.randint(0, 12))) for _ in range(rng.randint(0, 4)))
    return "\n".join(lines)


@pytest.mark.parametrize("stem", [False, True])
@pytest.mark.parametrize("name", list(THEIRS))
def test_it_equals_rouge_score_with_the_best_of_several_references(name, stem):
    rng = random.Random(3)
    outputs = [summary(rng) for _ in range(150)] + ["", "日本語", "Hello, WORLD-wide 3.5\r\nagain"]
    several = [[summary(rng) or "cat", summary(rng) or "dog"] for _ in outputs]
    expected = [rouge_score(name, stem, o, refs) for o, refs in zip(outputs, several, strict=True)]
    values = load_metric({"name": name, "stem": stem}).score(outputs, several).values
    assert values == pytest.approx(expected, abs=1e-9)


@settings(deadline=None, max_examples=150)
@given(st.sampled_from(list(THEIRS)), st.text("ab \n.É", max_size=40), st.text("ab \n.É", max_size=40))
def test_it_equals_rouge_score_for_any_text(name, output, reference):
    expected = rouge_score(name, False, output, [reference])
    assert load_metric(name).score_one(output, [reference]) == pytest.approx(expected, abs=1e-9)


@settings(deadline=None)
@given(st.text("abc", max_size=90), st.text("abc", max_size=90))
def test_the_places_found_are_a_longest_common_subsequence(reference, other):
    from rapidfuzz.distance import LCSseq

    places = common_places(list(reference), list(other))[::-1]
    letters = iter(other)
    assert places == sorted(set(places))
    assert all(reference[place] in letters for place in places), "a subsequence of the other text too"
    assert len(places) == LCSseq.similarity(reference, other)


def test_the_lines_of_a_summary_may_come_in_any_order():
    swapped, reference = "c d\na b", "a b\nc d"
    assert load_metric("rouge_l").score_one(swapped, [reference]) == 0.5
    assert load_metric("rouge_lsum").score_one(swapped, [reference]) == 1.0


def test_too_many_lines_are_unscored_with_the_reason():
    scores = load_metric("rouge_lsum").score(["a\n" * 100_001, "a"], ["a\nb\n", "a"])
    assert scores.values[1] == 1
    assert "too many lines" in scores.reasons[0]


def test_stems_without_their_package_are_one_sentence(monkeypatch):
    monkeypatch.setitem(sys.modules, "nltk.stem.porter", None)
    with pytest.raises(MetricError, match=r"'rouge_1': `stem: true` needs the package nltk"):
        load_metric({"name": "rouge_1", "stem": True})
    assert load_metric("rouge_1").score_one("runs", ["run"]) == 0


def test_a_wrong_setting_names_the_metric_and_the_setting():
    with pytest.raises(MetricError, match=r"'rouge_2': `stem` is true or false, not 'yes'"):
        load_metric({"name": "rouge_2", "stem": "yes"})
