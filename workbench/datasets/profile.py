"""What a dataset is made of: columns, lengths, label balance, duplicates and leaks between splits.

profile(store.load("reviews"), others=[store.load("reviews", "train")])
DatasetProfile(rows=200, columns=(ColumnProfile("text", kind="text", …), …), labels=(("good", 120), …), …)
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from workbench.core.dataset import ID_COLUMN, Dataset
from workbench.datasets.splitting import text_key

Kind = Literal["empty", "boolean", "integer", "number", "label", "text", "nested"]

MOST_LABELS = 50
LONGEST_LABEL = 60
NUMBER = re.compile(r"[+-]?(\d+|\d{1,3}(,\d{3})+)(\.\d*)?([eE][+-]?\d+)?|[+-]?\.\d+")


@dataclass(frozen=True)
class ColumnProfile:
    """One column. Lengths are in characters, over the values that are there."""

    name: str
    kind: Kind
    missing: int
    distinct: int
    shortest: int
    length_p50: int
    length_p90: int
    length_p99: int
    longest: int


@dataclass(frozen=True)
class Leak:
    """Rows of this split whose text also stands in another split."""

    split: str
    rows: int
    ids: tuple[str, ...]


@dataclass(frozen=True)
class DatasetProfile:
    """What one split is made of.

    `labels` counts the values of the reference column, most frequent first, where they are few
    enough to be labels; else None. `duplicates` are rows beyond the first of equal text.
    """

    name: str
    split: str
    rows: int
    columns: tuple[ColumnProfile, ...]
    reference: str | None
    labels: tuple[tuple[str, int], ...] | None
    duplicates: int
    leaks: tuple[Leak, ...]
    warnings: tuple[str, ...]


def profile(dataset: Dataset, others: Sequence[Dataset] = ()) -> DatasetProfile:
    """Describes a split; `others` are the splits that none of its rows may stand in."""
    columns = tuple(_column(name, dataset) for name in dataset.columns)
    keys = _keys(dataset)
    duplicates = len(keys) - len(set(keys))
    leaks = tuple(leak for other in others if (leak := _leak(dataset, keys, other)) is not None)
    reference = next((column for column in columns if column.name == dataset.reference), None)
    labels = None
    if reference is not None and reference.kind in ("label", "boolean"):
        counted = Counter(_shown(row.get(reference.name)) for row in dataset.rows)
        labels = tuple(counted.most_common())
    return DatasetProfile(
        name=dataset.name,
        split=dataset.split,
        rows=len(dataset.rows),
        columns=columns,
        reference=dataset.reference,
        labels=labels,
        duplicates=duplicates,
        leaks=leaks,
        warnings=tuple(_warnings(dataset, reference, duplicates, leaks)),
    )


def _keys(dataset: Dataset) -> list[int]:
    without = (dataset.reference,) if dataset.reference else ()
    return [text_key(row, without) for row in dataset.rows]


def _leak(dataset: Dataset, keys: list[int], other: Dataset) -> Leak | None:
    there = set(_keys(other))
    ids = tuple(row[ID_COLUMN] for row, key in zip(dataset.rows, keys, strict=True) if key in there)
    return Leak(other.split, len(ids), ids[:20]) if ids else None


def _column(name: str, dataset: Dataset) -> ColumnProfile:
    values = [row.get(name) for row in dataset.rows]
    present = [value for value in values if value is not None and value != ""]
    texts = [_shown(value) for value in present]
    distinct = len(set(texts))
    lengths = sorted(map(len, texts)) or [0]
    return ColumnProfile(
        name=name,
        kind=_kind(present, texts, distinct),
        missing=len(values) - len(present),
        distinct=distinct,
        shortest=lengths[0],
        length_p50=_rank(lengths, 0.50),
        length_p90=_rank(lengths, 0.90),
        length_p99=_rank(lengths, 0.99),
        longest=lengths[-1],
    )


def _kind(present: list[Any], texts: list[str], distinct: int) -> Kind:
    """What the values look like; text that reads as numbers counts as numbers."""
    if not present:
        return "empty"
    if any(isinstance(value, (dict, list)) for value in present):
        return "nested"
    if all(text.lower() in ("true", "false") for text in texts):
        return "boolean"
    if all(_is_number(text) for text in texts):
        return "integer" if not any(set(text) & set(".eE") for text in texts) else "number"
    few = distinct <= min(MOST_LABELS, max(2, len(texts) // 4))
    return "label" if few and max(map(len, texts)) <= LONGEST_LABEL else "text"


def _is_number(text: str) -> bool:
    return NUMBER.fullmatch(text.strip()) is not None


def _rank(ordered: list[int], share: float) -> int:
    """Nearest-rank percentile: a length that really occurs."""
    return ordered[max(0, -(-int(share * 100) * len(ordered) // 100) - 1)]


def _shown(value: Any) -> str:
    if isinstance(value, str):
        return value
    return "" if value is None else json.dumps(value, ensure_ascii=False, default=str)


def _warnings(
    dataset: Dataset, reference: ColumnProfile | None, duplicates: int, leaks: Sequence[Leak]
) -> list[str]:
    said = [
        f"{leak.rows:,} of {len(dataset.rows):,} rows also stand in split '{leak.split}': "
        "scores on them say nothing about new rows."
        for leak in leaks
    ]
    if duplicates:
        said.append(f"{duplicates:,} rows repeat the text of an earlier row.")
    if dataset.reference is None:
        said.append("No column holds the right answer; metrics that need one cannot be computed.")
    elif reference is not None and reference.missing:
        said.append(f"The reference '{reference.name}' is missing in {reference.missing:,} rows.")
    return said
