"""Personal data and secrets: e-mail addresses, phone numbers, cards, bank accounts, keys."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal

from pydantic import Field, field_validator

from workbench.core.collection import Item
from workbench.tuning.cleaning import step
from workbench.tuning.cleaning.base import Dropped, Step, rewritten
from workbench.tuning.cleaning.pii_patterns import KINDS, Kind, found_kinds, masked


@step("pii")
class Pii(Step):
    """Masks what looks like personal data or a secret, or drops the item.

    Patterns and check digits, no understanding: names and addresses stay. Masked is what is learnt and
    exported, what an imported line held beside, and, whatever the action, the copy of the dataset's row that
    an item keeps; the dataset itself, and the note by which the change is undone, keep the text.
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
                yield self._masked(item)
                continue
            texts = [item.completion, item.rejected or "", *_strings(item.extra)]
            if self.messages:
                texts += [message["content"] for message in item.messages]
            found = {kind for text in texts for kind in found_kinds(text, self.kinds)}
            yield Dropped(", ".join(sorted(found))) if found else self._with_row_masked(item)

    def _masked(self, item: Item) -> Item | Dropped:
        done = rewritten(item, self._mask, self.messages)
        if isinstance(done, Dropped):
            return done
        beside = {} if not item.extra else _with_strings(item.extra, self._mask)
        original = None if item.original is None else self._mask(item.original)
        if beside != item.extra or original != item.original:
            done = replace(done, extra=beside, original=original)
        return self._with_row_masked(done)

    def _with_row_masked(self, item: Item) -> Item:
        row = {} if not item.row else _with_strings(item.row, self._mask)
        return item if row == item.row else replace(item, row=row)

    def _mask(self, text: str) -> str:
        return masked(text, self.kinds)


def _strings(value: Any) -> Iterator[str]:
    """Every text in plain values."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for one in value.values():
            yield from _strings(one)
    elif isinstance(value, (list, tuple)):
        for one in value:
            yield from _strings(one)


def _with_strings(value: Any, change: Callable[[str], str]) -> Any:
    """Plain values with every text changed; keys stay."""
    if isinstance(value, str):
        return change(value)
    if isinstance(value, Mapping):
        return {key: _with_strings(one, change) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_with_strings(one, change) for one in value]
    return value
