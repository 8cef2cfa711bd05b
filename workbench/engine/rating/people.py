"""What people said of a run's outputs, one entry an output or a pair of outputs: the mean over raters.

    quality_of(given, "likert", "helpful")  ->  Judged(cell=[0, 1], row=[17, 17], value=[4.5, 2.0], …)
    preferences_of(given, "pairwise")       ->  Preferred(first=[0], second=[3], row=[17], value=[0.75], …)

Preferences are taken from pairs, and from thumbs and Likert ratings by what one rater gave to two
outputs of a row.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

import numpy as np

from workbench.core.rating import Mode
from workbench.engine.rating.given import FloatArray, Given, IntArray, pair_columns

MOST_PREFERENCES = 200_000
"""Preferences that are derived from single ratings; beyond that a share of them says as much."""
MOST_CORRELATED = 2000
"""Outputs or pairs that a correlation is taken of; of more, so many are drawn."""


@dataclass(frozen=True)
class Judged:
    """People's mean of each output that they rated. `value` is thumbs 0 to 1, or the Likert scale's."""

    cell: IntArray
    row: IntArray
    repeat: IntArray
    value: FloatArray
    low: float
    high: float

    def at(self, table: FloatArray) -> FloatArray:
        """The entries of a table (cells, rows, repeats) for these outputs."""
        return np.asarray(table[self.cell, self.row, self.repeat], dtype=np.float64)


@dataclass(frozen=True)
class Preferred:
    """Which of two outputs of a row is preferred: 1 the first, 0 the second, or a mean over raters."""

    first: IntArray
    second: IntArray
    row: IntArray
    repeat: IntArray
    value: FloatArray

    def __len__(self) -> int:
        return len(self.value)

    def of(self, table: FloatArray) -> tuple[FloatArray, FloatArray]:
        """The entries of a table (cells, rows, repeats) for the first and the second outputs."""
        found = (table[side, self.row, self.repeat] for side in (self.first, self.second))
        one, two = (np.asarray(values, dtype=np.float64) for values in found)
        return one, two

    def where(self, kept: np.ndarray) -> Preferred:
        """Those that a mask keeps."""
        columns = (self.first, self.second, self.row, self.repeat, self.value)
        return Preferred(*(column[kept] for column in columns))

    def against(self, cell: int, other: int) -> Preferred:
        """Those of two cells, turned so that `cell` is the first."""
        straight = (self.first == cell) & (self.second == other)
        turned = (self.first == other) & (self.second == cell)
        found = self.where(straight | turned)
        value = np.where(found.first == cell, found.value, 1 - found.value)
        return Preferred(
            np.full(len(value), cell), np.full(len(value), other), found.row, found.repeat, value
        )


def quality_of(found: Given, mode: Mode, criterion: str = "") -> Judged:
    """The mean over raters of each output rated in this way (thumbs, or one criterion)."""
    ratings = found.of(mode, criterion)
    values: dict[tuple[int, int, int], list[float]] = defaultdict(list)
    for one in ratings:
        values[one.cell, one.position, one.repeat].append(float(one.value or 0))
    keys = np.array(list(values), dtype=np.int64).reshape(-1, 3)
    likert = mode == "likert"
    return Judged(
        cell=keys[:, 0],
        row=keys[:, 1],
        repeat=keys[:, 2],
        value=np.array([np.mean(given) for given in values.values()], dtype=np.float64),
        low=1.0 if likert else 0.0,
        high=float(max((one.scale or 5 for one in ratings), default=5)) if likert else 1.0,
    )


def preferences_of(found: Given, mode: Mode, criterion: str = "") -> Preferred:
    """Every preference that one rater has expressed: directly, or by rating two outputs of a row."""
    ratings = found.of(mode, criterion)
    if mode == "pairwise":
        columns = pair_columns(ratings)
        return Preferred(columns.first, columns.second, columns.row, columns.repeat, columns.outcome)
    groups: dict[tuple[str, int, int], dict[int, float]] = defaultdict(dict)
    for one in ratings:
        groups[one.rater, one.position, one.repeat][one.cell] = float(one.value or 0)
    return _derived(groups)


def by_pair(given: Preferred) -> Preferred:
    """Preferences with one entry for each two outputs: the mean over raters."""
    if not len(given):
        return given
    keys = np.column_stack([given.first, given.second, given.row, given.repeat])
    distinct, place = np.unique(keys, axis=0, return_inverse=True)
    place = place.reshape(-1)
    value = np.bincount(place, given.value) / np.bincount(place)
    first, second, row, repeat = distinct.T
    return Preferred(first, second, row, repeat, value)


def of_majority(values: FloatArray) -> FloatArray:
    """Means of 0, 0.5 and 1 as what most raters say: 1, 0, or 0.5 where they balance."""
    return np.asarray((np.sign(values - 0.5) + 1) / 2, dtype=np.float64)


def drawn(kept: np.ndarray, most: int = MOST_CORRELATED) -> np.ndarray:
    """Places that a mask keeps; of more than `most`, so many drawn at random, the same each time."""
    places = np.flatnonzero(kept)
    if len(places) <= most:
        return places
    return np.sort(np.random.default_rng(0).choice(places, most, replace=False))


def _derived(groups: dict[tuple[str, int, int], dict[int, float]]) -> Preferred:
    parts: list[tuple[Any, ...]] = []
    many = 0
    for (_, row, repeat), said in groups.items():
        cells = np.array(sorted(said), dtype=np.int64)
        values = np.array([said[cell] for cell in cells.tolist()])
        one, two = np.triu_indices(len(cells), 1)
        if len(one):
            liked = (np.sign(values[one] - values[two]) + 1) / 2
            parts.append((cells[one], cells[two], np.full(len(one), row), np.full(len(one), repeat), liked))
            many += len(one)
        if many > MOST_PREFERENCES:
            break
    if not parts:
        empty = np.empty(0, dtype=np.int64)
        return Preferred(empty, empty, empty, empty, np.empty(0))
    return Preferred(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))
