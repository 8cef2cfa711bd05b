"""Evening out how often each value of something is learnt from.

    balance(items, Balance(by="steps", how="under"))   ->  [0, 2, 3, 7, …]         the places that stay
    balance(items, Balance(by="label", how="over"))    ->  [0, 1, 2, …, 5, 5, 2]   rare ones again at the end

Under-sampling drops items of a collection. Over-sampling changes none: it is kept as a setting of the
collection, and items are repeated when training data (`training_items`) or files are written.
"""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from workbench.core.collection import Item
from workbench.core.tuning import Balance
from workbench.engine.row_groups import MOST_GROUPS, NO_VALUE, bands, by_value, number_of, text_of
from workbench.errors import CollectionError, suggestion

ITS_OWN = ("answer", "label", "length", "model", "prompt")
"""What one may balance by beside the columns of the rows."""
MOST_VALUES = 200
ANSWER = re.compile(r"(?i)\b(?:answer|antwort|respuesta|réponse)\s*:\s*")
LONGEST_NAME = 200
GOOD, BAD = "good", "not good"


@dataclass(frozen=True, slots=True)
class ValueCount:
    """How many items have a value: as they are, and after balancing."""

    value: str
    before: int
    after: int


def groups_of(items: Sequence[Item], by: str) -> list[str]:
    """The name of each item's group: its value, or the band of numbers that its value lies in.

    A column of the rows goes before what else the word may mean. `answer` is what stands after the last
    "Answer:" of the completion, or all of it; `length` the question's words in four bands.

    Raises CollectionError where no item has a value, or nearly each its own.
    """
    if not items:
        return []
    values = _values(items, by)
    if all(value is None or value == "" for value in values):
        columns = sorted({name for item in items for name in item.row})
        raise CollectionError(
            f"No item has a '{by}' to balance by.{suggestion(by, [*columns, *ITS_OWN])}"
            + ("" if columns else " These items come with no columns of a row.")
        )
    if by == "length" and not any("length" in item.row for item in items):
        found = bands([float(value) for value in values], "words")
        return _names(len(items), found)
    numbers = {number_of(value) for value in values if value is not None and value != ""}
    if None not in numbers and len(numbers) > MOST_GROUPS:
        return _names(len(items), by_value(values))
    texts = [NO_VALUE if value is None or value == "" else text_of(value) for value in values]
    distinct = len(set(texts))
    if distinct > MOST_VALUES or (distinct > MOST_GROUPS and 2 * distinct > len(texts)):
        raise CollectionError(
            f"'{by}' has {distinct:,} different values in {len(items):,} items: too many to balance by; "
            "choose one with few values, such as a label."
        )
    return [" ".join(text.split())[:LONGEST_NAME] or text[:LONGEST_NAME] for text in texts]


def balance(items: Sequence[Item], settings: Balance) -> list[int]:
    """The places of the items to learn from; with `over`, repeats of rare ones stand at the end.

    Under-sampling leaves every group as many as the rarest has, drawn by the seed, in their order;
    over-sampling repeats until every group has as many as the most frequent, each item about equally often.
    Raises CollectionError as `groups_of` does.
    """
    groups: dict[str, list[int]] = {}
    for place, name in enumerate(groups_of(items, settings.by)):
        groups.setdefault(name, []).append(place)
    if not groups:
        return []
    sizes = [len(places) for places in groups.values()]
    chosen: list[int] = []
    repeats: list[int] = []
    for name in sorted(groups):
        # its own source of chance, so that another group's items do not change what is drawn here
        draw, places = random.Random(f"{settings.seed}\n{name}"), groups[name]
        if settings.how == "under":
            chosen += draw.sample(places, min(sizes))
            continue
        chosen += places
        times, rest = divmod(max(sizes) - len(places), len(places))
        repeats += places * times + sorted(draw.sample(places, rest))
    return sorted(chosen) + repeats


def balance_preview(items: Sequence[Item], settings: Balance) -> tuple[ValueCount, ...]:
    """How many items of each value there are and would be, the most frequent first; nothing is applied."""
    names = groups_of(items, settings.by)
    after = Counter(names[place] for place in balance(items, settings))
    ordered = sorted(Counter(names).items(), key=lambda one: (-one[1], one[0]))
    return tuple(ValueCount(name, count, after[name]) for name, count in ordered)


def balance_choices(items: Sequence[Item]) -> list[str]:
    """By what the items can be balanced: what has from two to few different values."""
    columns = list(dict.fromkeys(name for item in items[:1_000] for name in item.row))
    choices = []
    for name in dict.fromkeys([*columns, *ITS_OWN]):
        try:
            if len(set(groups_of(items, name))) > 1:
                choices.append(name)
        except CollectionError:
            continue
    return choices


def training_items(items: Sequence[Item], settings: Balance | None) -> list[Item]:
    """The items as often as they are to be learnt from.

    For the part that is trained on, after the validation part is held back: a repeat must not stand in both.
    """
    return list(items) if settings is None else [items[place] for place in balance(items, settings)]


def kept_balance(settings: Mapping[str, Any]) -> Balance | None:
    """The over-sampling among a collection's settings; None without, and for under-sampling, which is done.

    Raises CollectionError for a setting that cannot be read.
    """
    written = settings.get("balance")
    if not written:
        return None
    try:
        found = Balance.model_validate(written)
    except ValidationError:
        raise CollectionError(f"The collection's setting `balance` cannot be read: {written!r}.") from None
    return found if found.how == "over" else None


def answer_of(item: Item) -> str:
    """What the completion answers: the text after its last "Answer:", or all of it."""
    *_, last = ANSWER.split(item.completion[-2_000:])
    return last.strip() or item.completion.strip()


def _values(items: Sequence[Item], by: str) -> list[Any]:
    if any(by in item.row for item in items):
        return [item.row.get(by) for item in items]
    if by == "answer":
        return [answer_of(item) for item in items]
    if by == "label":
        return [None if item.label is None else GOOD if item.label else BAD for item in items]
    if by == "length":
        return [len(item.question.split()) for item in items]
    if by in ("model", "prompt"):
        return [getattr(item.origin, by) for item in items]
    return [None] * len(items)


def _names(count: int, groups: Sequence[Any]) -> list[str]:
    names = [NO_VALUE] * count
    for group in groups:
        for place in group.places:
            names[place] = group.name
    return names
