"""What the tests over all metrics give to those that need more than their name, or other texts.

Six rows: the third has no answer, the fourth no reference, the sixth is answered perfectly.

    "length": Needs({"max": 5})
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

PREDICTIONS = ["the cat sat on the mat", "42", None, "a dog ran off", "b", "same words here now"]
REFERENCES = ["the cat sat on a mat", 42, "7", "", ["a", "b"], "same words here now"]


@dataclass(frozen=True)
class Needs:
    """How one metric is loaded, and the rows that it is tried on.

    Attributes:
        settings: what stands beside its name.
        unscored: rows that it leaves unscored; by itself the fourth, and none without references.
        skip: why it cannot be tried so at all; it has tests of its own then.
    """

    settings: dict[str, Any] = field(default_factory=dict)
    predictions: list[Any] = field(default_factory=lambda: list(PREDICTIONS))
    references: list[Any] = field(default_factory=lambda: list(REFERENCES))
    unscored: tuple[int, ...] | None = None
    skip: str = ""


NEEDS: dict[str, Needs] = {
    "checks": Needs({"checks": ["exact_match"]}),
    "cost": Needs(skip="it is about what outputs took"),
    "distinct_n": Needs(skip="it is about several outputs of a row"),
    "latency": Needs(skip="it is about what outputs took"),
    "self_bleu": Needs(skip="it is about several outputs of a row"),
    "stability": Needs(skip="it is about several outputs of a row"),
    "tokens": Needs(skip="it is about what outputs took"),
}


def needs(name: str) -> Needs:
    """The entry of a metric, or what all others get."""
    return NEEDS.get(name, Needs())


def spec_of(name: str) -> dict[str, Any]:
    """The metric as an experiment would write it."""
    return {"name": name, **needs(name).settings}
