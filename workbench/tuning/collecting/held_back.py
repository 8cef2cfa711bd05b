"""The rows that are kept for evaluation: which splits they are in, and what may not be learnt for their sake.

A collection takes nothing from a run over such a split, and no row that repeats one of theirs.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from itertools import islice
from typing import Any

from workbench.core.dataset import ID_COLUMN, guess_reference
from workbench.core.tuning import Collect
from workbench.engine.workspace import Workspace
from workbench.errors import CollectionError, UnknownName
from workbench.tuning.collecting.overlap import Overlap, Overlaps
from workbench.tuning.collecting.sources import Columns, Source

EVALUATION_SPLITS = frozenset({"dev", "test", "validation", "valid", "val", "eval", "evaluation"})
"""Names of splits that rows are kept in for evaluation."""
PAGE_ROWS = 5_000

HeldBack = tuple[str, str, Sequence[str]]
"""Split, row id, and the texts of a row."""


def held_back_splits(workspace: Workspace, settings: Collect) -> list[str]:
    """As DATASET#SPLIT: those that the settings name, else every evaluation split of the workspace.

    Raises CollectionError for one that is not written so, UnknownName for one that is not there.
    """
    if settings.apart_from is None:
        return [
            f"{name}#{split}"
            for name in workspace.datasets.names()
            for split in workspace.datasets.splits(name)
            if split.lower() in EVALUATION_SPLITS
        ]
    for named in settings.apart_from:
        name, mark, split = named.partition("#")
        if not mark or not split:
            raise CollectionError(
                f"`apart_from` names splits as DATASET#SPLIT, such as {name}#test; got '{named}'."
            )
        known = workspace.datasets.splits(name)
        if split not in known:
            raise UnknownName(f"split in dataset '{name}'", split, known)
    return list(settings.apart_from)


def check_sources(sources: Sequence[Source], splits: Collection[str], settings: Collect) -> None:
    """Raises CollectionError for a run over a split that is held back."""
    for source in sources:
        name, split = source.plan.dataset.name, source.plan.dataset.split
        named = f"{name}#{split}"
        gone = settings.apart_from is None and split.lower() in EVALUATION_SPLITS
        if not source.imported and (named in splits or gone):
            raise CollectionError(
                f"Run '{source.run}' is over '{named}', which is kept for evaluation, so that nothing of it "
                f"may be learnt; run the experiment on other rows, such as those of `{name}#train`."
            )


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
    found = Overlaps(texts)
    rows = _rows(workspace, splits, shown, every_column)
    while page := list(islice(rows, PAGE_ROWS)):
        found.look(page)
    return found.found()


def joined(row: dict[str, Any], columns: Columns) -> str:
    """What a row shows in these columns, as one text."""
    return " ".join(str(row[column]) for column in columns if column in row)


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
