"""Rows as groups: by a column's values or bands, by how long a text is, by the tags that people put on.

    by_value([3, 1, 2, 2, None])  ->  groups "1", "2", "3", "no value" with the places of their rows

A column of few values gives one group a value; of many numbers, four bands with as many rows in each;
of many texts, the most frequent twelve and one group for all others.
"""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from workbench.core.dataset import ID_COLUMN
from workbench.core.prompt import Prompt
from workbench.errors import PromptError
from workbench.prompting import Renderer
from workbench.storage import RunRecord

MOST_GROUPS = 12
BANDS = 4
LONGEST_NAME = 200
NO_VALUE = "no value"
NUMBER = re.compile(r"\s*[-+]?(\d{1,18}(\.\d{0,18})?|\.\d{1,18})([eE][-+]?\d{1,3})?\s*")

Places = npt.NDArray[np.int64]


@dataclass(frozen=True)
class RowGroup:
    """Rows that share something: `places` are their positions in the run, from 0.

    `value` is the one value that all of them have, as text; None for bands and for what is lumped.
    """

    name: str
    places: Places
    value: str | None = None


def by_value(values: Sequence[Any]) -> list[RowGroup]:
    """Groups of a column with one entry a row; [] where nearly every row has a text of its own.

    None, "" and NaN are "no value"; lists and mappings count as their JSON.
    """
    numbers = [number_of(value) for value in values]
    missing = [_is_missing(value) for value in values]
    numeric = all(gone or number is not None for number, gone in zip(numbers, missing, strict=True))
    if numeric and not all(missing):
        column = np.array([math.nan if number is None else number for number in numbers])
        if len(np.unique(column[~np.isnan(column)])) > MOST_GROUPS:
            return bands(column)
    texts = [None if gone else text_of(value) for value, gone in zip(values, missing, strict=True)]
    counted = Counter(text for text in texts if text is not None)
    kept = [text for text, _ in sorted(counted.items(), key=lambda item: (-item[1], item[0]))]
    if len(kept) > MOST_GROUPS:
        kept = [text for text in kept[:MOST_GROUPS] if counted[text] > 1]
        if not kept:
            return []
    if numeric:
        kept.sort(key=lambda text: (float(text), text))
    group_of = {text: place for place, text in enumerate(kept)}
    others, gone = len(kept), len(kept) + 1
    marks = np.array([gone if text is None else group_of.get(text, others) for text in texts], dtype=np.int64)
    lumped = f"{len(counted) - len(kept):,} other values"
    names: list[tuple[str, str | None]] = [(text, text) for text in kept]
    names += [(lumped, None), (NO_VALUE, None)]
    return _named([RowGroup(name, _where(marks == m), value) for m, (name, value) in enumerate(names)])


def bands(numbers: Sequence[float] | npt.NDArray[np.float64], unit: str = "") -> list[RowGroup]:
    """Up to four groups of about as many rows, by size, named by what they hold; NaN is "no value".

    `unit` is said after the numbers, in the plural.
    """
    column = np.asarray(numbers, dtype=np.float64)
    known = ~np.isnan(column)
    finite = column[np.isfinite(column)]
    if len(finite) == 0:
        return _named([RowGroup(NO_VALUE, _where(~known))])
    held = np.clip(column, finite.min(), finite.max())
    edges = np.unique(np.quantile(finite, np.arange(1, BANDS) / BANDS))
    marks = np.searchsorted(edges, held, side="left")
    groups = []
    for mark in range(len(edges) + 1):
        places = _where(known & (marks == mark))
        if len(places):
            low, high = column[places].min(), column[places].max()
            name = _shown(low) if low == high else f"{_shown(low)} to {_shown(high)}"
            said = unit.removesuffix("s") if name == "1" else unit
            groups.append(RowGroup(f"{name} {said}".rstrip(), places))
    return _named([*groups, RowGroup(NO_VALUE, _where(~known))])


def by_tag(row_ids: Sequence[str], tags: Mapping[str, Sequence[str]]) -> list[RowGroup]:
    """One group a tag, the most frequent first; a row with two tags is in two groups."""
    counted = Counter(tag for row in row_ids for tag in tags.get(row, ()))
    kept = [tag for tag, _ in sorted(counted.items(), key=lambda item: (-item[1], item[0]))]
    places: dict[str, list[int]] = {tag: [] for tag in kept[:MOST_GROUPS]}
    without: list[int] = []
    for place, row in enumerate(row_ids):
        if not tags.get(row):
            without.append(place)
        for tag in tags.get(row, ()):
            if tag in places:
                places[tag].append(place)
    groups = [RowGroup(tag, np.array(found, dtype=np.int64), tag) for tag, found in places.items()]
    return _named([*groups, RowGroup("no tag", np.array(without, dtype=np.int64))])


def question_columns(record: RunRecord, rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """The columns that hold what was asked: texts of several words that some prompt of the run reads.

    Where there is none, any such text but the right answer, and at last the first column.
    """
    reference, asked = record.definition["reference"], _asked_columns(record)
    sample = rows[:200]
    names = [
        n for n in dict.fromkeys(key for row in sample for key in row) if n not in (ID_COLUMN, reference)
    ]
    long = [
        name
        for name in names
        if any(isinstance(row.get(name), str) for row in sample)
        and np.mean([len(str(row.get(name) or "").split()) for row in sample]) >= 3
    ]
    return [name for name in long if name in asked] or long or names[:1]


def _asked_columns(record: RunRecord) -> set[str]:
    asked: set[str] = set()
    for content in record.definition["prompts"].values():
        if "members" not in content:
            with suppress(PromptError):
                asked |= Renderer(Prompt.model_validate(content)).variables
    return asked


def text_of(value: Any) -> str:
    """A value as the text that it is grouped and found by; numbers without a needless `.0`."""
    if isinstance(value, str):
        return value
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return json.dumps(value, ensure_ascii=False, sort_keys=True, default=str)


def number_of(value: Any) -> float | None:
    """The number that a value is, or reads as; None for all else, truth values included."""
    if isinstance(value, bool):
        return None
    if isinstance(value, (int, float)):
        try:
            return float(value)
        except OverflowError:
            return None
    if isinstance(value, str) and NUMBER.fullmatch(value):
        return float(value)
    return None


def _is_missing(value: Any) -> bool:
    return value is None or value == "" or (isinstance(value, float) and math.isnan(value))


def _where(mask: npt.NDArray[np.bool_]) -> Places:
    return np.flatnonzero(mask).astype(np.int64)


def _shown(number: float) -> str:
    return f"{number:,.0f}" if float(number).is_integer() and abs(number) < 1e15 else f"{number:.5g}"


def _named(groups: Sequence[RowGroup]) -> list[RowGroup]:
    """Those that have rows, each with a name that no other has."""
    named: list[RowGroup] = []
    taken: Counter[str] = Counter()
    for group in groups:
        if len(group.places) == 0:
            continue
        flat = " ".join(group.name.split()) or '" "'
        name = flat if len(flat) <= LONGEST_NAME else flat[: LONGEST_NAME - 1] + "…"
        taken[name] += 1
        named.append(replace(group, name=f"{name} ({taken[name]})" if taken[name] > 1 else name))
    return named
