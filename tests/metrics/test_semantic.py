"""Cosines of embeddings, by an encoder small enough to do by hand; and what is said without the package."""

from __future__ import annotations

import math
import sys
import types

import numpy as np
import pytest

from workbench.errors import MetricError
from workbench.metrics import load_metric
from workbench.metrics.semantic import load_encoder

COLOURS = ["red", "green", "blue"]


class ByColour:
    """Counts three colours: a vector of three numbers."""

    asked: list[list[str]] = []

    def __init__(self, model, trust_remote_code):
        assert trust_remote_code is False
        if model == "missing":
            raise OSError("no such folder")

    def encode(self, sentences, **settings):
        self.asked.append(sentences)
        if "boom" in sentences:
            raise RuntimeError("out of memory")
        return np.array([[text.split().count(colour) for colour in COLOURS] for text in sentences])


@pytest.fixture
def _colours(monkeypatch):
    module = types.ModuleType("sentence_transformers")
    module.SentenceTransformer = ByColour
    monkeypatch.setitem(sys.modules, "sentence_transformers", module)
    monkeypatch.setattr(ByColour, "asked", [])
    load_encoder.cache_clear()
    yield
    load_encoder.cache_clear()


@pytest.mark.usefixtures("_colours")
def test_the_score_is_the_cosine_with_the_nearest_reference():
    metric = load_metric({"name": "semantic_similarity", "model": "./colours"})
    scores = metric.score(
        ["red", "red red", "green", "red green", None, "no colour"],
        ["red", "red", "red", ["blue", "green"], "red", "red"],
    )
    assert scores.values == pytest.approx([1, 1, 0, 1 / math.sqrt(2), 0, 0])
    assert metric.signature() == "model:./colours"


@pytest.mark.usefixtures("_colours")
def test_every_different_text_is_embedded_once():
    load_metric("semantic_similarity").score(["red"] * 50, ["red", "green"] * 25)
    assert ByColour.asked == [["red", "green"]]


@pytest.mark.usefixtures("_colours")
def test_a_model_that_cannot_be_had_says_what_to_do():
    with pytest.raises(MetricError, match=r"'missing' cannot be loaded .* a folder on this machine"):
        load_metric({"name": "semantic_similarity", "model": "missing"}).score(["a"], ["a"])
    with pytest.raises(MetricError, match="cannot embed these texts: out of memory"):
        load_metric("semantic_similarity").score(["boom"], ["a"])
    with pytest.raises(MetricError, match="`model` is a folder"):
        load_metric({"name": "semantic_similarity", "model": ""})


def test_without_the_package_one_sentence_says_what_to_install(monkeypatch):
    monkeypatch.delitem(sys.modules, "sentence_transformers", raising=False)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(MetricError, match=r"pip install 'workbench\[semantic\]'"):
        load_metric("semantic_similarity")
