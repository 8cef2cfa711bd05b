"""Racing: rows are asked in random blocks, and after each block the cells that are beaten stop.

    after 120 of 400 rows: 5 of 8 cells are stopped, 3 are still in

What stops a cell is evidence that may be looked at after every row (`statistics.anytime`): with the
chosen confidence the best cell is never stopped. Decisions follow from stored outputs and the order
of the rows alone, so that a race that was killed goes on as if nothing had happened.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from workbench.core.race import Race, RaceSettings, Stop
from workbench.core.run import Cell, Output
from workbench.engine.answer_rules import answer_rule, reference_of
from workbench.engine.execute import Execution
from workbench.engine.plan import Plan
from workbench.engine.score import metrics_of
from workbench.engine.workspace import Workspace
from workbench.errors import RunError, UnknownName, UsageError
from workbench.metrics import CellOutputs, Metric
from workbench.statistics import PairwiseEvidence
from workbench.storage import RunRecord
from workbench.storage.outputs import MEASURED


def new_race(plan: Plan, settings: RaceSettings) -> Race:
    """A race over a plan that has not begun. Raises UsageError, UnknownName where there can be none."""
    metrics = metrics_of(plan.experiment)
    if settings.metric not in metrics:
        raise UnknownName("metric to race by in this experiment", settings.metric, metrics)
    _check_metric(metrics[settings.metric], settings.metric)
    if len(plan.cells) < 2:
        raise UsageError("A race needs two cells or more; this experiment has one.")
    if not 0.5 <= settings.confidence < 1:
        raise UsageError(
            f"The confidence of a race is a number from 0.5 to below 1, not {settings.confidence:g}."
        )
    if settings.block < 1:
        raise UsageError(f"A block of a race has 1 row or more, not {settings.block}.")
    return Race(settings, len(plan.dataset.rows))


def outputs_of(race: Race, cells: Sequence[Cell], repeats: int) -> int:
    """How many outputs a race makes, as far as is known now."""
    return sum(race.rows_of(cell.index) for cell in cells) * repeats


def outcome(race: Race, cells: Sequence[Cell]) -> str:
    """How a race stands or ended, in words."""
    where = f"{race.rows:,} of {race.of_rows:,} rows"
    if race.winner is not None:
        return f"The race was decided after {where}: {cells[race.winner].label}."
    left = len(cells) - len(race.stopped)
    if race.rows < race.of_rows:
        return f"{left} of {len(cells)} cells are still in the race."
    return (
        f"The race ended with {left} of {len(cells)} cells still in: all {race.of_rows:,} rows are used up."
    )


async def work_race(workspace: Workspace, plan: Plan, record: RunRecord, execution: Execution) -> Race:
    """Works a race to its end, from its first block on: what is answered already is not asked again.

    What was decided in an earlier session stays decided, also where a retried error now says otherwise.
    """
    kept = Race.from_json(record.race or {})
    race = replace(kept, rows=0, stopped={}, winner=None)
    metric = metrics_of(plan.experiment).get(race.settings.metric)
    if metric is None:
        raise RunError(f"The race of this run is by '{race.settings.metric}', which it no longer measures.")
    repeats = plan.experiment.repeats
    evidence = PairwiseEvidence(len(plan.cells))
    order, block = race.order(), race.settings.block
    execution.expect(outputs_of(kept, plan.cells, repeats), outcome(kept, plan.cells) if kept.rows else "")
    try:
        for start in range(0, len(order), block):
            live = [cell for cell in plan.cells if cell.index not in race.stopped]
            positions = order[start : start + block]
            await execution.ask(live, positions, keep=True)
            found = await asyncio.to_thread(_scores, workspace, plan, record, metric, live, positions)
            evidence.add(found)
            race = decided(race, kept, start + len(positions), evidence, [cell.index for cell in live])
            if race.rows > kept.rows:
                total = outputs_of(race, plan.cells, repeats)
                await asyncio.to_thread(workspace.store.runs.set, record.id, race=race.to_json(), total=total)
                execution.expect(total, outcome(race, plan.cells))
            if race.winner is not None:
                break
    finally:
        await execution.close()
    return race


def decided(race: Race, kept: Race, rows: int, evidence: PairwiseEvidence, live: Sequence[int]) -> Race:
    """The race once so many rows are scored: as it was decided before, else by the evidence."""
    if rows <= kept.rows:
        beaten = {cell: stop for cell, stop in kept.stopped.items() if stop.rows == rows}
    else:
        against = evidence.against()
        enough = 1 / (1 - race.settings.confidence)
        out = [cell for cell in live if against[cell] >= enough]
        if len(out) == len(live):  # that all are beaten cannot be: the least beaten one stays
            out.remove(min(out, key=lambda cell: against[cell]))
        if rows >= race.of_rows and len(live) - len(out) > 1:
            out = []  # undecided at the last row: who got there has all rows, and is compared by them
        beaten = {cell: Stop(rows, evidence.strongest_rival(cell)) for cell in out}
    stopped = {**race.stopped, **beaten}
    left = [cell for cell in live if cell not in stopped]
    return replace(race, rows=rows, stopped=stopped, winner=left[0] if len(left) == 1 else None)


def _check_metric(metric: Metric, name: str) -> None:
    if metric.asks_models:
        problem = "asks a model, which happens only once all outputs are there"
    elif metric.kind == "corpus":
        problem = "is a score of all rows together, which no single row has"
    elif not all(math.isfinite(bound) for bound in metric.range):
        problem = "has no least and greatest value"
    else:
        return
    raise UsageError(
        f"Metric '{name}' {problem}, so there can be no race by it; race by one that scores each row "
        "within bounds, such as exact_match."
    )


def _scores(
    workspace: Workspace,
    plan: Plan,
    record: RunRecord,
    metric: Metric,
    cells: Sequence[Cell],
    positions: Sequence[int],
) -> np.ndarray:
    """(rows, all cells) scores from 0 to 1, more is better; NaN where there is none. Repeats are averaged."""
    low, high = metric.range
    table = np.full((len(positions), len(plan.cells)), np.nan)
    place = {position: row for row, position in enumerate(positions)}
    for cell in cells:
        outputs = [
            output
            for output in workspace.store.outputs.of_cell(record.id, cell.index, positions)
            if output.error is None
        ]
        if not outputs:
            continue
        values = metric.score_outputs(_seen(plan, cell, outputs)).values
        shares = np.clip((values - low) / (high - low), 0.0, 1.0)
        if metric.direction == "lower":
            shares = 1 - shares
        rows = np.array([place[output.position] for output in outputs])
        scored = ~np.isnan(shares)
        sums = np.bincount(rows[scored], shares[scored], len(positions))
        counts = np.bincount(rows[scored], minlength=len(positions))
        table[counts > 0, cell.index] = sums[counts > 0] / counts[counts > 0]
    return table


def _seen(plan: Plan, cell: Cell, outputs: Sequence[Output]) -> CellOutputs:
    """Some outputs of a cell, as metrics see them."""
    rule = answer_rule(plan.prompts[cell.prompt], dict(plan.prompts))
    column = plan.dataset.reference
    rows = [plan.dataset.rows[output.position] for output in outputs]
    raw = [row.get(column) if column else None for row in rows]
    measured = [[getattr(output, name) for name in MEASURED] for output in outputs]
    return CellOutputs(
        answers=[output.answer for output in outputs],
        references=[reference_of(rule, value) for value in raw],
        raw_references=raw,
        texts=[output.text for output in outputs],
        rows=rows,
        group=np.array([output.position for output in outputs], dtype=np.int64),
        taken=dict(zip(MEASURED, np.array(measured, dtype=np.float64).T, strict=True)),
    )
