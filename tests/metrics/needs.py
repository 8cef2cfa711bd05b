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


_LONG = " ".join(f"word{place}" for place in range(200))
_NUMBERS = ["3", "42", None, "7", "-1", "1,000.0"]
_EXPRESSIONS = ["3", "x", None, "7", "[1,2]", "(x+1)^2"]

NEEDS: dict[str, Needs] = {
    "choice": Needs(
        predictions=["A", "b", None, "D", "C) Rome", "B"], references=["B", "B", "C", "", ["C", "D"], "(B)"]
    ),
    "checks": Needs({"checks": ["exact_match"]}),
    "contains_all": Needs({"values": ["same", "now"]}),
    "contains_any": Needs({"values": "same"}),
    "cost": Needs(skip="it is about what outputs took"),
    "distinct_n": Needs(skip="it is about several outputs of a row"),
    "json_schema": Needs({"schema": {"type": "array"}}, predictions=["1", "{}", None, "[", "no", "[1]"]),
    "json_valid": Needs(predictions=["the", "{}", None, "[", "NaN", '{"a": [1, 2.5, null]}']),
    "latency": Needs(skip="it is about what outputs took"),
    "length": Needs({"min": 4, "max": 5}),
    "math": Needs(predictions=_EXPRESSIONS, references=["4", "x", "5", "", ["[2,1]", "[1,2]"], "x^2+2x+1"]),
    "mean_logprob": Needs(skip="it asks a model"),
    "meteor": Needs(
        {"synonyms": False}, predictions=[*PREDICTIONS[:5], _LONG], references=[*REFERENCES[:5], _LONG]
    ),
    "numeric": Needs(predictions=_NUMBERS, references=["4", 42, "5", "", ["1", "-1"], "1000"]),
    "perplexity": Needs(skip="it asks a model"),
    "regex": Needs({"pattern": r"same.*now"}),
    "self_bleu": Needs(skip="it is about several outputs of a row"),
    "semantic_similarity": Needs(skip="it needs a model of sentence-transformers"),
    "stability": Needs(skip="it is about several outputs of a row"),
    "tokens": Needs(skip="it is about what outputs took"),
}


def needs(name: str) -> Needs:
    """The entry of a metric, or what all others get."""
    return NEEDS.get(name, Needs())


def spec_of(name: str) -> dict[str, Any]:
    """The metric as an experiment would write it."""
    return {"name": name, **needs(name).settings}
