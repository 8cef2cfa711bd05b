"""Classification: F1, precision, recall and Matthews' correlation from counts per label.

    >>> f1 = load_metric("macro_f1")
    >>> scores = f1.score(["cat", "dog", None], ["cat", "cat", "dog"])
    >>> scores.blocks, scores.sufficient       # right, predicted, actual of each label
    (('cat', 'dog'), array([[1., 1., 1., 0., 0., 0.], [0., 0., 1., 0., 1., 0.], [0., 0., 0., 0., 0., 1.]]))

Labels are compared as `accuracy` compares them: outer spaces and case aside. The labels are those that
the references name. What an output says beyond them is a wrong answer, as no answer is, and no label of
its own: a model that rambles does not add classes for all to be averaged over.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, get_args

import numpy as np

from workbench.errors import MetricError, suggestion
from workbench.metrics.base import Metric
from workbench.metrics.labelling import MOST_LABELS, Labelled, folded, labelled, labels_of, spelled
from workbench.metrics.registry import metric
from workbench.metrics.scores import FloatArray, Scores
from workbench.metrics.text import reference_texts

Average = Literal["macro", "micro", "weighted"]
Labels = Literal["references", "all"] | list[Any]

MOST_NUMBERS = 40_000_000  # of a cell's counts, three a label and row: 320 MB


class LabelMetric(Metric):
    """Base of the family: a corpus score from three sums a label, right, predicted and actual."""

    kind = "corpus"
    no_answer = None
    labels: Labels = "references"

    def check_references(self, references: Sequence[Any]) -> None:
        """References are labels: they are few."""
        labels_of(self.name, [[folded(text) for text in reference_texts(one)] for one in references])

    def score_rows(self, predictions: list[str], references: list[list[str]]) -> Scores:
        """Right or wrong for each row, and its counts for each label."""
        if not predictions:
            return Scores(np.empty(0))
        rows = labelled(self.name, predictions, references)
        names, actual, predicted = rows.labels, rows.actual, rows.predicted
        values = (actual == predicted).astype(np.float64)
        if self.labels == "all":
            names, predicted = self._with_strangers(names, predicted, predictions)
        elif isinstance(self.labels, list):
            names = tuple(dict.fromkeys(spelled(label, rows.labels) for label in self.labels))
            strange = next((name for name in names if name not in rows.labels), None)
            if strange is not None:
                why = f"No reference is labelled '{strange}'.{suggestion(strange, rows.labels)}"
                return Scores(np.full(len(values), np.nan), reasons=dict.fromkeys(range(len(values)), why))
            actual, predicted = _only(names, rows)
        if 3 * len(names) * len(predictions) > MOST_NUMBERS:
            raise MetricError(
                f"Metric '{self.name}' keeps three counts a label and row, too many for {len(names)} labels "
                f"and {len(predictions):,} rows; use accuracy, or fewer rows."
            )
        counts = np.zeros((len(predictions), len(names), 3))
        at = np.arange(len(predictions))
        hit, said, asked = (actual >= 0) & (actual == predicted), predicted >= 0, actual >= 0
        counts[at[hit], actual[hit], 0] = 1
        counts[at[said], predicted[said], 1] = 1
        counts[at[asked], actual[asked], 2] = 1
        return Scores(values, counts.reshape(len(predictions), -1), names)

    def aggregate(self, sums: FloatArray) -> FloatArray:
        """The cell's score from [right, predicted, actual] of each label."""
        return self.of_counts(sums.reshape(*sums.shape[:-1], -1, 3))

    def of_counts(self, counts: FloatArray) -> FloatArray:
        """Scores (...) from counts (..., labels, 3)."""
        raise NotImplementedError

    def _with_strangers(
        self, names: tuple[str, ...], predicted: np.ndarray, predictions: list[str]
    ) -> tuple[tuple[str, ...], np.ndarray]:
        """Also what only the outputs name, as scikit-learn counts by itself."""
        said = [folded(text) for text in predictions]
        strangers = sorted({label for label in said if label} - set(names))
        if len(names) + len(strangers) > MOST_LABELS:
            raise MetricError(
                f"Metric '{self.name}' is for classification, but the outputs name {len(strangers):,} labels "
                f"that no reference has (at most {MOST_LABELS} in all); leave `labels: all` out."
            )
        place = {label: len(names) + index for index, label in enumerate(strangers)}
        found = [place.get(label, int(at)) for label, at in zip(said, predicted, strict=True)]
        return (*names, *strangers), np.array(found, dtype=np.int64)


class LabelShare(LabelMetric):
    """Base of F1, precision and recall: one number a label, averaged."""

    average: Average = "macro"

    def __init__(self, labels: Labels = "references") -> None:
        self.labels = _checked(self.name, labels)

    def of_label(self, right: FloatArray, predicted: FloatArray, actual: FloatArray) -> FloatArray:
        """A label's number from its counts."""
        raise NotImplementedError

    def of_counts(self, counts: FloatArray) -> FloatArray:
        """The average over labels: of their numbers, of the same weighted by rows, or of their counts."""
        if self.average == "micro":
            summed = counts.sum(axis=-2)
            return self.of_label(summed[..., 0], summed[..., 1], summed[..., 2])
        right, predicted, actual = counts[..., 0], counts[..., 1], counts[..., 2]
        weights = actual
        if self.average == "macro":
            weights = (actual > 0 if self.labels == "references" else predicted + actual > 0).astype(float)
        each = self.of_label(right, predicted, actual)
        return _ratio((each * weights).sum(axis=-1), weights.sum(axis=-1))


