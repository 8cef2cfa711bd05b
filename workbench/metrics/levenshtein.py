"""How many edits lie between an output and its reference."""

from __future__ import annotations

from workbench.errors import Unscored
from workbench.metrics.base import Metric, Reads
from workbench.metrics.registry import metric
from workbench.metrics.settings import check_choice, check_flag

_MOST_EDIT_CELLS = 5e10  # pairs of characters: a few seconds


@metric
class Levenshtein(Metric):
    """1 - d / max(lengths), d the fewest insertions, deletions and substitutions; the best reference.

    The mean is the score, range 0 to 1, higher is better. With `distance: true` it is d itself, range
    0 upwards, lower is better. Two texts of more than 50 billion pairs of characters (224,000 each) are
    unscored.

    Args:
        distance: whether the number of edits is the score.
        unit: characters, or words (what whitespace separates).
    """

    name = "levenshtein"
    description = "Mean likeness of output and reference by edit distance; `distance: true` counts the edits."
    source = "Levenshtein, Soviet Physics Doklady 10, 1966; by rapidfuzz."
    reads: Reads = "text"
    no_answer = None

    def __init__(self, distance: bool = False, unit: str = "characters") -> None:
        self._distance = check_flag(self.name, "distance", distance)
        self._words = check_choice(self.name, "unit", unit, ("characters", "words")) == "words"
        if distance:
            self.direction, self.range = "lower", (0.0, float("inf"))

    def score_one(self, prediction: str, references: list[str]) -> float:
        from rapidfuzz.distance import Levenshtein as Edits

        ours = self._cut(prediction)
        theirs = [self._cut(reference) for reference in references]
        if any(len(ours) * len(text) > _MOST_EDIT_CELLS for text in theirs):
            raise Unscored("The output and its reference are too long to be compared within seconds.")
        if self._distance:
            return float(min(Edits.distance(ours, text) for text in theirs))
        return max(Edits.normalized_similarity(ours, text) for text in theirs)

    def _cut(self, text: str) -> str | list[str]:
        return text.split() if self._words else text
