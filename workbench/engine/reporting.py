"""The report: a run's result table, as records and as the JSON of the command contract."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import Any

import numpy as np

from workbench.core.race import Race
from workbench.core.run import Cell, CellReport, MetricEstimate, Report
from workbench.engine.plan import stored_cells
from workbench.engine.records import effective_status, experiment_of, get_run, race_of
from workbench.engine.score import estimate_of, metrics_of, score_run
from workbench.engine.stopped_cells import estimate_at_any_time
from workbench.engine.workspace import Workspace
from workbench.storage import RunRecord
from workbench.storage.scores import CellScores


def report(workspace: Workspace, run: str) -> Report:
    """The result table of a run, finished or not; what is stored so far is scored first."""
    record = get_run(workspace, run)
    scores = score_run(workspace, run)
    totals = workspace.store.outputs.totals(run)
    latencies = workspace.store.outputs.latencies(run)
    race = race_of(record)
    estimates = _estimates(record, scores, race)
    cells = []
    for cell in stored_cells(record):
        total: dict[str, Any] = totals.get(cell.index, {})
        seconds = np.array(latencies.get(cell.index, [0.0]))
        outputs, errors = int(total.get("outputs", 0)), int(total.get("errors", 0))
        cells.append(
            CellReport(
                cell=cell,
                rows=int(total.get("rows", 0)),
                outputs=outputs,
                errors=errors,
                unanswered=outputs - errors - int(total.get("answered", 0)),
                metrics={name: found for (index, name), found in estimates.items() if index == cell.index},
                prompt_tokens=int(total.get("prompt_tokens") or 0),
                completion_tokens=int(total.get("completion_tokens") or 0),
                cached_tokens=int(total.get("cached_tokens") or 0),
                cost_usd=float(total.get("cost_usd") or 0.0),
                latency_p50_s=float(np.quantile(seconds, 0.5)),
                latency_p95_s=float(np.quantile(seconds, 0.95)),
                stopped=race.stopped[cell.index].rows if race and cell.index in race.stopped else None,
            )
        )
    return Report(
        run=run,
        experiment=record.experiment,
        status=effective_status(workspace, record),
        calls=record.calls,
        cached=record.cached,
        errors=record.errors,
        seconds=record.seconds,
        cost_usd=record.cost_usd,
        cells=tuple(cells),
        race=race,
        calls_saved=_calls_saved(race, totals, len(cells), record.definition) if race else 0,
    )


def _estimates(
    record: RunRecord, scores: dict[tuple[int, str], CellScores], race: Race | None
) -> dict[tuple[int, str], MetricEstimate]:
    """Every estimate; of cells that ended early in a race with an interval that holds all the same."""
    found = {key: estimate_of(one) for key, one in scores.items()}
    if race is not None and any(race.rows_of(cell) < race.of_rows for cell, _ in found):
        experiment = experiment_of(record)
        metrics = metrics_of(experiment)
        for (cell, name), one in scores.items():
            if race.rows_of(cell) < race.of_rows and one.estimate["n"]:
                found[cell, name] = estimate_at_any_time(
                    found[cell, name], one.values, metrics[name], race, experiment.confidence
                )
    return found


def report_json(shown: Report) -> dict[str, Any]:
    """The report as DESIGN section 6 has it."""
    return {
        "run": shown.run,
        "experiment": shown.experiment,
        "status": shown.status,
        "calls": shown.calls,
        "cached": shown.cached,
        "errors": shown.errors,
        "seconds": round(shown.seconds, 3),
        "cost_usd": shown.cost_usd,
        "cells": [
            {
                **cell_json(line.cell),
                "rows": line.rows,
                "outputs": line.outputs,
                "errors": line.errors,
                "unanswered": line.unanswered,
                "metrics": {name: estimate_json(estimate) for name, estimate in line.metrics.items()},
                "tokens": {
                    "prompt": line.prompt_tokens,
                    "completion": line.completion_tokens,
                    "cached": line.cached_tokens,
                },
                "cost_usd": line.cost_usd,
                "latency_s": {"p50": round(line.latency_p50_s, 4), "p95": round(line.latency_p95_s, 4)},
                **({"stopped": {"rows": line.stopped}} if line.stopped is not None else {}),
            }
            for line in shown.cells
        ],
        **({"race": race_json(shown, shown.race)} if shown.race else {}),
    }


def race_json(shown: Report, race: Race) -> dict[str, Any]:
    """How a race went; cells are named as everywhere."""
    cells = {line.cell.index: line.cell for line in shown.cells}
    return {
        **asdict(race.settings),
        "rows": race.rows,
        "of_rows": race.of_rows,
        "winner": None if race.winner is None else cell_json(cells[race.winner]),
        "stopped": [
            {**cell_json(cells[index]), "rows": stop.rows, "by": cell_json(cells[stop.by])}
            for index, stop in race.stopped.items()
        ],
        "calls_saved": shown.calls_saved,
    }


def _calls_saved(
    race: Race, totals: dict[int, dict[str, float]], cells: int, definition: dict[str, Any]
) -> int:
    repeats = int(definition["experiment"].get("repeats", 1))
    saved = 0.0
    for cell in range(cells):
        total = totals.get(cell, {})
        calls_each = (total.get("calls") or 0) / (total.get("outputs") or 1)
        saved += (race.of_rows - race.rows_of(cell)) * repeats * calls_each
    return round(saved)


def cell_json(cell: Cell) -> dict[str, Any]:
    """What names a cell."""
    return {
        "prompt": cell.prompt,
        "version": cell.version,
        "model": cell.model,
        "sampling": cell.sampling,
    }


def estimate_json(estimate: MetricEstimate) -> dict[str, Any]:
    """An estimate; NaN is null. A signature and `failed` calls stand in it only where there are any."""
    values = {key: number(value) for key, value in asdict(estimate).items()}
    return {key: value for key, value in values.items() if value or key not in ("signature", "failed")}


def difference_json(line: Any) -> dict[str, Any]:
    """A paired difference with its interval and both p-values, whatever it is a difference of."""
    return {name: number(getattr(line, name)) for name in ("difference", "low", "high", "p", "p_adjusted")}


def number(value: Any) -> Any:
    """JSON has no NaN: null says "could not be computed"."""
    return None if isinstance(value, float) and not math.isfinite(value) else value
