"""A rubric: by what a judge prompt judges, and what its verdict is.

rubric: {kind: score, scale: [1, 5], levels: {1: Wrong., 5: Right and clear.}}
rubric: {kind: checklist, questions: [Does it give a number?, Is it polite?]}
rubric: {kind: pairwise}
"""

from __future__ import annotations

from math import isfinite
from typing import Literal

from pydantic import Field, model_validator

from workbench.core.document import Strict

DEFAULT_SCALE = (1, 5)
Number = int | float


class Rubric(Strict):
    """What makes a prompt a judge: how it judges, and so how its reply is read."""

    kind: Literal["score", "checklist", "pairwise"]
    scale: tuple[Number, Number] | None = Field(
        None, description="for `score`: the least and the greatest score; default: 1 to 5"
    )
    weighting: Literal["none", "tokens"] = Field(
        "none", description="for `score`: tokens takes the mean over the probabilities of the scale's digits"
    )
    levels: dict[int, str] = Field({}, description="for `score`: what a score means")
    questions: tuple[str, ...] = Field((), max_length=100, description="for `checklist`: answered yes or no")

    @model_validator(mode="after")
    def _has_what_its_kind_needs(self) -> Rubric:
        for key in ("scale", "levels", "weighting"):
            if self.kind != "score" and getattr(self, key) != type(self).model_fields[key].default:
                raise ValueError(f"`{key}` has no meaning with `kind: {self.kind}`; drop it")
        if self.kind == "checklist" and not (
            self.questions and all(question.strip() for question in self.questions)
        ):
            raise ValueError("`kind: checklist` needs `questions`, each answered yes or no")
        if self.kind != "checklist" and self.questions:
            raise ValueError(f"`questions` has no meaning with `kind: {self.kind}`; drop it")
        return self

    @model_validator(mode="after")
    def _scale_is_a_scale(self) -> Rubric:
        low, high = self.range
        if not (isfinite(low) and isfinite(high) and low < high):
            raise ValueError(f"the scale runs from the least to the greatest score, not [{low:g}, {high:g}]")
        outside = [level for level in self.levels if not low <= level <= high]
        if outside:
            raise ValueError(f"level {outside[0]} is outside the scale of {low:g} to {high:g}")
        if self.weighting == "tokens" and not (low >= 0 and high <= 9 and low % 1 == high % 1 == 0):
            raise ValueError("`weighting: tokens` needs a scale of single digits, such as [1, 5]")
        return self

    @property
    def range(self) -> tuple[float, float]:
        """The least and the greatest score: of the scale, or 0 to 1 for a share of yes or of wins."""
        if self.kind != "score":
            return (0.0, 1.0)
        low, high = self.scale or DEFAULT_SCALE
        return (float(low), float(high))

    @property
    def gives(self) -> tuple[str, ...]:
        """The variables that a judge's messages may use beside the row's columns."""
        shown = ("output_a", "output_b") if self.kind == "pairwise" else ("output", "answer")
        return (*shown, "reference", "rubric")
