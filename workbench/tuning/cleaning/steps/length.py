"""Too short or too long to be learnt from."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from workbench.core.collection import Item
from workbench.tuning.cleaning import step
from workbench.tuning.cleaning.base import DropStep


@step("length")
class Length(DropStep):
    """Drops items whose text is shorter than `least` or longer than `most`; of a preference either text."""

    description = "Drop what is too short or too long, in characters or words."
    shorthand = "most"

    least: int | None = Field(1, ge=0, description="the fewest characters or words")
    most: int | None = Field(None, ge=1, description="the most characters or words")
    unit: Literal["characters", "words"] = Field("characters", description="in what it is counted")
    of: Literal["completion", "question", "all"] = Field(
        "completion", description="all: every message and the completion together"
    )

    @model_validator(mode="after")
    def _in_order(self) -> Length:
        if self.least is not None and self.most is not None and self.least > self.most:
            raise ValueError(f"`least` ({self.least}) is more than `most` ({self.most})")
        return self

    def complaint(self, item: Item) -> str | None:
        """How long the text is, where that is not within the limits."""
        for length in self._lengths(item):
            if self.least is not None and length < self.least:
                return f"{length:,} {self.unit}, fewer than {self.least:,}"
            if self.most is not None and length > self.most:
                return f"{length:,} {self.unit}, more than {self.most:,}"
        return None

    def _lengths(self, item: Item) -> list[int]:
        answers = [self._length(text) for text in (item.completion, item.rejected) if text is not None]
        if self.of == "completion":
            return answers
        if self.of == "question":
            return [self._length(item.question)]
        asked = sum(self._length(message["content"]) for message in item.messages)
        return [asked + length for length in answers]

    def _length(self, text: str) -> int:
        return len(text) if self.unit == "characters" else len(text.split())
