"""A regular expression that an answer must not, or must, match; one that runs away is stopped."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Literal

from pydantic import Field, field_validator

from workbench.core.collection import Item
from workbench.errors import CollectionError
from workbench.tuning.cleaning import step
from workbench.tuning.cleaning.base import DropStep

MATCHING_S = 1.0
SHOWN = 40


@step("regex")
class Pattern(DropStep):
    """Drops items in which the pattern is found; with `must` those in which it is not.

    A search in one text that takes longer than a second stops the whole cleaning with an error.
    """

    description = "Drop answers in which a regular expression is found, or is not."
    shorthand = "pattern"

    pattern: str = Field(min_length=1, description="a regular expression of Python's; `(?i)` ignores case")
    must: bool = Field(False, description="drop what does not match, instead")
    of: Literal["completion", "question"] = Field("completion", description="which text is looked at")

    @field_validator("pattern")
    @classmethod
    def _compiles(cls, value: str) -> str:
        import regex

        try:
            compiled(value)
        except (regex.error, RecursionError, OverflowError) as problem:
            raise ValueError(f"not a regular expression: {problem}") from None
        return value

    def complaint(self, item: Item) -> str | None:
        """What was found, or that nothing was. Raises CollectionError for a search that takes too long."""
        text = item.completion if self.of == "completion" else item.question
        try:
            found = compiled(self.pattern).search(text, timeout=MATCHING_S)
        except TimeoutError:
            raise CollectionError(
                f"Cleaning step 'regex': the pattern was not matched within {MATCHING_S:g} s on a text of "
                f"{len(text):,} characters; a simpler one would be, or drop long texts by `length` first."
            ) from None
        if self.must:
            return "does not match" if found is None else None
        return None if found is None else f"matches: '{found[0][:SHOWN]}'"


@lru_cache(maxsize=64)
def compiled(pattern: str) -> Any:
    """The pattern, ready to be searched with a time limit."""
    import regex

    return regex.compile(pattern)
