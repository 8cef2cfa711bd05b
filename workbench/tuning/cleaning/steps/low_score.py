"""Outputs that a metric scored too low."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field, model_validator

from workbench.core.collection import Item
from workbench.tuning.cleaning import step
from workbench.tuning.cleaning.base import DropStep, is_bad_example


@step("low_score")
class LowScore(DropStep):
    """Drops items whose scores miss a bar; `{low_score: {exact_match: 1}}` states the least of a metric.

    Examples of what not to say are left alone.
    """

    description = "Drop outputs whose score by a metric misses a bar."
    shorthand = "least"

    least: Mapping[str, float] = Field(
        default_factory=dict, description="by metric: the least score that stays"
    )
    most: Mapping[str, float] = Field(
        default_factory=dict, description="by metric where less is better: the largest score that stays"
    )
    missing: Literal["keep", "drop"] = Field("keep", description="items that the metric did not score")

    @classmethod
    def are_settings(cls, given: Any) -> bool:
        """Settings name a setting; any other mapping is the least score by metric."""
        return isinstance(given, Mapping) and bool(given.keys() & cls.model_fields.keys())

    @model_validator(mode="after")
    def _some_bar(self) -> LowScore:
        if not self.least and not self.most:
            raise ValueError("name a metric and its least score, such as {low_score: {exact_match: 1}}")
        if any(not math.isfinite(bar) for bar in (*self.least.values(), *self.most.values())):
            raise ValueError("a bar is a finite number")
        return self

    def complaint(self, item: Item) -> str | None:
        """The score that misses its bar."""
        if is_bad_example(item):
            return None
        for metric in (*self.least, *self.most):
            score = item.origin.scores.get(metric, math.nan)
            if math.isnan(score):
                if self.missing == "drop":
                    return f"no {metric}"
            elif metric in self.least and score < self.least[metric]:
                return f"{metric} {score:g}, below {self.least[metric]:g}"
            elif metric in self.most and score > self.most[metric]:
                return f"{metric} {score:g}, above {self.most[metric]:g}"
        return None
