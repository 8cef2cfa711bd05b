"""How many words the answer shares with the reference: SQuAD's token F1."""

from __future__ import annotations

import re
import string
from collections import Counter

from workbench.metrics.base import Metric
from workbench.metrics.registry import metric

_ARTICLES = re.compile(r"\b(a|an|the)\b")
_NO_PUNCTUATION = str.maketrans("", "", string.punctuation)


@metric
class TokenF1(Metric):
    """F1 = 2 P R / (P + R) over bags of words; the best of several references; the mean is the score.

    Words are lower-cased, stripped of ASCII punctuation and of the articles a, an, the, as in
    SQuAD's evaluation script. When either side has no words left, 1 if both have none, else 0.
    Words are what spaces separate: for Chinese, Japanese or Thai use chrf. Range 0 to 1.
    """

    name = "f1"
    description = "Mean overlap of words between answer and reference (SQuAD's token F1)."
    source = "Rajpurkar et al., EMNLP 2016 and ACL 2018; equal to the official SQuAD 2.0 script."

    def score_one(self, prediction: str, references: list[str]) -> float:
        words = _words(prediction)
        return max(_f1(words, _words(reference)) for reference in references)


def _words(text: str) -> list[str]:
    return _ARTICLES.sub(" ", text.lower().translate(_NO_PUNCTUATION)).split()


def _f1(prediction: list[str], reference: list[str]) -> float:
    if not prediction or not reference:
        return float(prediction == reference)
    shared = sum((Counter(prediction) & Counter(reference)).values())
    if shared == 0:
        return 0.0
    precision, recall = shared / len(prediction), shared / len(reference)
    return 2 * precision * recall / (precision + recall)
