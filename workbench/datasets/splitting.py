"""Cutting rows into splits so that nothing in one split gives away a row of another.

    split_rows(rows, {"train": 0.8, "dev": 0.1, "test": 0.1}, seed=7, group_by="document")

Rows whose text is equal stay together, as do rows that share the value of `group_by`.
"""

from __future__ import annotations

import hashlib
import json
import math
import random
from collections.abc import Iterable, Sequence

from workbench.core.dataset import ID_COLUMN, guess_reference
from workbench.datasets.json_rows import Row
from workbench.errors import DatasetError, UnknownName, UsageError


def split_rows(
    rows: Sequence[Row],
    fractions: dict[str, float],
    seed: int = 0,
    group_by: str | None = None,
    reference: str | None = None,
) -> dict[str, list[Row]]:
    """Rows by split, in their old order within each.

    Args:
        fractions: share of the rows by split; they add up to 1.
        group_by: rows with an equal value in this column stay in one split.
        reference: column that is not part of a row's text; None: the likeliest by name.
    """
    columns = list(dict.fromkeys(column for row in rows for column in row))
    if group_by is not None and group_by not in columns:
        raise UnknownName("column to group by", group_by, columns)
    reference = reference or guess_reference(columns)
    keys = [group_key(row, group_by, reference) for row in rows]
    found: dict[str, list[Row]] = {split: [] for split in fractions}
    for row, split in zip(rows, assign_splits(keys, fractions, seed), strict=True):
        found[split].append(row)
    return found


def assign_splits(keys: Sequence[int], fractions: dict[str, float], seed: int) -> list[str]:
    """The split of each row, given the key of its group. Equal keys meet in one split.

    Groups are dealt in a seeded order, each to the split that lacks most rows. Raises DatasetError
    where a split would stay empty.
    """
    check_fractions(fractions)
    sizes: dict[int, int] = {}
    for key in keys:
        sizes[key] = sizes.get(key, 0) + 1
    groups = list(sizes)  # in order of first appearance: the seed decides, not the hash
    random.Random(seed).shuffle(groups)
    lacking = {split: share * len(keys) for split, share in fractions.items()}
    place: dict[int, str] = {}
    for key in groups:
        split = max(lacking, key=lambda name: lacking[name])
        place[key] = split
        lacking[split] -= sizes[key]
    empty = sorted(fractions.keys() - set(place.values()))
    if empty:
        raise DatasetError(
            f"{len(keys)} rows in {len(groups)} groups of equal text leave split '{empty[0]}' empty; "
            "give it a larger share or bring more rows."
        )
    return [place[key] for key in keys]


def check_fractions(fractions: dict[str, float]) -> None:
    """Refuses shares that are not positive or do not add up to 1."""
    if not fractions or any(not share > 0 for share in fractions.values()):
        raise UsageError("Every split needs a share above 0, such as train=0.8,dev=0.1,test=0.1.")
    if not math.isclose(sum(fractions.values()), 1, abs_tol=1e-6):
        raise UsageError(f"The shares of the splits add up to {sum(fractions.values()):g}; make it 1.")


def group_key(row: Row, group_by: str | None = None, reference: str | None = None) -> int:
    """Equal for rows that must stay together: by a column's value where one is named, else by text."""
    if group_by is not None:
        return _hash([row.get(group_by)])
    return text_key(row, (reference,) if reference else ())


def text_key(row: Row, without: Iterable[str] = ()) -> int:
    """Equal for rows with equal values beside the id and the columns left out; spacing does not count."""
    left_out = {ID_COLUMN, *without}
    return _hash(
        [
            [column, " ".join(value.split()) if isinstance(value, str) else value]
            for column, value in sorted(row.items())
            if column not in left_out
        ]
    )


def _hash(content: object) -> int:
    text = json.dumps(content, sort_keys=True, ensure_ascii=True)
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest())
