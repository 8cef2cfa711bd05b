"""METEOR against examples worked by hand, and what it says where its data is missing."""

from __future__ import annotations

import sys
from types import SimpleNamespace

import pytest

from workbench.errors import MetricError
from workbench.metrics import load_metric


class Synonyms:
    """A WordNet of two words."""

    def ensure_loaded(self):
        pass

    def synsets(self, word):
        lemmas = [SimpleNamespace(name=lambda name=name: name) for name in ("car", "auto")]
        return [SimpleNamespace(lemmas=lambda: lemmas)] if word in ("car", "auto") else []


@pytest.fixture
def wordnet(monkeypatch):
    pytest.importorskip("nltk")
    import nltk.corpus

    def put(found):
        monkeypatch.setattr(nltk.corpus, "wordnet", found)

    return put


def test_words_are_matched_by_form_stem_and_synonym(wordnet):
    wordnet(Synonyms())
    metric = load_metric("meteor")
    # the–the, auto–car, stopped–stops side by side: three matches in one chunk; then a word too many
    precision, recall = 3 / 4, 3 / 3
    expected = (1 - 0.5 * (1 / 3) ** 3) * precision * recall / (0.9 * precision + 0.1 * recall)
    assert metric.score_one("The auto stopped suddenly", ["the car stops"]) == pytest.approx(expected)


def test_words_out_of_order_cost_the_penalty_of_their_chunks():
    metric = load_metric({"name": "meteor", "synonyms": False})
    assert metric.score_one("a b", ["a b"]) == pytest.approx(1 - 0.5 / 8)
    assert metric.score_one("b a", ["a b"]) == pytest.approx(0.5)
    assert metric.score_one("x", ["a b"]) == 0
    assert metric.score_one("", ["a b"]) == 0


def test_the_published_example_of_the_package():
    hypothesis = (
        "It is a guide to action which ensures that the military always obeys the commands of the party"
    )
    reference = "It is a guide to action that ensures that the military will forever heed Party commands"
    metric = load_metric({"name": "meteor", "synonyms": False})
    assert metric.score_one(hypothesis, [reference, "nothing alike"]) == pytest.approx(0.6944, abs=5e-5)


def test_without_synonyms_no_word_means_the_same_as_another():
    assert load_metric({"name": "meteor", "synonyms": False}).score_one("auto", ["car"]) == 0


def test_missing_data_is_one_sentence_and_nothing_is_downloaded(wordnet, monkeypatch):
    import nltk

    class Absent(Synonyms):
        def ensure_loaded(self):
            raise LookupError("a page of text")

    wordnet(Absent())
    monkeypatch.setattr(nltk, "download", lambda *_, **__: pytest.fail("it downloads"))
    with pytest.raises(
        MetricError, match=r"nltk's data `wordnet` .* nothing is downloaded by itself"
    ) as caught:
        load_metric("meteor")
    assert "synonyms: false" in str(caught.value)


def test_a_missing_package_is_one_sentence(monkeypatch):
    monkeypatch.setitem(sys.modules, "nltk.corpus", None)
    with pytest.raises(MetricError, match="needs the package nltk"):
        load_metric("meteor")
