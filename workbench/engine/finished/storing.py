"""Finished outputs become a run, with their scores and ratings: all of it, or nothing.

store_finished(workspace, items, "alpaca", origins=[Origin("claude-2.json", "alpaca_eval", "9f…")])
ImportedRun(run="20261121-…", name="alpaca", rows=805, cells=3, outputs=2415, ratings=0, unmapped=[])
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from workbench.core.document import check_name
from workbench.core.experiment import Experiment
from workbench.core.prompt import AnswerRule, Prompt
from workbench.core.rating import Rating
from workbench.core.run import Cell
from workbench.engine.finished.collecting import REFERENCE, Collector, Preference, ScoreColumn
from workbench.engine.finished.prompt_stand_ins import stand_in
from workbench.engine.finished.records import Finished, ImportSettings, Unmapped
from workbench.engine.records import new_id
from workbench.engine.score import lay_out
from workbench.engine.workspace import Workspace
from workbench.errors import DatasetError, UsageError
from workbench.metrics import Scores
from workbench.metrics.imported import Imported
from workbench.storage.imported_runs import ImportedContent
from workbench.storage.scores import CellScores

PREFIX = "imported:"
WITHOUT_A_REFERENCE: dict[str, Any] = {"name": "length", "min": 1, "as": "not_empty"}
"""What a run is measured by where the file has neither scores nor right answers."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a run's outputs come from: a file's name, its format, and the SHA-256 of its content."""

    file: str
    format: str
    sha256: str


@dataclass(frozen=True, slots=True)
class ImportedRun:
    """What an import made, and what had no place in it."""

    run: str
    name: str
    rows: int
    cells: int
    outputs: int
    ratings: int
    unmapped: tuple[str, ...]
    scores: tuple[str, ...] = ()
    """Names of the metrics that came with the outputs."""


def store_finished(
    workspace: Workspace,
    items: Iterable[Finished],
    name: str,
    *,
    origins: Sequence[Origin] = (),
    settings: ImportSettings | None = None,
    unmapped: Unmapped | None = None,
) -> ImportedRun:
    """Makes one completed run of all items.

    Args:
        name: what the run is found by, as an experiment's name; a name such as an experiment may have.
        origins: may be filled while `items` are read; it is looked at afterwards.
        settings: how answers are read, and which scores are better when lower.

    Raises UsageError for a name that cannot be used, DatasetError for items that cannot be stored,
    and whatever reading the items raises. Nothing is stored then.
    """
    try:
        check_name(name)
    except ValueError as error:
        raise UsageError(f"{error}.") from None
    if name in workspace.experiment_names():
        raise UsageError(f"There is an experiment '{name}' already; give the imported run another name.")
    asked = settings or ImportSettings()
    notes = unmapped if unmapped is not None else Unmapped()
    with closing(Collector(asked.answer, notes)) as found:
        for item in items:
            found.add(item)
        if not found.output_count:
            raise DatasetError("There are no outputs in what was given; nothing was imported.")
        return _store(workspace, found, name, origins, asked, notes)


def _store(
    workspace: Workspace,
    found: Collector,
    name: str,
    origins: Sequence[Origin],
    settings: ImportSettings,
    unmapped: Unmapped,
) -> ImportedRun:
    run = new_id()
    rule = settings.answer or AnswerRule()
    prompts = {key: stand_in(key, label, messages, rule) for key, (label, messages) in found.prompts.items()}
    cells = [
        Cell(index, prompt, prompts[prompt].version, model) for (prompt, model), index in found.cells.items()
    ]
    metrics = _metrics(found, settings)
    experiment = _experiment(name, cells, found, metrics)
    ratings = _ratings(run, found.preferences)
    workspace.store.imported_runs.add(
        ImportedContent(
            run=run,
            name=name,
            definition={
                "experiment": experiment.model_dump(mode="json", exclude_defaults=True),
                "cells": [asdict(cell) for cell in cells],
                "prompts": {key: _plain(prompt) for key, prompt in prompts.items()},
                "reference": REFERENCE if found.has_reference else None,
                "imported": [asdict(origin) for origin in origins],
            },
            row_set=found.row_set,
            rows=found.rows(),
            outputs=found.outputs(),
            total=found.output_count,
            errors=found.errors,
            cost_usd=found.cost_usd,
            message=_where_from(origins),
            scores=[
                _scores(metric, cell.index, found, experiment)
                for metric in metrics.values()
                for cell in cells
            ],
            ratings=ratings,
        )
    )
    return ImportedRun(
        run=run,
        name=name,
        rows=found.row_count,
        cells=len(cells),
        outputs=found.output_count,
        ratings=len(ratings),
        unmapped=tuple(unmapped.sentences()),
        scores=tuple(metrics),
    )


