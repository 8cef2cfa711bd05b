"""What of a run can be shown under a plan: outputs that are there, and pairs of them that differ."""

from __future__ import annotations

import itertools
import random
from functools import cached_property

import numpy as np
import numpy.typing as npt

from workbench.core.rating import RatingPlan
from workbench.engine.rating.ledger import Target
from workbench.engine.records import repeats_of
from workbench.engine.workspace import Workspace
from workbench.storage import RunRecord
from workbench.storage.row_facts import FAILED, MISSING

Units = npt.NDArray[np.bool_]
FEW_OUTPUTS = 10_000
"""Up to so many, equal texts are looked for at once; in larger runs when a cell is first shown."""


class Offer:
    """The targets of a plan and their units. Missing outputs and errors are never shown.

    Two outputs of a pair that say the same are left out: there is nothing to prefer. `identical` counts
    them, as far as they were looked at.
    """

    def __init__(self, workspace: Workspace, record: RunRecord, plan: RatingPlan) -> None:
        self.repeats = repeats_of(record)
        self._workspace, self._record = workspace, record
        rows = workspace.store.runs.count_rows(record.row_set)
        cells = list(range(len(record.definition["cells"])))
        chosen = list(plan.cells) or cells
        states = np.stack(
            [workspace.store.row_facts.states(record.id, cells, r, rows) for r in range(self.repeats)], axis=2
        )
        there = (states != FAILED) & (states != MISSING)
        there[:, ~_rows_of(plan, rows)] = False
        self.there: Units = there.reshape(len(cells), -1)
        pairs = plan.mode == "pairwise"
        self.targets: list[Target] = (
            list(itertools.combinations(sorted(chosen), 2)) if pairs else [(cell, None) for cell in chosen]
        )
        self.identical = 0
        self._prints: dict[int, npt.NDArray[np.int64]] = {}
        self._usable: dict[Target, Units] = {}
        if pairs and self.there[chosen].sum() <= FEW_OUTPUTS:
            for target in self.targets:
                self.usable(target)

    @cached_property
    def order(self) -> dict[Target, int]:
        """Each target's place among the targets."""
        return {target: place for place, target in enumerate(self.targets)}

    def covers(self, target: Target, unit: int) -> bool:
        """Whether this could be shown under the plan, as far as is known."""
        if target not in self.order or unit >= self.there.shape[1]:
            return False
        cell, other = target
        return bool(self.there[cell, unit] and (other is None or self.there[other, unit]))

    def usable(self, target: Target) -> Units:
        """Which units of a target can be shown."""
        if target not in self._usable:
            cell, other = target
            units = self.there[cell]
            if other is not None:
                both = units & self.there[other]
                units = both & (self._prints_of(cell) != self._prints_of(other))
                self.identical += int(both.sum() - units.sum())
            self._usable[target] = units
        return self._usable[target]

    @cached_property
    def _with_outputs(self) -> int:
        if self.targets and self.targets[0][1] is None:
            return int(sum(self.there[cell].sum() for cell, _ in self.targets))
        there = self.there.astype(np.float32)
        both = there @ there.T
        return int(sum(both[cell, other] for cell, other in self.targets))

    @property
    def count(self) -> int:
        """How many items there are in all, less the pairs known to be equal."""
        return self._with_outputs - self.identical

    def _prints_of(self, cell: int) -> npt.NDArray[np.int64]:
        if cell not in self._prints:
            prints = np.zeros(self.there.shape[1], dtype=np.int64)
            found = self._workspace.store.rating_items.fingerprints(self._record.id, cell)
            for (position, repeat), value in found.items():
                prints[position * self.repeats + repeat] = value
            self._prints[cell] = prints
        return self._prints[cell]


def _rows_of(plan: RatingPlan, rows: int) -> Units:
    chosen = np.ones(rows, dtype=bool)
    if plan.rows is not None and plan.rows < rows:
        chosen[:] = False
        chosen[random.Random(plan.seed).sample(range(rows), plan.rows)] = True
    return chosen
