"""Answers that decline to answer, told by their phrases."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from workbench.core.collection import Item
from workbench.tuning.cleaning import step
from workbench.tuning.cleaning.base import DropStep, is_bad_example
from workbench.tuning.cleaning.refusal_phrases import REFUSALS

OPENING = 400
"""Characters at the beginning that are looked at: who refuses does so at once."""
QUOTES = str.maketrans("’‘ʼ`´", "'''''")


@step("refusals")
class Refusals(DropStep):
    """Drops answers that begin with a refusal, such as "I'm sorry, but I can't help with that."

    It knows phrases, no meaning: a refusal in other words stays, and a character of a story who refuses in
    these words is dropped. Examples of what not to say are left alone.
    """

    description = "Drop answers that decline to answer: English, German, Spanish and French phrases."
    shorthand = "phrases"

    languages: tuple[Literal["en", "de", "es", "fr"], ...] = Field(
        ("en", "de", "es", "fr"), description="whose phrases are looked for"
    )
    phrases: tuple[str, ...] = Field((), description="more of them: plain texts, in any case")

    def complaint(self, item: Item) -> str | None:
        """The phrase that refuses."""
        if is_bad_example(item):
            return None
        opening = item.completion.lstrip()[:OPENING].translate(QUOTES)
        flat = " ".join(opening.casefold().split())
        for phrase in self.phrases:
            if " ".join(phrase.casefold().translate(QUOTES).split()) in flat:
                return f"'{phrase}'"
        for language in self.languages:
            for pattern in REFUSALS[language]:
                if found := pattern.search(flat):
                    return f"'{found[0]}'"
        return None
