"""What the question of size leaves open, and why, a sentence each for the person who asked."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from workbench.core.sizing import SizePoint
from workbench.engine.records import is_imported
from workbench.engine.size_measures import ModelMeasures, tokens_per_s
from workbench.storage import RunRecord


def size_notes(
    record: RunRecord,
    points: Sequence[SizePoint],
    models: Mapping[str, ModelMeasures],
    cost: str,
    cost_of: Callable[[SizePoint], float | None],
) -> tuple[str, ...]:
    """The notes to `Sizes`, those that concern everything first."""
    return (
        *_of_the_run(record, points),
        *_of_speed(record, points, models),
        *_of_cost(points, models, cost, cost_of),
    )


def _of_the_run(record: RunRecord, points: Sequence[SizePoint]) -> list[str]:
    notes = []
    if record.race and record.race["stopped"]:
        notes.append(
            "The run was a race: cells that it stopped before they had all rows are left out here; run the "
            "experiment without a race to size them all."
        )
    if record.done < record.total:
        notes.append(f"The run is not complete: {record.done:,} of {record.total:,} outputs are there.")
    if unscored := [point.cell.model for point in points if not point.quality.n]:
        notes.append(f"Nothing was scored for {_listed(unscored)}; its errors say why.")
    return notes


def _of_speed(
    record: RunRecord, points: Sequence[SizePoint], models: Mapping[str, ModelMeasures]
) -> list[str]:
    notes = []
    scored = {point.cell.model for point in points if point.quality.n}
    if earlier := [name for name, model in models.items() if model.earlier]:
        notes.append(
            f"In this run every answer of {_listed(earlier)} came from the cache: speed and memory are those "
            "of its newest run with calls on the same machine."
        )
    if untimed := [name for name in models if name in scored and tokens_per_s(models[name].use) is None]:
        why = (
            "is not known here, as the outputs were imported."
            if is_imported(record)
            else "was never measured, as every answer came from the cache; run the experiment again with "
            "--no-cache to measure it."
        )
        notes.append(f"The speed of {_listed(untimed)} {why}")
    unknown = [
        name
        for name, model in models.items()
        if model.local and model.use is not None and model.use.footprint is None
    ]
    if unknown:
        notes.append(f"What {_listed(unknown)} takes in memory and on disk was not told by its provider.")
    machines = sorted({model.use.machine for model in models.values() if model.local and model.use})
    if len(machines) > 1:
        notes.append(f"Speed was measured on different machines: {'; '.join(machines)}.")
    return notes


def _of_cost(
    points: Sequence[SizePoint],
    models: Mapping[str, ModelMeasures],
    cost: str,
    cost_of: Callable[[SizePoint], float | None],
) -> list[str]:
    notes = []
    if gone := [name for name, model in models.items() if model.spec is None]:
        notes.append(f"No row in models.yaml names {_listed(gone)} any more, so its price is not known.")
    hosted = [point for point in points if not point.local]
    free = [point.cell.model for point in hosted if point.usd_per_1000_rows is None and point.quality.n]
    if priceless := [name for name in free if models[name].spec is not None]:
        notes.append(
            f"What {_listed(priceless)} costs is not known: give its `price` in experiments/models.yaml."
        )
    local = [point for point in points if point.local and point.usd_per_1000_rows is None]
    if (cost == "usd" or hosted) and any(point.rows_per_s for point in local):
        notes.append(
            "What local models cost follows from the price of a machine hour: give `price: {hour: …}` in a "
            "model's row, or --machine-usd-per-hour."
        )
    if cost in ("memory", "disk") and hosted and len(hosted) < len(points):
        notes.append(f"Hosted models take no {cost} here, so they are not on the front.")
    if points and all(cost_of(point) is None for point in points):
        notes.append(f"Of no model is its {_AXIS[cost]} known, so there is no front.")
    return notes


_AXIS = {"memory": "memory", "disk": "size on disk", "time": "time for a row", "usd": "cost"}


def _listed(names: Sequence[str]) -> str:
    """`a`, `a and b`, `a, b and c`; many are cut short."""
    unique = list(dict.fromkeys(names))
    if len(unique) > 6:
        unique = [*unique[:5], f"{len(unique) - 5} more"]
    return unique[0] if len(unique) == 1 else f"{', '.join(unique[:-1])} and {unique[-1]}"
