"""What stands there twice, to the letter, stays once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Literal

from pydantic import Field

from workbench.core.collection import Item
from workbench.tuning.cleaning import step
from workbench.tuning.cleaning.base import Dropped, Step


@step("exact_duplicates")
class ExactDuplicates(Step):
    """Of equal items the first stays. A good and a bad example of the same text are not equal."""

    description = "Keep the first of items that are equal to the letter."
    shorthand = "by"

    by: Literal["question", "completion", "both"] = Field(
        "both",
        description="what has to be equal: all that is asked, what is answered, or both",
    )

    def outcomes(self, items: Sequence[Item]) -> Iterator[Item | Dropped]:
        """Every item, or which one it repeats."""
        first: dict[Any, int] = {}
        for place, item in enumerate(items):
            there = first.setdefault(self._compared(item), place)
            yield item if there == place else Dropped("repeats", there)

    def _compared(self, item: Item) -> Any:
        asked = tuple((message["role"], message["content"]) for message in item.messages)
        answered = (item.completion, item.rejected)
        texts = {"question": (asked,), "completion": answered, "both": (asked, *answered)}[self.by]
        return texts, item.label
