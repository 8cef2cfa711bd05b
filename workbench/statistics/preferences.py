"""Ratings of pairs as columns: checked, counted by pair, and drawn anew by row for a bootstrap."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from workbench.statistics.davidson import Fitted, IntArray, PairCounts, fit
from workbench.statistics.intervals import share_of_units
from workbench.statistics.resampling import FloatArray, drawn_counts, unit_sums

_AT_ONCE = 4_000_000  # numbers held in one array while fitting resamples


@dataclass(frozen=True)
class Preferences:
    """Checked ratings of pairs, one entry a rating: 1 in `outcome` where the cell in `first` is preferred."""

    first: IntArray  # the smaller index of the two
    second: IntArray
    outcome: FloatArray
    unit: IntArray  # which row, 0 to units - 1
    weight: FloatArray
    cells: int
    units: int

    @classmethod
    def of(
        cls,
        first: npt.ArrayLike,
        second: npt.ArrayLike,
        outcome: npt.ArrayLike,
        rows: npt.ArrayLike | None,
        weights: npt.ArrayLike | None,
        cells: int | None,
    ) -> Preferences:
        """From columns as a person has them. Raises ValueError where they say nothing sensible."""
        one, two = (np.asarray(column).reshape(-1) for column in (first, second))
        value = np.asarray(outcome, dtype=np.float64).reshape(-1)
        weight = np.ones(len(value)) if weights is None else np.asarray(weights, np.float64).reshape(-1)
        row = None if rows is None else np.asarray(rows).reshape(-1)
        lengths = {len(column) for column in (one, two, value, weight, *(() if row is None else (row,)))}
        if len(lengths) != 1:
            raise ValueError(f"columns of ratings have different lengths: {sorted(lengths)}")
        keep = ~np.isnan(value)
        one, two, value, weight = (column[keep] for column in (one, two, value, weight))
        one, two = one.astype(np.int64), two.astype(np.int64)
        least = int(max(one.max(), two.max())) + 1 if len(one) else 0
        cells = least if cells is None else cells
        if len(one) and (min(one.min(), two.min()) < 0 or least > cells):
            raise ValueError(f"cells are numbered 0 to {cells - 1}")
        if (one == two).any():
            raise ValueError("a cell is not rated against itself")
        if not np.isin(value, (0.0, 0.5, 1.0)).all():
            raise ValueError("an outcome is 1 (the first is preferred), 0 (the second) or 0.5 (a tie)")
        if not (np.isfinite(weight).all() and (weight >= 0).all()):
            raise ValueError("a weight is a number, 0 or more")
        turned = one > two
        one, two = np.where(turned, two, one), np.where(turned, one, two)
        value = np.where(turned, 1 - value, value)
        if row is None:
            unit = np.argsort(np.lexsort((weight, value, two, one)))  # so that their order changes nothing
        else:
            unit = np.unique(row[keep], return_inverse=True)[1].reshape(-1)
        return cls(one, two, value, unit.astype(np.int64), weight, cells, len(np.unique(unit)))

    def counted(self) -> PairCounts:
        """All ratings, as one data set over the pairs that were rated."""
        size = max(self.cells, 1)
        pair, code = np.unique(self.first * size + self.second, return_inverse=True)
        counts = self._sums(code.reshape(-1), len(pair), self.weight)
        return PairCounts(self.cells, pair // size, pair % size, counts[:, :, None])

    def resampled(
        self, pairs: PairCounts, best: Fitted, resamples: int, spread: float, seed: int
    ) -> FloatArray:
        """Strengths (resamples, cells), rows drawn anew; no resamples where there are fewer than two rows."""
        if self.units < 2:
            return np.empty((0, self.cells))
        rng = np.random.default_rng(seed)
        code = np.searchsorted(pairs.first * self.cells + pairs.second, self.first * self.cells + self.second)
        width = max(len(pairs.first), (self.cells + 1) ** 2, self.units)
        step = max(1, _AT_ONCE // width)
        found = []
        for start in range(0, resamples, step):
            often = drawn_counts(self.units, min(step, resamples - start), rng)
            drawn = [self._sums(code, len(pairs.first), self.weight * times[self.unit]) for times in often]
            sets = PairCounts(self.cells, pairs.first, pairs.second, np.stack(drawn, axis=2))
            found.append(fit(sets, spread, best, pairs.tied).strength)
        return np.concatenate(found)

    def rated(self) -> FloatArray:
        """The weight of each cell's ratings."""
        both = np.concatenate([self.first, self.second])
        weight = np.concatenate([self.weight, self.weight])
        return np.bincount(both, weight, self.cells).astype(np.float64)

    def win_rates(self, confidence: float) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Each cell's win rate and its interval."""
        found = np.full((3, self.cells), np.nan)
        for cell in range(self.cells):
            mine = (self.first == cell) | (self.second == cell)
            if not self.weight[mine].any():
                continue
            point = np.where(self.first[mine] == cell, self.outcome[mine], 1 - self.outcome[mine])
            weight = self.weight[mine]
            units = unit_sums(np.column_stack([point * weight, weight]), self.unit[mine])
            found[:, cell] = share_of_units(units, confidence)
        return found[0], found[1], found[2]

    def _sums(self, code: npt.NDArray[np.intp], pairs: int, weight: FloatArray) -> FloatArray:
        kind = (2 - 2 * self.outcome).astype(np.intp)  # 0 won, 1 tied, 2 lost
        counts = np.bincount(kind * pairs + code, weight, 3 * pairs).reshape(3, pairs)
        return np.asarray(counts[[0, 2, 1]], dtype=np.float64)
