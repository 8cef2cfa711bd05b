"""METEOR: words aligned by form, by stem and by meaning, by nltk, and the order they stand in."""

from __future__ import annotations

import re
from typing import Any

from workbench.errors import MetricError, Unscored
from workbench.metrics.base import Metric
from workbench.metrics.registry import metric
from workbench.metrics.settings import check_flag

_MOST_WORDS = 20_000
_TOKEN = re.compile(r"\w+|[^\w\s]")


@metric
class Meteor(Metric):
    """(1 - 0.5 (chunks / matches)³) · P R / (0.9 P + 0.1 R); the best reference; the mean is the score.

    Words are matched by form, then by stem, then as synonyms of WordNet; P and R are the matches over
    the words of output and reference, a chunk is a run of matches that stand side by side in both.
    A perfect output of n words scores 1 - 0.5 / n³. Words and signs are cut apart and lower-cased; a
    row with more than 20,000 of them is unscored. Range 0 to 1, higher is better.

    The synonyms need WordNet's data on this machine, and nothing is downloaded by itself: without it
    the metric cannot be loaded.

    Args:
        synonyms: False leaves synonyms out, which needs no data and is no longer comparable with
            published figures.
    """

    name = "meteor"
    description = "Mean METEOR: words matched by form, stem and synonym, with a penalty for their order."
    source = "Banerjee & Lavie, ACL 2005 workshop; Lavie & Agarwal, WMT 2007; by nltk."

    def __init__(self, synonyms: bool = True) -> None:
        check_flag(self.name, "synonyms", synonyms)
        self._wordnet = _wordnet(self.name) if synonyms else _NoSynonyms()

    def score_one(self, prediction: str, references: list[str]) -> float:
        from nltk.translate.meteor_score import meteor_score

        words = _TOKEN.findall(prediction)
        accepted = [_TOKEN.findall(reference) for reference in references]
        if max(map(len, [words, *accepted])) > _MOST_WORDS:
            raise Unscored(f"The output or its reference has more than {_MOST_WORDS:,} words.")
        return float(meteor_score(accepted, words, wordnet=self._wordnet))


class _NoSynonyms:
    """In WordNet's place: no word means the same as another."""

    def synsets(self, word: str) -> list[Any]:
        return []


def _wordnet(name: str) -> Any:
    try:
        from nltk.corpus import wordnet
    except ImportError:
        raise MetricError(
            f"Metric '{name}' needs the package nltk, which is not installed; add it with: "
            "pip install 'workbench[stems]'."
        ) from None
    try:
        wordnet.ensure_loaded()
    except LookupError:
        raise MetricError(
            f"Metric '{name}' needs nltk's data `wordnet` (corpora/wordnet), which is not on this machine; "
            "nothing is downloaded by itself: fetch it with `python -m nltk.downloader wordnet`, "
            "or set `synonyms: false` to match by form and stem alone."
        ) from None
    return wordnet
