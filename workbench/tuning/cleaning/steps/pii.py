"""Personal data and secrets: e-mail addresses, phone numbers, cards, bank accounts, keys."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Literal

from pydantic import Field, field_validator

from workbench.core.collection import Item
from workbench.tuning.cleaning import step
from workbench.tuning.cleaning.base import Dropped, Step, rewritten
from workbench.tuning.cleaning.pii_patterns import KINDS, Kind, found_kinds, masked


@step("pii")
class Pii(Step):
    """Masks what looks like personal data or a secret, or drops the item.

    Patterns and check digits, no understanding: names and addresses stay. Masking changes what is learnt
    and exported; the row that an item came from, and the note by which the change is undone, keep the text.
    """

    description = "Mask or drop e-mail addresses, phone numbers, payment cards, IBANs and API keys."
    shorthand = "action"

    action: Literal["mask", "drop"] = Field(
        "mask", description="mask: [EMAIL] in its place; drop: the whole item"
    )
    kinds: tuple[Kind, ...] = Field(KINDS, min_length=1, description="what is looked for")
    messages: bool = Field(True, description="in the messages, too")

    @field_validator("kinds", mode="before")
    @classmethod
    def _one_is_a_list(cls, value: Any) -> Any:
        return (value,) if isinstance(value, str) else value

    def outcomes(self, items: Sequence[Item]) -> Iterator[Item | Dropped]:
        """Every item with what was found masked, or dropped for it."""
        for item in items:
            if self.action == "mask":
                yield rewritten(item, lambda text: masked(text, self.kinds), self.messages)
                continue
            texts = [item.completion, item.rejected or ""]
            if self.messages:
                texts += [message["content"] for message in item.messages]
            found = {kind for text in texts for kind in found_kinds(text, self.kinds)}
            yield Dropped(", ".join(sorted(found))) if found else item
