"""BLEU, chrF, TER, ROUGE-L and token F1 equal their reference implementations."""

from __future__ import annotations

import collections
import random
import re
import string
from itertools import zip_longest

import numpy as np
import pytest
import sacrebleu
from hypothesis import given, settings
from hypothesis import strategies as st
from rouge_score.rouge_scorer import RougeScorer
from sacrebleu.metrics import BLEU, CHRF, TER

from workbench.metrics import load_metric

WORDS = ["the", "a", "cat", "dog", "sat", "ran", "on", "under", "mat,", "tree.", "and", "3.5", "it's", "café"]
CLASSES = {"bleu": BLEU, "chrf": CHRF, "ter": TER}


def corpus(rows, references=1, seed=0):
    rng = random.Random(seed)
    first = [" ".join(rng.choices(WORDS, k=rng.randint(1, 14))) for _ in range(rows)]
    outputs = [" ".join(w for w in text.split() if rng.random() < 0.8) for text in first]
    several = [
        [text, *(" ".join(rng.sample(text.split(), len(text.split()))) for _ in range(references - 1))]
        for text in first
    ]
    return outputs, several


@pytest.mark.parametrize("references", [1, 3])
@pytest.mark.parametrize("name", list(CLASSES))
def test_corpus_scores_equal_sacrebleu(name, references):
    outputs, several = corpus(60, references)
    streams = list(zip(*several, strict=True))
    metric = load_metric(name)
    scores = metric.score(outputs, several)
    theirs = CLASSES[name]()
    assert metric.value(scores) == pytest.approx(theirs.corpus_score(outputs, streams).score, abs=1e-9)
    assert metric.signature() == str(theirs.get_signature())


@pytest.mark.parametrize(
    ("name", "function"),
    [("bleu", sacrebleu.sentence_bleu), ("chrf", sacrebleu.sentence_chrf), ("ter", sacrebleu.sentence_ter)],
)
def test_row_scores_equal_sacrebleu_sentences(name, function):
    outputs, several = corpus(80, 2, seed=3)
    outputs += ["", "cat", "nothing shared whatsoever"]
    several += [["the cat sat"], ["cat"], ["the cat sat on the mat"]]
    values = load_metric(name).score(outputs, several).values
    expected = [function(o, r).score for o, r in zip(outputs, several, strict=True)]
    assert values == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize(
    ("spec", "theirs"),
    [
        ({"name": "bleu", "lowercase": True, "tokenize": "char"}, BLEU(lowercase=True, tokenize="char")),
        ({"name": "bleu", "max_ngram_order": 2}, BLEU(max_ngram_order=2)),
        ({"name": "chrf", "word_order": 2}, CHRF(word_order=2)),
        ({"name": "ter", "normalized": True}, TER(normalized=True)),
    ],
)
def test_settings_are_sacrebleus(spec, theirs):
    outputs, several = corpus(40, seed=5)
    metric = load_metric(spec)
    expected = theirs.corpus_score(outputs, list(zip(*several, strict=True)))
    assert metric.value(metric.score(outputs, several)) == pytest.approx(expected.score, abs=1e-9)
    assert metric.signature() == str(theirs.get_signature())


@pytest.mark.parametrize("name", list(CLASSES))
def test_short_corpora_and_single_rows_equal_sacrebleu(name):
    metric, theirs = load_metric(name), CLASSES[name]()
    for seed in range(40):
        outputs, several = corpus(1 + seed % 3, seed=seed)
        expected = theirs.corpus_score(outputs, list(zip(*several, strict=True))).score
        assert metric.value(metric.score(outputs, several)) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("name", list(CLASSES))
def test_any_subset_of_rows_is_scored_from_its_sums(name):
    outputs, several = corpus(30, seed=7)
    metric = load_metric(name)
    whole = metric.score(outputs, several)
    chosen = [0, 3, 3, 8, 21]
    again = metric.score([outputs[i] for i in chosen], [several[i] for i in chosen])
    sums = np.stack([whole.sufficient[chosen].sum(axis=0)] * 2)
    assert metric.aggregate(sums) == pytest.approx([metric.value(again)] * 2)


@settings(deadline=None, max_examples=60)
@given(
    st.lists(
        st.tuples(
            st.text("ab. ", max_size=12), st.lists(st.text("ab. ", max_size=12), min_size=1, max_size=3)
        ),
        min_size=1,
        max_size=6,
    )
)
def test_bleus_counts_equal_sacrebleus_for_any_texts(rows):
    outputs, several = [output for output, _ in rows], [references for _, references in rows]
    streams = list(zip_longest(*several))
    expected = BLEU(force=True)._extract_corpus_statistics(outputs, streams)
    assert load_metric("bleu").score_rows(outputs, several).sufficient.tolist() == expected


def test_rows_may_have_different_numbers_of_references():
    outputs, several = corpus(20, 2, seed=9)
    several[3] = several[3][:1]
    streams = [[refs[i] if i < len(refs) else None for refs in several] for i in range(2)]
    metric = load_metric("bleu")
    expected = BLEU().corpus_score(outputs, streams).score
    assert metric.value(metric.score(outputs, several)) == pytest.approx(expected, abs=1e-9)
    assert "nrefs:var" in metric.signature()


def test_rouge_l_equals_rouge_score():
    outputs, several = corpus(200, 2, seed=2)
    outputs += ["", "日本語", "Hello, WORLD-wide 3.5"]
    several += [["the cat"], ["日本語"], ["hello world wide 3 5"]]
    scorer = RougeScorer(["rougeL"], use_stemmer=False)
    expected = [
        scorer.score_multi(refs, output)["rougeL"].fmeasure
        for output, refs in zip(outputs, several, strict=True)
    ]
    assert load_metric("rouge_l").score(outputs, several).values == pytest.approx(expected, abs=1e-9)


def squad_f1(prediction, gold):
    """The official SQuAD 2.0 evaluation script's compute_f1."""

    def tokens(text):
        text = "".join(ch for ch in text.lower() if ch not in set(string.punctuation))
        return " ".join(re.sub(r"\b(a|an|the)\b", " ", text).split()).split()

    gold_tokens, predicted = tokens(gold), tokens(prediction)
    same = sum((collections.Counter(gold_tokens) & collections.Counter(predicted)).values())
    if len(gold_tokens) == 0 or len(predicted) == 0:
        return float(gold_tokens == predicted)
    if same == 0:
        return 0.0
    precision, recall = same / len(predicted), same / len(gold_tokens)
    return 2 * precision * recall / (precision + recall)


def test_f1_equals_the_squad_script_and_takes_the_best_reference():
    outputs, several = corpus(150, 2, seed=4)
    outputs += ["the", "The U.S.A."]
    several += [["a"], ["usa", "x"]]
    expected = [max(squad_f1(o, r) for r in refs) for o, refs in zip(outputs, several, strict=True)]
    assert load_metric("f1").score(outputs, several).values == pytest.approx(expected)


def test_accuracy_forgives_case_and_spaces_and_nothing_else():
    values = (
        load_metric("accuracy")
        .score(
            [" Positive", "positive.", None, "neutral"],
            ["positive", "positive", "negative", ["neutral", "mixed"]],
        )
        .values
    )
    assert values.tolist() == [1, 0, 0, 1]
