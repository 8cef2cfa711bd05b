"""An experiment over time: what each cell scored in every run, and what changed between two of them.

history(workspace, "word-problems")
direct · small: 0.61 on 3 Nov, 0.61 on 5 Nov, 0.72 on 6 Nov

change(workspace, older, newer)
direct · small: the prompt says "only" now; +0.11 [+0.04, +0.18] better
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from workbench.core.run import Cell, MetricEstimate
from workbench.engine.plan import stored_cells
from workbench.engine.records import effective_status, race_of
from workbench.engine.reporting import estimate_json, report
from workbench.engine.score import estimate_of, metric_name, score_run
from workbench.engine.workspace import Workspace
from workbench.errors import UnknownName, WorkbenchError
from workbench.storage import RunRecord

MOST_RUNS = 20
Key = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class HistoryRun:
    """One run of the experiment. `same_rows` as the run before it; True for the first."""

    id: str
    created_at: datetime.datetime
    rows: int
    same_rows: bool


@dataclass(frozen=True, slots=True)
class HistoryPoint:
    """What a cell scored in a run, and with which version of its prompt."""

    run: str
    version: str
    estimate: MetricEstimate


@dataclass(frozen=True, slots=True)
class HistoryLine:
    """A prompt on a model with one sampling, through the runs that had it, oldest first."""

    label: str
    points: tuple[HistoryPoint, ...]


@dataclass(frozen=True, slots=True)
class History:
    """Completed runs of an experiment, oldest first, and a line for every cell they ever had."""

    experiment: str
    metric: str
    runs: tuple[HistoryRun, ...]
    lines: tuple[HistoryLine, ...]
    notes: tuple[str, ...]


def history(
    workspace: Workspace, experiment: str, metric: str | None = None, limit: int = MOST_RUNS
) -> History:
    """The last `limit` completed runs of an experiment, deleted ones and probes left out.

    Args:
        metric: default: the first of the newest run. Runs that did not score by it have no points.

    Raises UnknownName where no run of that name was completed, or none was scored by the metric.
    """
    records = _completed(workspace, experiment, limit)
    if not records:
        known = {record.experiment for record in workspace.store.runs.newest(200)}
        raise UnknownName("experiment with a completed run", experiment, known)
    names = dict.fromkeys(name for record in reversed(records) for name in metrics_in(record))
    name = metric or next(iter(names))
    if name not in names:
        raise UnknownName("metric in these runs", name, names)
    shown, notes = [], []
    lines: dict[Key, list[HistoryPoint]] = {}
    labels: dict[Key, str] = {}
    before: RunRecord | None = None
    for record in records:
        same = before is None or before.row_set == record.row_set
        rows = workspace.store.runs.count_rows(record.row_set)
        shown.append(HistoryRun(record.id, record.created_at, rows, same))
        before = record
        estimates, problem = estimates_in(workspace, record, name)
        if problem:
            notes.append(f"Run {record.id}: {problem}")
        for cell in stored_cells(record):
            if cell.index in estimates:
                point = HistoryPoint(record.id, cell.version, estimates[cell.index])
                lines.setdefault(cell_key(cell), []).append(point)
                labels[cell_key(cell)] = cell.label
    drawn = tuple(HistoryLine(labels[key], tuple(points)) for key, points in lines.items())
    return History(experiment, name, tuple(shown), drawn, tuple(notes))


def history_json(found: History) -> dict[str, Any]:
    """The history as `runs history EXPERIMENT --json` prints it."""
    return {
        "experiment": found.experiment,
        "metric": found.metric,
        "runs": [
            {
                "run": run.id,
                "created_at": run.created_at.isoformat(),
                "rows": run.rows,
                "same_rows": run.same_rows,
            }
            for run in found.runs
        ],
        "cells": [
            {
                "cell": line.label,
                "points": [
                    {"run": point.run, "version": point.version, **estimate_json(point.estimate)}
                    for point in line.points
                ],
            }
            for line in found.lines
        ],
        "notes": list(found.notes),
    }


def _completed(workspace: Workspace, experiment: str, limit: int) -> list[RunRecord]:
    """Completed runs, oldest first; a probe is an experiment of its own kind."""
    found = [
        record
        for record in workspace.store.runs.newest(10 * limit, experiment=experiment)
        if not record.definition.get("probe") and effective_status(workspace, record) == "completed"
    ]
    return found[:limit][::-1]


def metrics_in(record: RunRecord) -> list[str]:
    """Names of a run's metrics, in its order."""
    specs: Sequence[Any] = record.definition["experiment"].get("metrics") or ("exact_match",)
    return [metric_name(spec) for spec in specs]


def estimates_in(
    workspace: Workspace, record: RunRecord, metric: str
) -> tuple[dict[int, MetricEstimate], str]:
    """A run's estimates by cell; and why there are none, or what there is to know of them."""
    race = race_of(record)
    try:
        if race is not None and race.stopped:
            cells = report(workspace, record.id).cells
            found = {one.cell.index: one.metrics[metric] for one in cells if metric in one.metrics}
            return (
                found,
                f"a race; {len(race.stopped)} of its {len(cells)} cells ended before they had all rows.",
            )
        scores = score_run(workspace, record.id)
    except WorkbenchError as problem:
        return {}, str(problem)
    return {cell: estimate_of(found) for (cell, name), found in scores.items() if name == metric}, ""


def cell_key(cell: Cell) -> Key:
    """What makes two runs' cells the same: the prompt's name, the model, what varies of sampling."""
    return cell.prompt, cell.model, json.dumps(cell.sampling, sort_keys=True, default=str)
