"""ROUGE-L: the longest common subsequence of words, as rouge-score computes it and far faster."""

from __future__ import annotations

import re

from workbench.metrics.base import Metric
from workbench.metrics.registry import metric

_NOT_WORD = re.compile(r"[^a-z0-9]+")


@metric
class RougeL(Metric):
    """F1 of LCS / prediction words and LCS / reference words; the best reference; the mean is the score.

    Words are lower-cased runs of a-z and 0-9, without stemming, exactly as rouge-score cuts them; a
    text in another script therefore has no words and scores 0: use chrf for it. Range 0 to 1.
    """

    name = "rouge_l"
    description = "Mean longest common subsequence of words between output and reference, as F1."
    source = "Lin, ROUGE, ACL 2004 workshop; equal to rouge-score's rougeL F-measure (use_stemmer=False)."

    def score_one(self, prediction: str, references: list[str]) -> float:
        words = _words(prediction)
        return max(_lcs_f1(words, _words(reference)) for reference in references)


def _words(text: str) -> list[str]:
    return _NOT_WORD.sub(" ", text.lower()).split()


def _lcs_f1(prediction: list[str], reference: list[str]) -> float:
    from rapidfuzz.distance import LCSseq

    if not prediction or not reference:
        return 0.0
    return 2 * LCSseq.similarity(prediction, reference) / (len(prediction) + len(reference))
