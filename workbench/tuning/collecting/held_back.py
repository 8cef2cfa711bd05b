"""Rows that repeat one that is kept for evaluation: found by what the models are shown of them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from itertools import islice
from typing import Any

from workbench.core.collection import Item
from workbench.core.dataset import ID_COLUMN, guess_reference
from workbench.engine.workspace import Workspace
from workbench.tuning.collecting.overlap import Overlap, Overlaps
from workbench.tuning.collecting.sources import Columns

REPEATS = "repeats a held-back row"
"""Why a text is not learnt from although it was picked."""
PAGE_ROWS = 5_000
COMPARED_TOGETHER = 20_000_000
"""Characters of texts that are compared at once: their words take much memory."""

HeldBack = tuple[str, str, Sequence[str]]
"""Split, row id, and the texts of a row."""


def overlapping(
    workspace: Workspace,
    splits: Sequence[str],
    texts: Sequence[str],
    shown: Collection[Columns],
    every_column: bool,
) -> dict[int, Overlap]:
    """By the place of a text, the held-back row that it repeats.

    Args:
        texts: what may be learnt from; of a row the columns that the models were shown, joined.
        shown: these columns; held-back rows are joined alike.
        every_column: compare each column of text by itself, too, since some texts come from no row.
    """
    found: dict[int, Overlap] = {}
    for first, together in _batches(texts):
        overlaps = Overlaps(together)
        rows = _rows(workspace, splits, shown, every_column)
        while page := list(islice(rows, PAGE_ROWS)):
            overlaps.look(page)
        found |= {first + at: one for at, one in overlaps.found().items()}
    return found


def repeating(workspace: Workspace, splits: Sequence[str], items: Sequence[Item]) -> dict[int, Overlap]:
    """By the place of an imported item, the held-back row that it repeats.

    Compared is each message that the model is shown and did not say itself, all that the user says together,
    and an input that stands under an instruction.
    """
    places: dict[str, list[int]] = {}
    for at, item in enumerate(items):
        for text in _shown(item):
            places.setdefault(text, []).append(at)
    texts = list(places)
    found: dict[int, Overlap] = {}
    for place, overlap in sorted(overlapping(workspace, splits, texts, (), every_column=True).items()):
        for at in places[texts[place]]:
            found.setdefault(at, overlap)
    return found


def _shown(item: Item) -> set[str]:
    texts = {message["content"] for message in item.messages if message["role"] != "assistant"}
    texts.add(" ".join(message["content"] for message in item.messages if message["role"] == "user"))
    beside = item.extra.get("input")
    return texts | {beside} if isinstance(beside, str) else texts


def joined(row: dict[str, Any], columns: Columns) -> str:
    """What a row shows in these columns, as one text."""
    return " ".join(str(row[column]) for column in columns if column in row)


def _batches(texts: Sequence[str]) -> Iterator[tuple[int, Sequence[str]]]:
    """Texts that are compared at once, and the place of the first of them."""
    first = characters = 0
    for at, text in enumerate(texts):
        if characters and characters + len(text) > COMPARED_TOGETHER:
            yield first, texts[first:at]
            first, characters = at, 0
        characters += len(text)
    if texts:
        yield first, texts[first:]


def _rows(
    workspace: Workspace, splits: Sequence[str], shown: Collection[Columns], every_column: bool
) -> Iterator[HeldBack]:
    for named in splits:
        name, _, split = named.partition("#")
        reference = workspace.datasets.card(name).reference
        offset = 0
        while True:
            page, total = workspace.datasets.page(name, split, offset, PAGE_ROWS)
            for row in page:
                yield named, str(row[ID_COLUMN]), _texts(row, shown, every_column, reference)
            offset += len(page)
            if not page or offset >= total:
                break


def _texts(
    row: dict[str, Any], shown: Collection[Columns], every_column: bool, reference: str | None
) -> list[str]:
    whole = [
        joined(row, columns) for columns in shown if columns and all(column in row for column in columns)
    ]
    if len(whole) == len(shown) and not every_column:
        return whole
    hidden = {ID_COLUMN, reference or guess_reference(list(row))}
    single = [value for column, value in row.items() if isinstance(value, str) and column not in hidden]
    return list(dict.fromkeys([*whole, *single]))
