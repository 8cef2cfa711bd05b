"""A collection: outputs picked as good enough to learn from, each with where it came from.

    Item(
        messages=({"role": "user", "content": "The tram has 18 passengers. …"},),
        completion="The tram has 18. It gets 5, so 18 + 5 = 23. Answer: 23",
        origin=Origin("output", run="20261121-…", row_id="transit-0001", scores={"exact_match": 1.0}),
    )

A collection has one task, which says what its items teach: a completion, a preference between two, or
whether a completion is good (a label).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, Literal

from workbench.core.document import content_hash
from workbench.core.model import ChatMessage

Task = Literal["completion", "preference", "label"]
"""completion: learn to answer so. preference: `completion` is better than `rejected`. label: good or not."""
OriginKind = Literal["output", "rating", "correction", "import"]
ItemState = Literal["kept", "dropped"]
BY_PERSON = "person"
"""The reason of an item that a person rejected."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where an item came from; what is not known of it is empty.

    Attributes:
        kind: a model's output that a metric picked, one that ratings picked, a better answer that a
            rater wrote, or a line of an imported file.
        prompt, version: the prompt that made the text, which need not be the one that is trained.
        scores: by metric, the output's scores.
        raters: who rated or wrote it.
        file: the imported file, with the line's number.
        rejected: of a preference, the cell's label whose text is the rejected one.
    """

    kind: OriginKind
    run: str | None = None
    cell: int | None = None
    dataset: str | None = None
    split: str | None = None
    row_id: str | None = None
    repeat: int = 0
    prompt: str | None = None
    version: str | None = None
    model: str | None = None
    sampling: Mapping[str, Any] = field(default_factory=dict)
    scores: Mapping[str, float] = field(default_factory=dict)
    raters: tuple[str, ...] = ()
    file: str | None = None
    rejected: str | None = None


@dataclass(frozen=True, slots=True)
class Item:
    """One example to learn from.

    Attributes:
        messages: what the model is shown, the last one not the assistant's.
        completion: what it should answer; of a preference the better text.
        rejected: of a preference, the worse text.
        label: of a label, whether the completion is good.
        row: the dataset row's columns, by which one may slice and balance.
        extra: what an imported line held beside, kept so that it can be written again.
        original: the completion before a person edited it.
    """

    messages: tuple[ChatMessage, ...]
    completion: str
    origin: Origin
    rejected: str | None = None
    label: bool | None = None
    row: Mapping[str, Any] = field(default_factory=dict)
    extra: Mapping[str, Any] = field(default_factory=dict)
    original: str | None = None

    @property
    def key(self) -> str:
        """Content hash of what is learnt; where it came from does not count."""
        return content_hash([list(self.messages), self.completion, self.rejected, self.label])

    @property
    def question(self) -> str:
        """The last message that the model is shown."""
        return self.messages[-1]["content"] if self.messages else ""

    def edited(self, completion: str) -> Item:
        """The item with another completion, and a note of what it was before."""
        first = self.completion if self.original is None else self.original
        return replace(self, completion=completion, original=None if completion == first else first)

    def to_json(self) -> dict[str, Any]:
        """Plain values, empty ones left out; `from_json` reads them back."""
        body = _filled(self, _ITEM)
        body["messages"] = list(self.messages)
        body["origin"] = _filled(self.origin, _ORIGIN)
        return body

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> Item:
        """What `to_json` gave."""
        origin = dict(kept["origin"])
        origin["raters"] = tuple(origin.get("raters", ()))
        return cls(**{**kept, "messages": tuple(kept["messages"]), "origin": Origin(**origin)})


@dataclass(frozen=True, slots=True)
class CollectionItem:
    """An item in its place in a collection, and whether it is kept.

    Attributes:
        number: its place, from 0.
        reason: why it was dropped: the step that did, or `person`.
        detail: more of that, such as the item that it repeats.
    """

    number: int
    item: Item
    state: ItemState = "kept"
    reason: str = ""
    detail: str = ""


def collection_version(items: Iterable[Item], settings: Mapping[str, Any] | None = None) -> str:
    """The name of what a collection teaches: a hash over its items in order, and what repeats them.

    Args:
        settings: the collection's, of which over-sampling counts.
    """
    return version_of_keys((item.key for item in items), repeated_by(settings or {}))


def version_of_keys(keys: Iterable[str], repeated: Mapping[str, Any] | None = None) -> str:
    """The same of items that are known by their keys alone; `repeated` as `repeated_by` gives it."""
    return content_hash([list(keys), dict(repeated)] if repeated else list(keys))


def repeated_by(settings: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """By what and with which seed items are learnt from more often, where the settings over-sample."""
    found = settings.get("balance")
    if not isinstance(found, Mapping) or found.get("how") != "over":
        return None
    return {"by": found.get("by"), "seed": found.get("seed", 0)}


_PLAIN = frozenset({str, int, float, bool, dict, tuple})
_ORIGIN = tuple(one.name for one in fields(Origin))
_ITEM = tuple(one.name for one in fields(Item))


def _filled(record: Item | Origin, names: tuple[str, ...]) -> dict[str, Any]:
    """The fields that hold something. `asdict` would copy all the way down: seconds over 100,000 items."""
    filled = {}
    for name in names:
        value = getattr(record, name)
        if value is None or value == {} or value == ():
            continue
        is_plain = value.__class__ in _PLAIN or not isinstance(value, Mapping)
        filled[name] = value if is_plain else dict(value)
    return filled
