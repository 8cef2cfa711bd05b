"""Right or wrong: does the answer equal, or contain, an acceptable one?"""

from __future__ import annotations

import re
from functools import lru_cache

from workbench.metrics.base import Metric
from workbench.metrics.registry import metric
from workbench.metrics.text import LONGEST_REMEMBERED, canonical_number, normalised

# A number (its sign only where nothing it could belong to stands before), one character of a script
# that is written without spaces, a word, or any other single sign.
_TOKEN = re.compile(
    r"(?<![\w)\]])[-+]?(?:[0-9]{1,3}(?:,[0-9]{3})+(?![0-9])|[0-9]+)(?:\.[0-9]+)?(?![^\W0-9])"
    r"|[\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff]"
    r"|[^\W\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff]+"
    r"|[^\w\s]"
)


@metric
class ExactMatch(Metric):
    """1 when the normalised prediction equals a normalised reference, else 0; the cell's score is the share.

    Normalised: Unicode NFKC, case folded, whitespace collapsed, surrounding punctuation removed,
    numbers compared by value (see `workbench.metrics.text.normalised`). Range 0 to 1.
    """

    name = "exact_match"
    description = (
        "Share of answers equal to the reference; case, spacing, edge punctuation and number format aside."
    )
    kind = "proportion"
    source = "After SQuAD's exact match (Rajpurkar et al., EMNLP 2016); articles kept, numbers by value."

    def score_one(self, prediction: str, references: list[str]) -> float:
        answer = normalised(prediction)
        return float(any(answer == normalised(reference) for reference in references))


@metric
class Contains(Metric):
    """1 when a reference occurs in the prediction as a run of whole words, else 0; the share is the score.

    Both sides are normalised as for exact_match and numbers compared by value, so "5" is in "it is 5.0
    metres" but not in "15", "5.5" or "-5". Range 0 to 1.
    """

    name = "contains"
    description = "Share of answers in which the reference occurs as whole words."
    kind = "proportion"
    source = "Whole-word form of the `includes` scorer of UK AISI's Inspect."

    def score_one(self, prediction: str, references: list[str]) -> float:
        text = _joined(prediction)
        return float(any(_joined(normalised(reference)) in text for reference in references))


def _joined(text: str) -> str:
    return _remembered(text) if len(text) <= LONGEST_REMEMBERED else _joined_anew(text)


def _joined_anew(text: str) -> str:
    tokens = _TOKEN.findall(normalised(text))
    return "\x1f" + "\x1f".join(canonical_number(token) or token for token in tokens) + "\x1f"


_remembered = lru_cache(maxsize=65_536)(_joined_anew)
