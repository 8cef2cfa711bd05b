"""Answers in a language that is not wanted."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Literal

from pydantic import Field, field_validator

from workbench.core.collection import Item
from workbench.tuning.cleaning import step
from workbench.tuning.cleaning.base import DropStep

READ = 2_000
"""Characters at the beginning that are read."""


@step("language")
class Language(DropStep):
    """Drops texts in none of the languages to be kept, as told by py3langid.

    A text of fewer than `shortest` letters is left alone, and so is one whose language is told with less
    probability than `sure`: in both cases the guess would say little.
    """

    description = "Keep answers in the languages that are named, such as en."
    shorthand = "keep"

    keep: tuple[str, ...] = Field(min_length=1, description="ISO 639-1 codes, such as en, de, es, zh")
    shortest: int = Field(40, ge=1, description="letters that a text must have to be judged")
    sure: float = Field(0.8, ge=0, le=1, description="the probability from which a language counts as told")
    of: Literal["completion", "question"] = Field("completion", description="which text is looked at")

    @field_validator("keep", mode="before")
    @classmethod
    def _one_is_a_list(cls, value: Any) -> Any:
        return (value,) if isinstance(value, str) else value

    @field_validator("keep")
    @classmethod
    def _known(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        known = identifier().labels
        for code in value:
            if code not in known:
                raise ValueError(f"'{code}' is no language code here; known: {', '.join(sorted(known))}")
        return value

    def complaint(self, item: Item) -> str | None:
        """The language that was told, where it is not wanted."""
        text = (item.completion if self.of == "completion" else item.question)[:READ]
        if sum(map(str.isalpha, text)) < self.shortest:
            return None
        language, probability = identifier().classify(text)
        if language in self.keep or probability < self.sure:
            return None
        return f"{language} ({probability:.0%})"


@lru_cache(maxsize=1)
def identifier() -> Any:
    """The package's model, read once; it gives probabilities."""
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