class _F1(LabelShare):
    def of_label(self, right: FloatArray, predicted: FloatArray, actual: FloatArray) -> FloatArray:
        return _ratio(2 * right, predicted + actual)


@metric
class MacroF1(_F1):
    """Mean over labels of F1 = 2 right / (predicted + actual): every label counts the same.

    Labels are those of the references; `labels` is a list of some of them (F1 of one label: a list of
    one), or `all` to average also over labels that only outputs name. A label that occurs on neither side
    is left out. Range 0 to 1.
    """

    name = "macro_f1"
    description = "F1 of each label, averaged with every label counting the same."
    source = "Equal to scikit-learn's f1_score(average='macro', labels=those of the references)."


@metric
class MicroF1(_F1):
    """F1 = 2 right / (predicted + actual) of all labels' counts together.

    Equal to accuracy where every output names a label; above it where some name none, since a row
    without a label is no false prediction. `labels` as for macro_f1. Range 0 to 1.
    """

    name = "micro_f1"
    description = "F1 from the counts of all labels together."
    source = "Equal to scikit-learn's f1_score(average='micro', labels=those of the references)."
    average = "micro"


@metric
class WeightedF1(_F1):
    """Mean over labels of F1 = 2 right / (predicted + actual), each weighted by its rows.

    `labels` as for macro_f1. Range 0 to 1.
    """

    name = "weighted_f1"
    description = "F1 of each label, averaged with labels weighted by their rows."
    source = "Equal to scikit-learn's f1_score(average='weighted', labels=those of the references)."
    average = "weighted"


class _Averaged(LabelShare):
    def __init__(self, average: Average = "macro", label: Any = None, labels: Labels = "references") -> None:
        if average not in get_args(Average):
            raise MetricError(
                f"Metric '{self.name}': `average` is macro, micro or weighted, not '{average}'."
            )
        if label is not None and labels != "references":
            raise MetricError(f"Metric '{self.name}': give `label` (one) or `labels` (several), not both.")
        super().__init__(labels if label is None else [label])
        self.average = average


@metric
class Precision(_Averaged):
    """Of the rows that were given a label, the share that have it: right / predicted.

    `average`: macro (by itself), micro or weighted; `label: spam` gives that of one label. A label that is
    never given has precision 0. `labels` as for macro_f1. Range 0 to 1.
    """

    name = "precision"
    description = "Share of the rows given a label that have it, averaged over labels or of one label."
    source = "Equal to scikit-learn's precision_score(labels=those of the references, zero_division=0)."

    def of_label(self, right: FloatArray, predicted: FloatArray, actual: FloatArray) -> FloatArray:
        """Right of predicted."""
        return _ratio(right, predicted)


@metric
class Recall(_Averaged):
    """Of the rows that have a label, the share that were given it: right / actual.

    `average`: macro (by itself: balanced accuracy), micro or weighted; `label: spam` gives that of one
    label. `labels` as for macro_f1. Range 0 to 1.
    """

    name = "recall"
    description = "Share of the rows of a label that were given it, averaged over labels or of one label."
    source = "Equal to scikit-learn's recall_score(labels=those of the references, zero_division=0)."

    def of_label(self, right: FloatArray, predicted: FloatArray, actual: FloatArray) -> FloatArray:
        """Right of actual."""
        return _ratio(right, actual)


@metric
class Matthews(LabelMetric):
    """Matthews' correlation of predicted and actual labels, R_K where there are more than two.

    With s rows, c of them right, and p_k predicted, t_k actual rows of label k:
    (c s - Σ p_k t_k) / sqrt((s² - Σ p_k²) (s² - Σ t_k²)). 1 is perfect, 0 no better than chance, and 0 too
    where one side has a single label. Outputs that name no label are one more value of p. Range -1 to 1.
    """

    name = "matthews"
    description = "Matthews' correlation of predicted and actual labels; 0 is no better than chance."
    range = (-1.0, 1.0)
    source = (
        "Matthews, BBA 405, 1975; Gorodkin, Computational Biology and Chemistry 28, 2004; "
        "equal to scikit-learn's matthews_corrcoef."
    )

    def of_counts(self, counts: FloatArray) -> FloatArray:
        """R_K; what was given no label completes the rows."""
        right, predicted, actual = (counts[..., column] for column in range(3))
        rows = actual.sum(axis=-1)
        none = rows - predicted.sum(axis=-1)
        top = right.sum(axis=-1) * rows - (predicted * actual).sum(axis=-1)
        given = rows**2 - (predicted**2).sum(axis=-1) - none**2
        asked = rows**2 - (actual**2).sum(axis=-1)
        return _ratio(top, np.sqrt(given * asked))


def _checked(name: str, labels: Any) -> Labels:
    if labels in ("references", "all"):
        return "all" if labels == "all" else "references"
    if isinstance(labels, (list, tuple)) and labels:
        return list(labels)
    raise MetricError(f"Metric '{name}': `labels` is references, all, or a list of labels, not {labels!r}.")


def _only(names: Sequence[str], rows: Labelled) -> tuple[np.ndarray, np.ndarray]:
    """Places in `names` of what rows have and were given; -1 for labels that are not among them."""
    kept = np.full(len(rows.labels) + 1, -1)
    kept[[rows.labels.index(name) for name in names]] = np.arange(len(names))
    return kept[rows.actual], kept[rows.predicted]


def _ratio(top: FloatArray, bottom: FloatArray) -> FloatArray:
    top, bottom = np.asarray(top, dtype=np.float64), np.asarray(bottom, dtype=np.float64)
    return np.divide(top, bottom, out=np.zeros_like(top), where=bottom > 0)
