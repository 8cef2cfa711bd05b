"""Which labels are mistaken for which: a confusion matrix, and each label's precision, recall and F1.

>>> found = confusion(["cat", "dog", "dog", None], ["cat", "cat", "dog", "dog"])
>>> found.labels, found.columns
(('cat', 'dog'), ('cat', 'dog', 'no answer'))
>>> found.counts                    # a row an actual label, a column what was given
array([[1, 1, 0], [0, 1, 1]])
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from workbench.errors import MetricError
from workbench.metrics.labelling import labelled
from workbench.metrics.text import canonical_number, reference_texts, text_of
from workbench.statistics import Estimate, bootstrap_statistic, proportion

MOST_SHOWN = 30  # labels of a matrix that can still be read
OTHER, NONE = "another text", "no answer"
"""Columns for outputs that name no label; only there where they occur."""


@dataclass(frozen=True)
class LabelLine:
    """One label: `support` rows have it, `given` rows were given it; the three shares with intervals."""

    label: str
    precision: Estimate
    recall: Estimate
    f1: Estimate
    support: int
    given: int


@dataclass(frozen=True)
class Confusion:
    """Who was taken for whom.

    Attributes:
        labels: those of the references, as they are first written; numbers by value, then by alphabet.
        columns: the labels, then `OTHER` and `NONE` where outputs name no label.
        counts: (labels, columns) outputs.
        lines: each label's shares, in the order of `labels`.
        unscored: outputs whose row has no reference.
    """

    labels: tuple[str, ...]
    columns: tuple[str, ...]
    counts: npt.NDArray[np.int64]
    lines: tuple[LabelLine, ...]
    unscored: int

    @property
    def mistakes(self) -> list[tuple[str, str, int]]:
        """(actual, given, outputs) of every square off the diagonal that is not empty, most first."""
        found = [
            (actual, given, int(self.counts[row, column]))
            for row, actual in enumerate(self.labels)
            for column, given in enumerate(self.columns)
            if column != row and self.counts[row, column]
        ]
        return sorted(found, key=lambda mistake: -mistake[2])


def confusion(
    predictions: Sequence[str | None],
    references: Sequence[Any],
    clusters: npt.ArrayLike | None = None,
    confidence: float = 0.95,
) -> Confusion:
    """The matrix and the table of labels; labels are compared as `accuracy` compares them.

    Precision and recall are shares with the interval of a share (of the outputs that were given the label,
    and that have it); F1 has a bootstrap over rows. `clusters`: one id an output, equal for repeats of a
    row. Raises MetricError where there are no references, or too many different ones to be labels.
    """
    texts = [reference_texts(reference) for reference in references]
    kept = np.array([bool(several) for several in texts], dtype=bool)
    if not kept.any():
        raise MetricError("No row has a reference, so there are no labels to compare with.")
    accepted = [several for several in texts if several]
    said = [text_of(text) or "" for text, there in zip(predictions, kept, strict=True) if there]
    rows = labelled("confusion", said, accepted)
    groups = None if clusters is None else np.asarray(clusters)[kept]
    written: dict[str, str] = {}
    for several in accepted:
        for text in several:
            written.setdefault(text.strip().casefold(), text.strip())
    order = sorted(range(len(rows.labels)), key=lambda place: _by_value(rows.labels[place]))
    # two columns more: texts that are no label, and no text at all
    given = np.where(rows.predicted >= 0, rows.predicted, len(order))
    given[[not text.strip() for text in said]] = len(order) + 1
    counts = np.zeros((len(order), len(order) + 2), dtype=np.int64)
    np.add.at(counts, (rows.actual, given), 1)
    there = [len(order) + extra for extra in (0, 1) if counts[:, len(order) + extra].any()]
    names = [written[rows.labels[place]] for place in order]
    return Confusion(
        labels=tuple(names),
        columns=(*names, *((OTHER, NONE)[place - len(order)] for place in there)),
        counts=counts[np.ix_(order, [*order, *there])],
        lines=tuple(
            _line(name, rows.actual == place, given == place, groups, confidence)
            for name, place in zip(names, order, strict=True)
        ),
        unscored=int(np.count_nonzero(~kept)),
    )


def no_labels(references: Sequence[Any], most: int = MOST_SHOWN) -> str | None:
    """Why these references do not look like labels, in one sentence; None where they do.

    Labels are few and come again: at most `most` different ones, each twice on average.
    """
    texts = [several[0] for several in map(reference_texts, references) if several]
    if not texts:
        return "No row has a reference."
    different = len({text.strip().casefold() for text in texts})
    if different > most:
        return f"The references are {different:,} different texts; up to {most} are read as labels."
    if different == 1:
        return "Every row has the same reference, so there is nothing to be mistaken for."
    if 2 * different > len(texts):
        return f"{different:,} different references in {len(texts):,} rows are answers rather than labels."
    return None


def _line(
    name: str, actual: np.ndarray, given: np.ndarray, groups: np.ndarray | None, confidence: float
) -> LabelLine:
    def share(of: np.ndarray) -> Estimate:
        right = (actual & given)[of].astype(np.float64)
        return proportion(right, None if groups is None else groups[of], confidence)

    counts = np.column_stack([actual & given, given, actual]).astype(np.float64)
    f1 = bootstrap_statistic(counts, _f1, groups, confidence, bounds=(0.0, 1.0))
    return LabelLine(name, share(given), share(actual), f1, int(actual.sum()), int(given.sum()))


def _f1(sums: np.ndarray) -> np.ndarray:
    bottom = sums[..., 1] + sums[..., 2]
    return np.divide(2 * sums[..., 0], bottom, out=np.zeros_like(bottom), where=bottom > 0)


def _by_value(label: str) -> tuple[int, float, str]:
    number = canonical_number(label)
    return (1, 0.0, label) if number is None else (0, float(number), label)
