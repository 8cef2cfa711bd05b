"""What a collection would be made of, told from scores and ratings alone: no output is read, nothing is made.

found = foresee(workspace, Collect(runs=("transit-samples",)), "completion")
found.passing(at_least=1)    ->  Passing(outputs=312, rows=187, items=187)
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from workbench.core.collection import Task
from workbench.core.dataset import ID_COLUMN
from workbench.core.tuning import Collect
from workbench.engine.rating.given import given
from workbench.engine.workspace import Workspace
from workbench.errors import CollectionError
from workbench.tuning.collecting.choosing import needs_teach, with_prompts
from workbench.tuning.collecting.merits import Merits, merits
from workbench.tuning.collecting.sources import Source, open_sources

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Passing:
    """What passes a bar.

    Attributes:
        items: the most that a collection could hold: what is said twice, repeats a held-back row or falls
            to cleaning still goes.
    """

    outputs: int
    rows: int
    items: int


@dataclass(frozen=True)
class Foreseen:
    """Every output that has a value to be picked by.

    Attributes:
        name: of what it is picked by, such as `exact_match`, `rating`, `wins`.
        higher: whether more is better.
        least, most: the bar where none is asked for; None where there is none.
        values: float (n,), what the outputs are worth.
        rows, versions: int (n,), which row and which version of a prompt each is of.
        looked_at: how many outputs there are, also those that nothing judged.
        all_rows: how many rows the runs are over.
    """

    task: Task
    name: str
    higher: bool
    least: float | None
    most: float | None
    values: FloatArray
    rows: IntArray
    versions: IntArray
    looked_at: int
    all_rows: int

    def bar(self, at_least: float | None, at_most: float | None) -> tuple[float | None, float | None]:
        """The bar that holds where this is asked for."""
        return (self.least, self.most) if at_least is None and at_most is None else (at_least, at_most)

    def good(self, at_least: float | None = None, at_most: float | None = None) -> npt.NDArray[np.bool_]:
        """Which outputs pass, bool (n,)."""
        least, most = self.bar(at_least, at_most)
        return Merits(self.name, self.higher, least, most, {}).passes(self.values)

    def passing(
        self, at_least: float | None = None, at_most: float | None = None, per_row: int = 1
    ) -> Passing:
        """How many outputs pass, of how many rows, and how many items that can give at most."""
        good = self.good(at_least, at_most)
        count = len(np.unique(self.rows[good]))
        return Passing(int(good.sum()), count, self._items(good, per_row))

    def _items(self, good: npt.NDArray[np.bool_], per_row: int) -> int:
        places = int(self.rows.max()) + 1 if len(self.rows) else 0
        if self.task == "preference":
            # of one row and one version, each good one against a bad one, as many as there are of either
            versions = int(self.versions.max()) + 1 if len(self.versions) else 1
            both = self.rows * versions + self.versions
            size = places * versions
            right = np.bincount(both[good], minlength=size)
            wrong = np.bincount(both[~good], minlength=size)
            pairs = np.where((right > 0) & (wrong > 0), np.maximum(right, wrong), 0)
            return int(np.minimum(pairs.reshape(places, versions).sum(axis=1), per_row).sum())
        right = np.bincount(self.rows[good], minlength=places)
        items = int(np.minimum(right, per_row).sum())
        if self.task == "label":
            items += int(np.minimum(np.bincount(self.rows[~good], minlength=places), per_row).sum())
        return items


@dataclass(frozen=True, slots=True)
class ForeseenPairs:
    """Pairs of outputs that raters compared.

    Attributes:
        decided: of those, how many most raters preferred one way.
        rows: of how many rows these are.
        items: as `Passing` has it.
    """

    compared: int
    decided: int
    rows: int
    items: int


def foresee(workspace: Workspace, settings: Collect, task: Task = "completion") -> Foreseen:
    """What the outputs of the runs are worth by what `settings.pick` names; its bar is left to `passing`.

    Raises as `collect` does: UnknownName, CollectionError, MetricError.
    """
    sources = _sources(workspace, settings)
    pick = settings.pick.model_copy(update={"at_least": None, "at_most": None})
    rows: dict[tuple[str, str, str], int] = {}
    versions: dict[str, int] = {}
    parts: list[tuple[FloatArray, IntArray, IntArray]] = []
    judged: Merits | None = None
    looked_at = 0
    for source in sources:
        found = merits(workspace, source, pick)
        judged = judged or found
        counts = workspace.store.outputs.counts(source.run)
        dataset = source.plan.dataset
        keys = [(dataset.name, dataset.split, str(row[ID_COLUMN])) for row in dataset.rows]
        places = np.array([rows.setdefault(key, len(rows)) for key in keys], dtype=np.int64)
        places = np.repeat(places, source.plan.experiment.repeats)
        for cell in source.cells:
            looked_at += counts.get(cell.index, 0)
            values = found.values[cell.index]
            known = ~np.isnan(values)
            version = versions.setdefault(cell.version, len(versions))
            parts.append((values[known], places[known], np.full(int(known.sum()), version)))
    if judged is None:
        raise CollectionError("Name a run whose outputs are to be looked at.")
    values, of_rows, of_versions = (np.concatenate(part) for part in zip(*parts, strict=True))
    return Foreseen(
        task,
        judged.name,
        judged.higher,
        judged.least,
        judged.most,
        values,
        of_rows,
        of_versions,
        looked_at,
        len(rows),
    )


def foresee_pairs(workspace: Workspace, settings: Collect) -> ForeseenPairs:
    """How many preferences the ratings of the runs hold. Raises as `collect` does."""
    compared = decided = 0
    of_rows: Counter[tuple[str, str, str]] = Counter()
    for source in _sources(workspace, settings):
        dataset = source.plan.dataset
        cells = {cell.index for cell in source.cells}
        margins: dict[tuple[int, int, int, int], float] = defaultdict(float)
        for one in given(workspace, source.run).ratings:
            if one.other is not None and one.value is not None and {one.cell, one.other} <= cells:
                margins[one.position, one.repeat, one.cell, one.other] += one.value - 0.5
        compared += len(margins)
        for (position, *_), margin in margins.items():
            if margin:
                decided += 1
                of_rows[dataset.name, dataset.split, str(dataset.rows[position][ID_COLUMN])] += 1
    items = sum(min(count, settings.pick.per_row) for count in of_rows.values())
    return ForeseenPairs(compared, decided, len(of_rows), items)


def _sources(workspace: Workspace, settings: Collect) -> Sequence[Source]:
    """The runs, with the cells that can be learnt from."""
    sources = open_sources(workspace, settings)
    if settings.teach is None and sources:
        unused: Counter[str] = Counter()
        sources = [with_prompts(source, settings, {}, unused) for source in sources]
        if not any(source.cells for source in sources):
            raise CollectionError(needs_teach(sources))
    return sources
