"""The question of size, answered from a run: quality against what each model takes.

    sizes(workspace, run, margin=0.05).smallest_good_enough.cell.model  ->  "small@int8"

No model is called: quality comes from the run's scores, the rest from its outputs and the uses of
its models.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Literal, get_args

from workbench.core.run import Cell, MetricEstimate
from workbench.core.sizing import SizePoint, Sizes
from workbench.engine.plan import stored_cells
from workbench.engine.records import experiment_of, get_run, race_of
from workbench.engine.score import chosen_metric, clusters_of, score_run
from workbench.engine.size_judging import QualityJudge
from workbench.engine.size_measures import (
    CellMeasures,
    ModelMeasures,
    break_evens,
    measure_cell,
    measure_models,
)
from workbench.engine.size_notes import size_notes
from workbench.engine.workspace import Workspace
from workbench.errors import RunError, UnknownName, UsageError
from workbench.storage import RunRecord

CostAxis = Literal["memory", "disk", "time", "speed", "first_token", "usd"]
DEFAULT_MARGIN = 0.02

COSTS: dict[str, Callable[[SizePoint], float | None]] = {
    "memory": lambda point: point.memory_bytes,
    "disk": lambda point: point.disk_bytes,
    "time": lambda point: 1 / point.rows_per_s if point.rows_per_s else None,
    "speed": lambda point: 1 / point.tokens_per_s if point.tokens_per_s else None,
    "first_token": lambda point: point.first_token_s,
    "usd": lambda point: point.usd_per_1000_rows,
}
"""What a point costs on each axis; less is better. None: not known."""
NOISE_SHARE, NOISE_BYTES = 0.1, 64_000_000
"""Memory that differs by no more than this is the same: a process varies by as much from run to run."""
SMALLNESS: tuple[Callable[[SizePoint], float | None], ...] = (
    lambda point: point.parameters,
    lambda point: point.memory_bytes,
    lambda point: point.disk_bytes,
)
"""What makes one point smaller than another of about the same memory."""


def sizes(
    workspace: Workspace,
    run: str,
    metric: str | None = None,
    prompt: str | None = None,
    margin: float | None = None,
    confidence: float = 0.95,
    cost: CostAxis = "memory",
    machine_usd_per_hour: float | None = None,
) -> Sizes:
    """Which model of a run is the smallest that is good enough, and what each one takes.

    Args:
        metric: one of the experiment's metrics; default: its first.
        prompt: one of the run's prompts; default: the one with the best cell.
        margin: how much worse than the best is still good enough, in the metric's own unit;
            default: the experiment's margin, else 0.02.
        confidence: of "not worse by more than the margin", one-sided, between 0.5 and 1.
        cost: what quality is held against for the Pareto front.
        machine_usd_per_hour: USD for an hour of this machine, in place of what rows say.

    Cells that a race stopped are left out. Raises UnknownName and UsageError for what the run does not
    have or a setting that means nothing.
    """
    record = get_run(workspace, run)
    experiment = experiment_of(record)
    name, measure = chosen_metric(experiment, metric)
    if margin is None:
        margin = experiment.margin or DEFAULT_MARGIN
    _check(margin, confidence, cost, machine_usd_per_hour)
    scores = {index: found for (index, of), found in score_run(workspace, run).items() if of == name}
    units = len(next(iter(scores.values())).values) if scores else 0
    judge = QualityJudge(measure, scores, clusters_of(experiment.repeats, units), confidence)
    cells = _of_prompt(_complete(record, prompt), prompt, judge)
    models = measure_models(workspace, run, list(dict.fromkeys(cell.model for cell in cells)))
    totals, first = workspace.store.outputs.totals(run), workspace.store.outputs.first_tokens(run)
    measured = {
        cell.index: measure_cell(
            cell,
            models[cell.model],
            totals.get(cell.index, {}),
            first.get(cell.index, ()),
            machine_usd_per_hour,
        )
        for cell in cells
    }
    points = [
        _point(cell, judge.quality(cell.index), models[cell.model], measured[cell.index]) for cell in cells
    ]
    best = _best(points, judge.sign, cost)
    if best is not None:
        points = [judge.against_best(point, best, margin) for point in points]
    points = _with_front(points, judge.sign, cost)
    by_index = {point.cell.index: point for point in points}
    return Sizes(
        run=run,
        metric=name,
        prompt=cells[0].prompt,
        margin=margin,
        confidence=confidence,
        points=tuple(points),
        best=by_index[best.cell.index] if best is not None else None,
        smallest_good_enough=_smallest(points),
        gains=judge.gains(points),
        break_evens=break_evens(points, {index: found.usd_per_hour for index, found in measured.items()}),
        notes=size_notes(record, points, models, cost, COSTS[cost]),
    )


def _check(margin: float, confidence: float, cost: str, usd_per_hour: float | None) -> None:
    if not margin > 0 or not math.isfinite(margin):
        raise UsageError(f"The margin is a number above 0 in the metric's own unit, not {margin:g}.")
    if not 0.5 < confidence < 1:
        raise UsageError(f"The confidence is a number between 0.5 and 1, such as 0.95, not {confidence:g}.")
    if cost not in get_args(CostAxis):
        raise UsageError(f"'{cost}' is nothing to hold quality against; use {', '.join(get_args(CostAxis))}.")
    if usd_per_hour is not None and not (usd_per_hour >= 0 and math.isfinite(usd_per_hour)):
        raise UsageError(f"The price of a machine hour is 0 USD or more, not {usd_per_hour:g}.")


def _complete(record: RunRecord, prompt: str | None) -> list[Cell]:
    race = race_of(record)
    cells = stored_cells(record)
    left = [cell for cell in cells if race is None or cell.index not in race.stopped]
    if prompt in {cell.prompt for cell in cells} - {cell.prompt for cell in left}:
        raise RunError(f"The race of this run stopped every cell of prompt '{prompt}'.")
    return left


def _of_prompt(cells: Sequence[Cell], prompt: str | None, judge: QualityJudge) -> list[Cell]:
    names = list(dict.fromkeys(cell.prompt for cell in cells))
    if prompt is None:
        scored = [cell for cell in cells if judge.quality(cell.index).n]
        best = max(scored, key=lambda cell: judge.sign * judge.quality(cell.index).mean, default=cells[0])
        prompt = best.prompt
    if prompt not in names:
        raise UnknownName("prompt in this run", prompt, names)
    return [cell for cell in cells if cell.prompt == prompt]


def _point(cell: Cell, quality: MetricEstimate, model: ModelMeasures, measured: CellMeasures) -> SizePoint:
    base, at, named = cell.model.rpartition("@")
    taken = model.use.footprint if model.use is not None else None
    stated = model.spec.quantization if model.spec is not None else None
    return SizePoint(
        cell=cell,
        base=base if at else cell.model,
        quantization=named if at else stated,
        quality=quality,
        local=model.local,
        parameters=taken.parameters if taken else None,
        tokens_per_s=measured.tokens_per_s,
        first_token_s=measured.first_token_s,
        memory_bytes=taken.memory_bytes or None if taken else None,
        disk_bytes=taken.disk_bytes or None if taken else None,
        rows_per_s=measured.rows_per_s,
        usd_per_1000_rows=measured.usd_per_1000_rows,
        cost_basis=measured.cost_basis,
        on_front=False,
        shortfall=math.nan,
        shortfall_high=math.nan,
        good_enough=False,
    )


def _best(points: Sequence[SizePoint], sign: int, cost: str) -> SizePoint | None:
    """The best mean; of equal ones the cheapest."""

    def order(point: SizePoint) -> tuple[float, float]:
        price = COSTS[cost](point)
        return -sign * point.quality.mean, math.inf if price is None else price

    return min((point for point in points if point.quality.n), key=order, default=None)


def _with_front(points: list[SizePoint], sign: int, cost: str) -> list[SizePoint]:
    placed = [
        (point.cell.index, sign * point.quality.mean, price)
        for point in points
        if point.quality.n and (price := COSTS[cost](point)) is not None
    ]
    front = {
        index
        for index, mean, price in placed
        if not any(
            other_mean >= mean and other_price <= price and (other_mean > mean or other_price < price)
            for _, other_mean, other_price in placed
        )
    }
    return [replace(point, on_front=point.cell.index in front) for point in points]


def _smallest(points: Sequence[SizePoint]) -> SizePoint | None:
    """The least memory among the local points that are good enough; else the cheapest hosted one.

    Where memory is about the same or not known of all of them, parameters decide, then memory and disk.
    """
    good = [point for point in points if point.good_enough]
    local = [point for point in good if point.local]
    if not local:
        return min(good, key=lambda point: (_or_inf(point.usd_per_1000_rows), point.shortfall), default=None)
    held = [point.memory_bytes for point in local if point.memory_bytes is not None]
    if len(held) == len(local):
        least = min(held)
        local = [point for point, taken in zip(local, held, strict=True) if _alike(taken, least)]
    known = [measure for measure in SMALLNESS if all(measure(point) is not None for point in local)]
    if not known:
        return local[0] if len(local) == 1 else None
    return min(local, key=lambda point: (*(measure(point) for measure in known), point.shortfall))


def _alike(taken: int, least: int) -> bool:
    return taken - least <= max(NOISE_BYTES, NOISE_SHARE * least)


def _or_inf(value: float | None) -> float:
    return math.inf if value is None else value
