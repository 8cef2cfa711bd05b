"""Slices: a run's rows in groups, each cell's estimate in every group, and whether the verdicts hold there.

slices(workspace, run, by="steps")
steps 1: direct 0.61 [0.52, 0.69], step-by-step 0.93 [0.87, 0.97] better
steps 3: direct 0.05 [0.02, 0.11], step-by-step 0.48 [0.39, 0.57] better
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from workbench.core.experiment import Experiment
from workbench.core.race import Race
from workbench.core.run import Cell, CellComparison, MetricEstimate
from workbench.engine.comparing import Pair, compare, comparison_lines
from workbench.engine.plan import stored_cells
from workbench.engine.records import experiment_of, get_run, race_of
from workbench.engine.reporting import cell_json, estimate_json, number
from workbench.engine.score import metric_scores, metrics_of, score_run
from workbench.engine.sliced_rows import sliced_rows, units_of
from workbench.engine.stopped_cells import estimate_at_any_time, stopped_notes, without_verdicts
from workbench.engine.workspace import Workspace
from workbench.metrics import Metric
from workbench.storage.scores import CellScores

FEW_ROWS = 30


@dataclass(frozen=True, slots=True)
class SliceCell:
    """One cell in one slice; `comparison` is None for the baseline."""

    cell: Cell
    estimate: MetricEstimate
    comparison: CellComparison | None
    contradicts: bool = False
    """Better here and worse over all rows, or the reverse."""


@dataclass(frozen=True, slots=True)
class Slice:
    """One group of rows. `value` is what its rows have in `Slices.column`, where it is one value."""

    name: str
    rows: int
    cells: tuple[SliceCell, ...]
    value: str | None = None

    @property
    def small(self) -> bool:
        """Whether it has so few rows that its intervals are wide."""
        return self.rows < FEW_ROWS


@dataclass(frozen=True, slots=True)
class Slices:
    """Every slice, and the cells over all rows; p-values are Holm-adjusted over slices × cells."""

    run: str
    metric: str
    by: str
    column: str | None
    baseline: Cell
    whole: tuple[SliceCell, ...]
    slices: tuple[Slice, ...]
    notes: tuple[str, ...]
    confidence: float


def slices(
    workspace: Workspace, run: str, by: str, metric: str | None = None, baseline: int | None = None
) -> Slices:
    """Every cell's estimate in every group of rows, with a paired verdict against the baseline there.

    Args:
        by: a dataset column (`column:NAME` where it is called like one of these): `length` of the
            row's text, `length:NAME` of a column, `length:reference`, `length:prompt` (tokens that
            the baseline was asked), `tags`, or `reference`.
        metric: one of the experiment's metrics; default: its first.
        baseline: index of the cell to compare with; default: the experiment's baseline.

    Raises UsageError where there is nothing to group by: an unknown column, one text for each row.
    """
    record = get_run(workspace, run)
    experiment = experiment_of(record)
    whole = compare(workspace, run, metric, baseline)
    name, cells = whole.metric, stored_cells(record)
    measure = metrics_of(experiment)[name]
    scores = score_run(workspace, run)
    groups, column = sliced_rows(workspace, record, by, whole.baseline)
    repeats = experiment.repeats
    others = [cell for cell in cells if cell != whole.baseline]
    pairs: list[Pair] = []
    clusters: list[np.ndarray | None] = []
    for group in groups:
        units = units_of(group, repeats)
        before = scores[whole.baseline.index, name].at(units)
        pairs += [(cell, before, scores[cell.index, name].at(units)) for cell in others]
        clusters += [None if repeats == 1 else units // repeats] * len(others)
    race = race_of(record)
    lines = without_verdicts(comparison_lines(measure, experiment, pairs, clusters), whole.baseline, race)
    columns = [scores[cell.index, name] for cell in cells]
    table = _Table(measure, experiment, race, cells, columns, whole.comparisons)
    found = []
    for place, group in enumerate(groups):
        here = lines[place * len(others) : (place + 1) * len(others)]
        members = table.over(units_of(group, repeats), here)
        found.append(Slice(group.name, len(group.places), members, group.value))
    totals = table.over(np.arange(len(columns[0].values)), whole.comparisons)
    return Slices(
        run=run,
        metric=name,
        by=by,
        column=column,
        baseline=whole.baseline,
        whole=totals,
        slices=tuple(found),
        notes=(*_notes(found, totals), *stopped_notes(cells, race, "it has no verdicts here.")),
        confidence=experiment.confidence,
    )


def slices_json(found: Slices) -> dict[str, Any]:
    """The slices as `compare RUN --by COLUMN --json` prints them."""
    return {
        "run": found.run,
        "metric": found.metric,
        "by": found.by,
        "baseline": cell_json(found.baseline),
        "cells": [_cell_json(one) for one in found.whole],
        "slices": [
            {
                "value": one.name,
                "rows": one.rows,
                "few_rows": one.small,
                "cells": [_cell_json(cell) for cell in one.cells],
            }
            for one in found.slices
        ],
        "notes": list(found.notes),
    }


@dataclass(frozen=True, eq=False)
class _Table:
    """Every cell of a run by one metric: `columns` has its scores, `whole` its lines over all rows."""

    metric: Metric
    experiment: Experiment
    race: Race | None
    cells: tuple[Cell, ...]
    columns: Sequence[CellScores]
    whole: Sequence[CellComparison]

    def over(self, units: np.ndarray, lines: Sequence[CellComparison]) -> tuple[SliceCell, ...]:
        """Every cell over these units, with its line there; the baseline has none."""
        over_all = {line.cell.index: line for line in self.whole}
        here = {line.cell.index: line for line in lines}
        return tuple(
            SliceCell(
                cell,
                self._estimate(column, units),
                here.get(cell.index),
                _contradict(here.get(cell.index), over_all.get(cell.index)),
            )
            for cell, column in zip(self.cells, self.columns, strict=True)
        )

    def _estimate(self, column: CellScores, units: np.ndarray) -> MetricEstimate:
        part, repeats, race = column.at(units), self.experiment.repeats, self.race
        clusters = None if repeats == 1 else units // repeats
        confidence = self.experiment.confidence
        estimate = self.metric.estimate(metric_scores(part), clusters, confidence)
        low, high, n = estimate.low, estimate.high, estimate.n
        found = MetricEstimate(estimate.mean, low, high, n, len(units) - n)
        if race is None or race.rows_of(column.cell) == race.of_rows or found.n == 0:
            return found
        here = np.full(len(column.values), np.nan)
        here[units] = part.values
        return estimate_at_any_time(found, here, self.metric, race, confidence)


def _contradict(here: CellComparison | None, whole: CellComparison | None) -> bool:
    return here is not None and whole is not None and {here.verdict, whole.verdict} == {"better", "worse"}


def _notes(found: list[Slice], whole: tuple[SliceCell, ...]) -> list[str]:
    """What a reader of the whole table would not expect."""
    said = []
    for one in whole:
        line = one.comparison
        if line is None:
            continue
        for part in found:
            cell = part.cells[one.cell.index]
            if cell.contradicts and cell.comparison is not None:
                said.append(
                    f"{one.cell.label} is {line.verdict} over all rows but {cell.comparison.verdict} in "
                    f"'{part.name}'."
                )
    small = [part.name for part in found if part.small]
    if small:
        said.append(
            f"Few rows (under {FEW_ROWS}) in {', '.join(repr(name) for name in small[:6])}"
            + (f" and {len(small) - 6} more" if len(small) > 6 else "")
            + ": the intervals are wide."
        )
    return said


def _cell_json(one: SliceCell) -> dict[str, Any]:
    line = one.comparison
    compared = None
    if line is not None:
        kept = ("difference", "low", "high", "p", "p_adjusted", "n", "verdict", "rows_needed")
        values = asdict(line)
        compared = {key: number(values[key]) for key in kept} | {"contradicts": one.contradicts}
    return {**cell_json(one.cell), "estimate": estimate_json(one.estimate), "comparison": compared}
