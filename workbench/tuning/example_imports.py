"""A collection made of files of examples, as they are: `workbench import mine.jsonl --name mine`.

Examples that repeat a row kept for evaluation, and preferences of a text to itself, come in as dropped ones,
so that a person can look at them.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from workbench.core.collection import CollectionItem, Item, Task
from workbench.core.document import check_name
from workbench.core.tuning import Collect
from workbench.engine.finished.importing import name_of
from workbench.engine.records import new_id
from workbench.engine.workspace import Workspace
from workbench.errors import CollectionError, UsageError
from workbench.tuning.collecting.held_back import repeating
from workbench.tuning.collecting.overlap import Overlap
from workbench.tuning.collecting.splits import held_back_splits
from workbench.tuning.formats.reading import TEACHES, File, ReadExamples, base_name, read_examples

HELD_BACK = "held_back"
"""The reason of examples that repeat a row of an evaluation split."""
SAME_TEXTS = "same_texts"
"""The reason of preferences whose better and worse text are one."""
MOST_LISTED = 1_000

OnReading = Callable[[str, int, int], None]
"""Told (file, bytes read, bytes in all)."""


@dataclass(frozen=True, slots=True)
class ImportedExamples:
    """What came of an import.

    Attributes:
        held_back: how many of the items repeat a row kept for evaluation and are dropped.
        same_texts: how many others prefer a text to itself and are dropped.
    """

    collection: str
    name: str
    task: Task
    formats: tuple[str, ...]
    items: int
    held_back: int
    same_texts: int
    unmapped: tuple[str, ...]


def import_examples(
    workspace: Workspace,
    files: Sequence[File],
    name: str | None = None,
    *,
    format_name: str | None = None,
    encoding: str | None = None,
    on_reading: OnReading | None = None,
) -> ImportedExamples:
    """Makes one collection of the examples in all files; an older one of the name stays as its history.

    Args:
        name: default: from the first file's name.
        format_name: of every file; default: told from what stands in each.
        encoding: default: UTF-8, or what a byte order mark says.

    Raises UsageError, UnknownName, InvalidFile, DatasetError; CollectionError where the files teach
    different things. Then nothing has changed.
    """
    if not files:
        raise UsageError("Name at least one file to import.")
    began = time.perf_counter()
    names = [one[0] if isinstance(one, tuple) else str(one) for one in files]
    called = name or name_of(names[0])
    try:
        check_name(called)
    except ValueError as problem:
        raise UsageError(f"{problem}.") from None
    read = [
        read_examples(file, format_name, encoding=encoding, progress=_told(file_name, on_reading))
        for file, file_name in zip(files, names, strict=True)
    ]
    for file_name, one in zip(names, read, strict=True):
        if one.task != read[0].task:
            raise CollectionError(
                f"{file_name} teaches {TEACHES[one.task]} by each example, and {names[0]} "
                f"{TEACHES[read[0].task]}; import them as two collections."
            )
    items = [item for one in read for item in one.items]
    settings = Collect(files=tuple(_kept_name(file) for file in files), task=read[0].task, clean=())
    splits = held_back_splits(workspace, settings)
    found = repeating(workspace, splits, items)
    placed = [_placed(at, item, found.get(at)) for at, item in enumerate(items)]
    dropped = Counter(one.reason for one in placed if one.state == "dropped")
    collection = new_id()
    report = {
        "files": [
            {"file": base_name(file), "format": one.format, "items": len(one.items), "unmapped": one.unmapped}
            for file, one in zip(names, read, strict=True)
        ],
        "items": len(items),
        "left_out": {},
        "dropped": dict(dropped),
        "apart_from": splits,
        "overlaps": {
            "rows": len(found),
            "listed": [_overlap(items[at], found[at]) for at in sorted(found)[:MOST_LISTED]],
        },
        "seconds": round(time.perf_counter() - began, 3),
    }
    workspace.store.collections.create(
        collection,
        called,
        read[0].task,
        settings.model_dump(mode="json", exclude_defaults=True),
        report,
        placed,
    )
    return ImportedExamples(
        collection,
        called,
        read[0].task,
        tuple(dict.fromkeys(one.format for one in read)),
        len(items),
        len(found),
        dropped[SAME_TEXTS],
        _unmapped(names, read),
    )


def _placed(at: int, item: Item, overlap: Overlap | None) -> CollectionItem:
    if overlap is not None:
        detail = f"{overlap.how} as {overlap.split}, {overlap.row_id}"
        return CollectionItem(at, item, "dropped", HELD_BACK, detail)
    if item.rejected is not None and item.rejected.strip() == item.completion.strip():
        return CollectionItem(at, item, "dropped", SAME_TEXTS)
    return CollectionItem(at, item)


def _overlap(item: Item, found: Overlap) -> dict[str, str]:
    return {
        "file": item.origin.file or "",
        "how": found.how,
        "split": found.split,
        "row_id": found.row_id,
        "words": found.words,
    }


def _unmapped(names: Sequence[str], read: Sequence[ReadExamples]) -> tuple[str, ...]:
    """What no place is for, with the file where there are several."""
    return tuple(
        sentence if len(names) == 1 else f"{base_name(name)}: {sentence}"
        for name, one in zip(names, read, strict=True)
        for sentence in one.unmapped
    )


def _kept_name(file: File) -> str:
    """What the collection keeps of where its file was: the path, by which it can be read again."""
    return file[0] if isinstance(file, tuple) else str(Path(file).resolve())


def _told(name: str, on_reading: OnReading | None) -> Callable[[int, int], None] | None:
    if on_reading is None:
        return None
    return lambda done_bytes, total_bytes: on_reading(base_name(name), done_bytes, total_bytes)
