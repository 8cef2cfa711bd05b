"""What is learnt and what is held back, written beside each other before training begins.

items.jsonl ─ by row ─→ train.jsonl (rows 1, 2, 4 …) and validation.jsonl (row 3 …)

All items of a row go to one side: four answers to one question on both sides would hide overfitting.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from workbench.core.collection import Item
from workbench.core.document import content_hash
from workbench.core.files import replacing
from workbench.core.model import ChatMessage
from workbench.errors import TuningError
from workbench.tuning.folders import TuningFolder

FEWEST_ROWS = 10
"""With fewer rows there are none to spare for validation."""


def write_items(folder: TuningFolder, items: Iterable[Item]) -> None:
    """Keeps the collection as it is, with where each item came from."""
    _write(folder.items, (item.to_json() for item in items))


def read_items(folder: TuningFolder) -> list[Item]:
    """What `write_items` kept. Raises TuningError where it is not there."""
    return read_items_file(folder.items)


def read_items_file(file: Path) -> list[Item]:
    """Items as `write_items` writes them. Raises TuningError."""
    try:
        with file.open(encoding="utf-8") as lines:
            return [Item.from_json(json.loads(line)) for line in lines]
    except (OSError, ValueError, KeyError, TypeError) as problem:
        raise TuningError(
            f"{file}, which holds what was learnt from, cannot be read ({type(problem).__name__}); "
            "start a new tuning with the same recipe."
        ) from None


def split_by_row(items: Sequence[Item], share: float, seed: int) -> tuple[list[Item], list[Item]]:
    """(learnt, held back): about `share` of the rows are held back, the same ones for the same seed.

    A row is a dataset's row, or of an imported item its question.
    """
    rows = {row_of(item) for item in items}
    if not share or len(rows) < FEWEST_ROWS:
        return list(items), []
    ranked = sorted(rows, key=lambda row: content_hash([seed, row]))
    held = set(ranked[: max(1, round(share * len(rows)))])
    return (
        [item for item in items if row_of(item) not in held],
        [item for item in items if row_of(item) in held],
    )


def row_of(item: Item) -> str:
    """What names an item's row."""
    origin = item.origin
    if origin.row_id is not None:
        return f"{origin.dataset}#{origin.split}#{origin.row_id}"
    return content_hash(list(item.messages))


def write_examples(folder: TuningFolder, learnt: Sequence[Item], held_back: Sequence[Item]) -> None:
    """Writes train.jsonl, and validation.jsonl where something is held back."""
    _write(folder.train, map(_example, learnt))
    if held_back:
        _write(folder.validation, map(_example, held_back))
    else:
        folder.validation.unlink(missing_ok=True)


def learnt_items(folder: TuningFolder, items: Sequence[Item]) -> list[Item]:
    """Those of the items that were trained on: without what was held back, where that is written down."""
    if not folder.train.is_file():
        return list(items)
    with folder.train.open(encoding="utf-8") as lines:
        learnt = {content_hash(json.loads(line)) for line in lines if line.strip()}
    return [item for item in items if content_hash(_example(item)) in learnt]


def sample_prompts(
    learnt: Sequence[Item], held_back: Sequence[Item], count: int, seed: int
) -> tuple[tuple[ChatMessage, ...], ...]:
    """Fixed prompts to look at while training: of rows held back, else of learnt ones."""
    asked = {content_hash([seed, list(item.messages)]): item.messages for item in held_back or learnt}
    return tuple(asked[key] for key in sorted(asked)[:count])


def _example(item: Item) -> dict[str, Any]:
    found: dict[str, Any] = {"messages": list(item.messages), "completion": item.completion}
    if item.rejected is not None:
        found["rejected"] = item.rejected
    if item.label is not None:
        found["label"] = item.label
    return found


def _write(path: Path, lines: Iterable[dict[str, Any]]) -> None:
    with replacing(path) as file:
        for line in lines:
            # escaped: a line separator within a text must not look like the end of a line
            file.write(json.dumps(line).encode("ascii") + b"\n")
