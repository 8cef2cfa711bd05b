"""Slices: a run's rows in groups, each cell's estimate in every group, and whether the verdicts hold there.

slices(workspace, run, by="steps")
steps 1: direct 0.61 [0.52, 0.69], step-by-step 0.93 [0.87, 0.97] better
steps 3: direct 0.05 [0.02, 0.11], step-by-step 0.48 [0.39, 0.57] better
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from workbench.core.dataset import ID_COLUMN
from workbench.core.experiment import Experiment
from workbench.core.race import Race
from workbench.core.run import Cell, CellComparison, MetricEstimate
from workbench.engine.comparing import Pair, compare, comparison_lines
from workbench.engine.plan import stored_cells
from workbench.engine.records import experiment_of, get_run, race_of
from workbench.engine.reporting import cell_json, estimate_json, number
from workbench.engine.row_groups import (
    RowGroup,
    bands,
    by_tag,
    by_value,
    question_columns,
    text_of,
)
from workbench.engine.score import metric_scores, metrics_of, score_run
from workbench.engine.stopped_cells import estimate_at_any_time, without_verdicts
from workbench.engine.workspace import Workspace
from workbench.errors import UsageError, suggestion
from workbench.metrics import Metric
from workbench.storage import RunRecord
from workbench.storage.outputs import MEASURED
from workbench.storage.scores import CellScores

FEW_ROWS = 30
LENGTH, TAGS, REFERENCE, COLUMN = "length", "tags", "reference", "column:"


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
    pairs: list[Pair] = []
    clusters: list[np.ndarray | None] = []
    for group in groups:
        units = units_of(group, repeats)
        ids = None if repeats == 1 else units // repeats
        before = scores[whole.baseline.index, name].at(units)
        others = [cell for cell in cells if cell != whole.baseline]
        pairs += [(cell, before, scores[cell.index, name].at(units)) for cell in others]
        clusters += [ids] * len(others)
    race = race_of(record)
    lines = without_verdicts(comparison_lines(measure, experiment, pairs, clusters), whole.baseline, race)
    over_all = {line.cell.index: line for line in whole.comparisons}
    every = np.arange(len(scores[cells[0].index, name].values))
    found = []
    for place, group in enumerate(groups):
        family = lines[place * (len(cells) - 1) : (place + 1) * (len(cells) - 1)]
        here = {line.cell.index: line for line in family}
        units = units_of(group, repeats)
        found.append(
            Slice(
                name=group.name,
                rows=len(group.places),
                cells=tuple(
                    SliceCell(
                        cell,
                        _estimate(measure, scores[cell.index, name], units, experiment, race),
                        here.get(cell.index),
                        _contradict(here.get(cell.index), over_all.get(cell.index)),
                    )
                    for cell in cells
                ),
                value=group.value,
            )
        )
    totals = tuple(
        SliceCell(
            cell,
            _estimate(measure, scores[cell.index, name], every, experiment, race),
            over_all.get(cell.index),
        )
        for cell in cells
    )
    return Slices(
        run=run,
        metric=name,
        by=by,
        column=column,
        baseline=whole.baseline,
        whole=totals,
        slices=tuple(found),
        notes=(*_notes(found, totals), *_stopped(cells, race)),
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


def sliced_rows(
    workspace: Workspace, record: RunRecord, by: str, baseline: Cell
) -> tuple[list[RowGroup], str | None]:
    """The rows of a run in groups, and the dataset column whose values they are, if they are one's.

    `by` as for `slices`; of `length:prompt`, `baseline` is the cell whose prompts are measured.
    """
    kind, _, of = by.partition(":")
    rows = list(workspace.store.runs.rows(record.row_set).values())
    reference: str | None = record.definition["reference"]
    names = list(dict.fromkeys(key for row in rows for key in row))
    if by == TAGS:
        ids = [str(row[ID_COLUMN]) for row in rows]
        tags = workspace.store.row_tags.of_rows(record.dataset, ids)
        if not tags:
            raise UsageError("No row of this run has a tag; put one on in Compare, row by row.")
        return by_tag(ids, tags), None
    if by == f"{LENGTH}:prompt":
        taken = workspace.store.outputs.taken(record.id, baseline.index)
        place = MEASURED.index("prompt_tokens")
        tokens = [taken.get((position, 0), (None,) * len(MEASURED))[place] for position in range(len(rows))]
        return bands([np.nan if not count else float(count) for count in tokens], "tokens"), None
    if kind == LENGTH:
        columns = [_column(of, names, reference)] if of else question_columns(record, rows)
        return bands([_words(row, columns) for row in rows], "words"), None
    column = _column(by.removeprefix(COLUMN), names, reference)
    found = by_value([row.get(column) for row in rows])
    if not found:
        raise UsageError(
            f"Nearly every row has a '{column}' of its own; slice by its length with '{LENGTH}:{column}'."
        )
    return found, column


def _column(name: str, names: list[str], reference: str | None) -> str:
    if name in names:
        return name
    if name == REFERENCE and reference is not None:
        return reference
    hint = suggestion(name, names)
    raise UsageError(f"The rows have no column '{name[:80]}'.{hint} Or slice by length, {TAGS}.")


def _words(row: dict[str, Any], columns: list[str]) -> float:
    values = [row.get(column) for column in columns]
    return float(sum(len(text_of(value).split()) for value in values if value is not None))


def units_of(group: RowGroup, repeats: int) -> np.ndarray:
    """The units of a group's rows: row r's repeats are r · repeats and those after it."""
    return (group.places[:, None] * repeats + np.arange(repeats)).reshape(-1)


def _estimate(
    metric: Metric, scores: CellScores, units: np.ndarray, experiment: Experiment, race: Race | None
) -> MetricEstimate:
    part = scores.at(units)
    clusters = None if experiment.repeats == 1 else units // experiment.repeats
    estimate = metric.estimate(metric_scores(part), clusters, experiment.confidence)
    low, high, n = estimate.low, estimate.high, estimate.n
    found = MetricEstimate(estimate.mean, low, high, n, len(units) - n)
    if race is None or race.rows_of(scores.cell) == race.of_rows or found.n == 0:
        return found
    here = np.full(len(scores.values), np.nan)
    here[units] = part.values
    return estimate_at_any_time(found, here, metric, race, experiment.confidence)


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


def _stopped(cells: tuple[Cell, ...], race: Race | None) -> list[str]:
    stopped = {} if race is None else race.stopped
    return [
        f"A race stopped {cell.label} after {stopped[cell.index].rows:,} rows: it has no verdicts here."
        for cell in cells
        if cell.index in stopped
    ]


def _cell_json(one: SliceCell) -> dict[str, Any]:
    line = one.comparison
    compared = None
    if line is not None:
        kept = ("difference", "low", "high", "p", "p_adjusted", "n", "verdict", "rows_needed")
        values = asdict(line)
        compared = {key: number(values[key]) for key in kept} | {"contradicts": one.contradicts}
    return {**cell_json(one.cell), "estimate": estimate_json(one.estimate), "comparison": compared}
