"""What an output contains, how it begins, and how long it is.

    {name: contains_any, values: [sorry, cannot]}
    {name: starts_with, values: "Dear "}
    {name: length, max: 50, unit: words}

They read the whole output unless `of: answer` says otherwise; no answer is an empty text.
"""

from __future__ import annotations

import re

from workbench.errors import MetricError
from workbench.metrics.registry import metric
from workbench.metrics.settings import check_choice, check_flag, check_texts
from workbench.metrics.structure import StructureMetric

UNITS = ("words", "characters", "tokens")

_WORD = re.compile(r"\w+(?:['’\-]\w+)*")


class TextsMetric(StructureMetric):
    """Base of the metrics that look for given texts: those of `values`, else those of the reference.

    Args:
        values: one text or several, the same for all rows; omitted: the row's reference (a list: each of it).
        case: whether upper and lower case differ; by itself they do not.
    """

    needs_reference = True

    def __init__(self, values: str | list[str] | None = None, case: bool = False) -> None:
        self._values = None if values is None else check_texts(self.name, "values", values)
        self.needs_reference = values is None
        self._case = check_flag(self.name, "case", case)

    def score_one(self, prediction: str, references: list[str]) -> float:
        wanted = references if self._values is None else self._values
        if self._case:
            return float(self.holds(prediction, wanted))
        return float(self.holds(prediction.casefold(), [text.casefold() for text in wanted]))

    def holds(self, text: str, wanted: list[str]) -> bool:
        """Whether the text has what is wanted."""
        raise NotImplementedError


@metric
class ContainsAny(TextsMetric):
    """1 when at least one of the texts stands anywhere in the output, else 0; the share is the score.

    Parts of words count too ("cat" is in "concatenate"): for whole words use contains. The texts are
    `values`, or the row's references. Case is ignored unless `case: true`. Higher is better.
    """

    name = "contains_any"
    description = "Share of outputs that contain at least one of several texts."
    source = "Plain text search; as promptfoo's contains-any and icontains-any."

    def holds(self, text: str, wanted: list[str]) -> bool:
        return any(one in text for one in wanted)


@metric
class ContainsAll(TextsMetric):
    """1 when every one of the texts stands somewhere in the output, else 0; the share is the score.

    Parts of words count too. The texts are `values`, or the row's references, which must then all be
    there. Case is ignored unless `case: true`. Higher is better.
    """

    name = "contains_all"
    description = "Share of outputs that contain all of several texts."
    source = "Plain text search; as promptfoo's contains-all and icontains-all."

    def holds(self, text: str, wanted: list[str]) -> bool:
        return all(one in text for one in wanted)


@metric
class StartsWith(TextsMetric):
    """1 when the output begins with one of the texts, leading whitespace aside, else 0; the share
    is the score.

    The texts are `values`, or the row's references. Case is ignored unless `case: true`. Higher is
    better.
    """

    name = "starts_with"
    description = "Share of outputs that begin with one of several texts."
    source = "Plain text comparison; as promptfoo's starts-with."

    def holds(self, text: str, wanted: list[str]) -> bool:
        return text.lstrip().startswith(tuple(one.lstrip() for one in wanted))


@metric
class Length(StructureMetric):
    """1 when the text has at least `min` and at most `max` units, else 0; the share is the score.

    Higher is better.

    Args:
        min: the fewest that are right; omitted: none.
        max: the most that are right; omitted: no bound. One of the two is needed.
        unit: words (runs of letters and digits, "don't" and "well-known" being one), characters
            (Unicode code points, outer whitespace aside), or tokens (what whitespace separates).
    """

    name = "length"
    description = "Share of outputs whose number of words, characters or tokens is within bounds."
    source = "A count; no outside definition."

    def __init__(self, min: int | None = None, max: int | None = None, unit: str = "words") -> None:  # noqa: A002
        for setting, bound in (("min", min), ("max", max)):
            if bound is not None and (not isinstance(bound, int) or isinstance(bound, bool) or bound < 0):
                raise MetricError(
                    f"Metric '{self.name}': `{setting}` is a whole number from 0, not {bound!r}."
                )
        if min is None and max is None:
            raise MetricError(f"Metric '{self.name}' needs `min` or `max`, such as max: 50.")
        if min is not None and max is not None and min > max:
            raise MetricError(f"Metric '{self.name}': `min` {min} is more than `max` {max}.")
        self._least, self._most = min or 0, max
        self._unit = check_choice(self.name, "unit", unit, UNITS)

    def score_one(self, prediction: str, references: list[str]) -> float:
        size = count_units(prediction, self._unit)
        return float(self._least <= size and (self._most is None or size <= self._most))


def count_units(text: str, unit: str) -> int:
    """How many words, characters or tokens a text has, as `length` counts them."""
    if unit == "characters":
        return len(text.strip())
    return sum(1 for _ in _WORD.finditer(text)) if unit == "words" else len(text.split())
