"""Nearness in meaning: the cosine between the embeddings of an output and of its reference.

metrics: [{name: semantic_similarity, model: ./models/all-MiniLM-L6-v2}]
"""

from __future__ import annotations

import importlib.util
import sys
from functools import lru_cache
from typing import Any, Protocol

import numpy as np

from workbench.errors import MetricError
from workbench.metrics.base import Metric
from workbench.metrics.registry import metric
from workbench.metrics.scores import FloatArray, Scores

PACKAGE = "sentence_transformers"
DEFAULT = "sentence-transformers/all-MiniLM-L6-v2"
BATCH = 64


class Encoder(Protocol):
    """What sentence-transformers' models do."""

    def encode(self, sentences: list[str], **settings: Any) -> Any:
        """One vector a text, (n, d)."""


@metric
class SemanticSimilarity(Metric):
    """Cosine of the embeddings of output and reference, the nearest of several; the mean is the score.

    `model` is a sentence-transformers model: a folder, or a name on the Hugging Face hub, which is
    downloaded at its first use. Scores of different models cannot be compared, and what counts as near
    depends on the model. No answer scores 0. Range -1 to 1.
    """

    name = "semantic_similarity"
    description = "Mean cosine similarity of sentence embeddings of output and reference."
    range = (-1.0, 1.0)
    source = "Reimers & Gurevych, Sentence-BERT, EMNLP 2019; embeddings by sentence-transformers."

    def __init__(self, model: str = DEFAULT) -> None:
        if not isinstance(model, str) or not model.strip():
            raise MetricError("Metric 'semantic_similarity': `model` is a folder or a name on the hub.")
        if PACKAGE not in sys.modules and importlib.util.find_spec(PACKAGE) is None:
            raise MetricError(
                "Metric 'semantic_similarity' needs the package sentence-transformers; install it with "
                "pip install 'workbench[semantic]'."
            )
        self.model = model

    def score_rows(self, predictions: list[str], references: list[list[str]]) -> Scores:
        """Every different text is embedded once."""
        if not predictions:
            return Scores(np.empty(0))
        texts = list(dict.fromkeys([*predictions, *(text for several in references for text in several)]))
        vectors = dict(zip(texts, self._embedded(texts), strict=True))
        best = [
            max(float(vectors[said] @ vectors[text]) for text in several)
            for said, several in zip(predictions, references, strict=True)
        ]
        return Scores(np.clip(np.array(best), -1.0, 1.0))

    def signature(self) -> str:
        """The model, without which the score says nothing."""
        return f"model:{self.model}"

    def _embedded(self, texts: list[str]) -> FloatArray:
        """Vectors of length one, (n, d); of length zero where the model gives none."""
        encoder = load_encoder(self.model)
        try:
            found = encoder.encode(texts, batch_size=BATCH, show_progress_bar=False)
        except Exception as problem:
            raise MetricError(
                f"Metric 'semantic_similarity': model '{self.model}' cannot embed these texts: {problem}"
            ) from problem
        vectors = np.asarray(found, dtype=np.float64)
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        return np.divide(vectors, lengths, out=np.zeros_like(vectors), where=lengths > 0)


@lru_cache(maxsize=2)
def load_encoder(model: str) -> Encoder:
    """A model in memory. Raises MetricError with what to do when it cannot be had."""
    import sentence_transformers

    try:
        loaded: Encoder = sentence_transformers.SentenceTransformer(model, trust_remote_code=False)
    except Exception as problem:
        raise MetricError(
            f"Metric 'semantic_similarity': model '{model}' cannot be loaded ({problem}); without a network, "
            "give `model` a folder on this machine."
        ) from problem
    return loaded
