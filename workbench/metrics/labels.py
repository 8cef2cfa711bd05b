"""Classification: is the predicted label the right one?"""

from __future__ import annotations

from workbench.metrics.base import Metric
from workbench.metrics.registry import metric


@metric
class Accuracy(Metric):
    """1 when the predicted label equals a reference label after stripping and case folding, else 0.

    Nothing else is forgiven ("positive." is not "positive"): read the label out of the output with
    an answer rule, or use exact_match. No answer is a wrong label. The share is the score, 0 to 1.
    """

    name = "accuracy"
    description = "Share of predicted labels that are right; only case and outer spaces are forgiven."
    kind = "proportion"
    source = "As scikit-learn's accuracy_score on stripped, case-folded labels."

    def score_one(self, prediction: str, references: list[str]) -> float:
        label = prediction.strip().casefold()
        return float(any(label == reference.strip().casefold() for reference in references))
