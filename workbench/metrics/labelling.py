"""Texts as labels: which label each row should have, and which one it was given.

>>> labelled("macro_f1", ["Cat ", "fish"], [["cat"], ["dog", "fox"]])
Labelled(labels=("cat", "dog", "fox"), actual=array([0, 1]), predicted=array([0, -1]))
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from workbench.errors import MetricError
from workbench.metrics.text import text_of

MOST_LABELS = 200
_WORDS = {True: ("true", "yes", "on"), False: ("false", "no", "off")}


@dataclass(frozen=True)
class Labelled:
    """Rows of a classification: the label that each should have and the one that it was given.

    Attributes:
        labels: every label, case folded, sorted.
        actual: (n,) places in `labels`.
        predicted: (n,) places in `labels`; -1 for none of them.
    """

    labels: tuple[str, ...]
    actual: np.ndarray
    predicted: np.ndarray


def folded(label: str) -> str:
    """A label as it is compared."""
    return label.strip().casefold()


def labels_of(name: str, references: Sequence[Sequence[str]]) -> tuple[str, ...]:
    """The different labels of folded references, sorted. Raises MetricError where they are too many."""
    labels = tuple(sorted({label for texts in references for label in texts}))
    if len(labels) > MOST_LABELS:
        raise MetricError(
            f"Metric '{name}' is for classification, but the references hold {len(labels):,} different "
            f"labels (at most {MOST_LABELS}); use exact_match, or an answer rule that reads a label."
        )
    return labels


def labelled(name: str, predictions: Sequence[str], references: Sequence[Sequence[str]]) -> Labelled:
    """Texts as labels. Of several acceptable references the one that was given counts, else the first.

    Raises MetricError, on behalf of the metric `name`, where the references are no labels.
    """
    given = [folded(text) for text in predictions]
    accepted = [[folded(text) for text in texts] for texts in references]
    labels = labels_of(name, accepted)
    actual = [said if said in texts else texts[0] for said, texts in zip(given, accepted, strict=True)]
    place = {label: index for index, label in enumerate(labels)}
    return Labelled(
        labels,
        np.array([place[label] for label in actual], dtype=np.int64),
        np.array([place.get(label, -1) for label in given], dtype=np.int64),
    )


def spelled(label: Any, known: Sequence[str]) -> str:
    """A label as texts spell it: YAML reads `yes` and `no` as true and false."""
    if isinstance(label, bool):
        return next((word for word in _WORDS[label] if word in known), _WORDS[label][0])
    return folded(text_of(label) or "")
