"""Words or phrases that must not, or must, stand in an answer."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, field_validator

from workbench.core.collection import Item
from workbench.tuning.cleaning import step
from workbench.tuning.cleaning.base import DropStep


@step("contains")
class Contains(DropStep):
    """Drops items in which any of the phrases stands; with `must` those in which none does."""

    description = "Drop answers that hold a phrase, or that lack it."
    shorthand = "phrases"

    phrases: tuple[str, ...] = Field(min_length=1, description="plain texts, not patterns")
    must: bool = Field(False, description="drop what holds none of them, instead")
    ignore_case: bool = True
    of: Literal["completion", "question"] = Field("completion", description="which text is looked at")

    @field_validator("phrases", mode="before")
    @classmethod
    def _one_is_a_list(cls, value: Any) -> Any:
        return (value,) if isinstance(value, str) else value

    @field_validator("phrases")
    @classmethod
    def _not_empty(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if not all(phrase.strip() for phrase in value):
            raise ValueError("a phrase is empty")
        return value

    def complaint(self, item: Item) -> str | None:
        """The phrase that is there, or that none is."""
        text = item.completion if self.of == "completion" else item.question
        if self.ignore_case:
            text = text.casefold()
        for phrase in self.phrases:
            if (phrase.casefold() if self.ignore_case else phrase) in text:
                return None if self.must else f"holds '{phrase}'"
        return "holds none of the phrases" if self.must else None
