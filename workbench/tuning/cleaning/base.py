"""What a cleaning step is: settings that a person writes, and what becomes of each item."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from pydantic import Field

from workbench.core.collection import Item
from workbench.core.document import Strict


@dataclass(frozen=True, slots=True)
class Dropped:
    """An item that is left out.

    Attributes:
        detail: why, in a few words; never the text that must not be seen.
        repeats: the place, among the items that the step was given, of the one that stays instead.
    """

    detail: str = ""
    repeats: int | None = None


class Step(Strict):
    """Base of every cleaning step. Subclasses add settings as fields and give `outcomes`.

    Attributes:
        description: one sentence for menus.
        shorthand: the setting that `{name: value}` gives where value is no mapping of settings.
    """

    description: ClassVar[str] = ""
    shorthand: ClassVar[str] = ""

    @classmethod
    def are_settings(cls, given: Any) -> bool:
        """Whether what stands after a step's name is its settings, not the value of one."""
        return isinstance(given, Mapping)

    def outcomes(self, items: Sequence[Item]) -> Iterator[Item | Dropped]:
        """For each item in turn: itself, itself with other texts, or that it is dropped."""
        raise NotImplementedError(f"{type(self).__name__} gives no outcomes")


class TextStep(Step):
    """A step that writes texts differently. Subclasses give `text`."""

    messages: bool = Field(False, description="the messages, too, not only what is to be answered")

    def text(self, text: str) -> str:
        """The text as it should be."""
        raise NotImplementedError(f"{type(self).__name__} gives no text")

    def outcomes(self, items: Sequence[Item]) -> Iterator[Item | Dropped]:
        """Every item with its texts rewritten."""
        for item in items:
            yield rewritten(item, self.text, self.messages)


class DropStep(Step):
    """A step that judges each item by itself. Subclasses give `complaint`."""

    def complaint(self, item: Item) -> str | None:
        """Why the item is dropped, in a few words; None where it stays."""
        raise NotImplementedError(f"{type(self).__name__} gives no complaint")

    def outcomes(self, items: Sequence[Item]) -> Iterator[Item | Dropped]:
        """Every item, or what is the matter with it."""
        for item in items:
            complaint = self.complaint(item)
            yield item if complaint is None else Dropped(complaint)


def rewritten(item: Item, change: Callable[[str], str], messages: bool) -> Item | Dropped:
    """The item with its texts changed; dropped where that leaves nothing to be learnt from it."""
    completion = change(item.completion)
    rejected = None if item.rejected is None else change(item.rejected)
    asked = item.messages
    if messages:
        contents = [change(message["content"]) for message in asked]
        if any(new != old["content"] for new, old in zip(contents, asked, strict=True)):
            asked = tuple({**message, "content": new} for message, new in zip(asked, contents, strict=True))
    if (completion, rejected) == (item.completion, item.rejected) and asked is item.messages:
        return item
    if not completion.strip() and item.completion.strip():
        return Dropped("nothing of the completion was left")
    if completion == rejected and item.completion != item.rejected:
        return Dropped("completion and rejected became the same")
    return replace(item, completion=completion, rejected=rejected, messages=asked)


def is_bad_example(item: Item) -> bool:
    """Whether the item is there to show what not to say."""
    return item.label is False