def _where_from(origins: Sequence[Origin]) -> str:
    files = [f"{origin.file} ({origin.format})" for origin in origins[:5]]
    more = f" and {len(origins) - 5} more" if len(origins) > 5 else ""
    return f"Imported from {', '.join(files)}{more}." if files else "Imported."


def _plain(prompt: Prompt) -> dict[str, Any]:
    return prompt.model_dump(mode="json", by_alias=True, exclude_defaults=True)


def _metrics(found: Collector, settings: ImportSettings) -> dict[str, Imported]:
    """The scores that came with the outputs, as metrics by the name that they are shown under."""
    names = list(dict.fromkeys(name for _, name in found.scores))
    for name in settings.lower:
        if name not in names:
            raise UsageError(
                f"No output has a score '{name}', which was said to be better when lower "
                f"(scores: {', '.join(names) or 'none'})."
            )
    return {PREFIX + name: _metric(name, found, settings) for name in names}


def _metric(name: str, found: Collector, settings: ImportSettings) -> Imported:
    """A proportion where all values are 0 or 1, else bounded where all are between."""
    low, high, plain = 0.0, 1.0, True
    for (_, other), column in found.scores.items():
        if other == name:
            values = np.frombuffer(column.values)
            low, high = min(low, float(values.min())), max(high, float(values.max()))
            plain = plain and bool(np.isin(values, (0.0, 1.0)).all())
    spec: dict[str, Any] = {"imported": name, "as": PREFIX + name}
    if plain:
        spec["kind"] = "proportion"
    elif (low, high) == (0.0, 1.0):
        spec |= {"low": 0.0, "high": 1.0}
    if name in settings.lower:
        spec["direction"] = "lower"
    options = {key: value for key, value in spec.items() if key not in ("imported", "as")}
    metric = Imported(name, **options)
    metric.spec = spec
    return metric


def _experiment(
    name: str, cells: Sequence[Cell], found: Collector, metrics: dict[str, Imported]
) -> Experiment:
    specs: list[Any] = [metric.spec for metric in metrics.values()]
    if not specs:
        specs = ["exact_match"] if found.has_reference else [WITHOUT_A_REFERENCE]
    return Experiment.model_validate(
        {
            "name": name,
            "dataset": {"name": name},
            "prompts": list(dict.fromkeys(cell.prompt for cell in cells)),
            "models": list(dict.fromkeys(cell.model for cell in cells)),
            "repeats": found.repeats,
            "metrics": specs,
        }
    )


def _scores(metric: Imported, cell: int, found: Collector, experiment: Experiment) -> CellScores:
    """One cell's imported scores over all its units, with their interval."""
    column = found.scores.get((cell, metric.name.removeprefix(PREFIX)), ScoreColumn())
    positions = np.array(column.positions, dtype=np.int64)
    units = positions * found.repeats + np.array(column.repeats, dtype=np.int64)
    order = np.argsort(units)
    values = np.array(column.values, dtype=np.float64)
    return lay_out(
        metric,
        Scores(values[order]),
        units[order],
        name=metric.name,
        cell=cell,
        total=found.row_count * found.repeats,
        stored=found.outputs_of_cell[cell],
        experiment=experiment,
    )


def _ratings(run: str, preferences: Iterable[Preference]) -> list[Rating]:
    ratings = []
    met: dict[Preference, int] = {}
    for one in preferences:
        same = replace(one, value=0.0, note="", first=one.cell)
        met[same] = met.get(same, 0) + 1
        named = f"{run}|{same}|{met[same]}"
        ratings.append(
            Rating(
                run=run,
                item=hashlib.sha256(named.encode()).hexdigest()[:40],
                rater=one.rater,
                mode="pairwise",
                position=one.position,
                repeat=one.repeat,
                cell=one.cell,
                other=one.other,
                value=one.value,
                first=one.first,
                chosen="import",
                note=one.note,
            )
        )
    return ratings
