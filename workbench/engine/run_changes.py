"""Two runs of an experiment: how each prompt was changed, what the metric made of it, and what else changed.

run_change(workspace, older, newer)
direct · small: the prompt says "only" now; +0.11 [+0.04, +0.18] better
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from workbench.core.document import dump
from workbench.core.prompt import AnyPrompt, Ensemble, Prompt
from workbench.core.run import Cell, CellComparison, MetricEstimate
from workbench.engine.comparing import compare
from workbench.engine.histories import cell_key, estimates_in, metrics_in
from workbench.engine.plan import stored_cells
from workbench.engine.records import get_run
from workbench.engine.reporting import cell_json, estimate_json, number
from workbench.engine.workspace import Workspace
from workbench.errors import RunError, UnknownName, WorkbenchError
from workbench.prompting import closure, word_diff
from workbench.prompting.diff import Part
from workbench.storage import RunRecord

SETTINGS = (
    "dataset",
    "prompts",
    "models",
    "quantization",
    "sampling",
    "repeats",
    "metrics",
    "margin",
    "confidence",
)
"""What of an experiment decides a run's numbers, in the order in which changes are told."""

Parts = tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class CellChange:
    """One cell in two runs; `before` or `after` is None where the run had no such cell.

    `diff` holds the parts of the prompt's YAML (and of its members') as `word_diff` gives them, ()
    where it is the same. `comparison` is newer - older over the rows that both have.
    """

    cell: Cell
    before: MetricEstimate | None
    after: MetricEstimate | None
    diff: Parts
    comparison: CellComparison | None


@dataclass(frozen=True, slots=True)
class RunChange:
    """What changed from an older to a newer run. `unpaired` says why there are no verdicts, or is ""."""

    older: str
    newer: str
    metric: str
    cells: tuple[CellChange, ...]
    also: tuple[str, ...]
    unpaired: str


def run_change(workspace: Workspace, older: str, newer: str, metric: str | None = None) -> RunChange:
    """What changed between two runs: prompts word by word, the metric with a paired verdict, all else.

    A cell is the same where its prompt's name, its model and what varies of its sampling are. Where
    the runs cannot be paired (other repeats, no row in common), the change has no verdicts and says why.
    """
    if older == newer:
        raise RunError(f"Run '{newer}' is compared with itself; choose two runs.")
    first, second = get_run(workspace, older), get_run(workspace, newer)
    name = metric or metrics_in(second)[0]
    if name not in metrics_in(second):
        raise UnknownName("metric in this run", name, metrics_in(second))
    unpaired = ""
    paired: dict[int, CellComparison] = {}
    try:
        found = compare(workspace, newer, name, across=older)
        paired = {line.cell.index: line for line in found.comparisons}
    except WorkbenchError as problem:
        unpaired = str(problem)
    before, _ = estimates_in(workspace, first, name)
    after, _ = estimates_in(workspace, second, name)
    twins = {cell_key(cell): cell for cell in stored_cells(first)}
    changes = []
    for cell in stored_cells(second):
        twin = twins.pop(cell_key(cell), None)
        diff: Parts = ()
        if twin is not None:
            old, new = _text(first, twin.prompt), _text(second, cell.prompt)
            diff = tuple(word_diff(old, new)) if old != new else ()
        was = None if twin is None else before.get(twin.index)
        changes.append(CellChange(cell, was, after.get(cell.index), diff, paired.get(cell.index)))
    gone = [CellChange(cell, before.get(cell.index), None, (), None) for cell in twins.values()]
    also = [
        *_other_settings(first, second),
        *_other_rows(workspace, first, second),
        *_other_models(workspace, first, second),
        *_other_prompts(first, second),
    ]
    return RunChange(older, newer, name, (*changes, *gone), tuple(also), unpaired)


def run_change_json(found: RunChange) -> dict[str, Any]:
    """The change between two runs as plain values."""
    kept = ("difference", "low", "high", "p", "p_adjusted", "n", "verdict", "rows_needed")
    return {
        "older": found.older,
        "newer": found.newer,
        "metric": found.metric,
        "cells": [
            {
                **cell_json(one.cell),
                "before": None if one.before is None else estimate_json(one.before),
                "after": None if one.after is None else estimate_json(one.after),
                "prompt_changed": bool(one.diff),
                "diff": [{"kind": kind, "text": text} for kind, text in one.diff],
                "comparison": None
                if one.comparison is None
                else {key: number(getattr(one.comparison, key)) for key in kept},
            }
            for one in found.cells
        ],
        "also": list(found.also),
        "unpaired": found.unpaired or None,
    }


def _prompts(record: RunRecord) -> dict[str, AnyPrompt]:
    return {
        name: (Ensemble if "members" in content else Prompt).model_validate(content)
        for name, content in record.definition["prompts"].items()
    }


def _text(record: RunRecord, prompt: str) -> str:
    """A prompt as it was run, then the prompts that it asks, as YAML; its description decides nothing."""
    prompts = _prompts(record)
    asked = [*closure(prompts[prompt], prompts.__getitem__).values()]
    return "\n".join(dump(one.model_copy(update={"description": ""})) for one in reversed(asked))


def _other_settings(first: RunRecord, second: RunRecord) -> list[str]:
    old, new = first.definition["experiment"], second.definition["experiment"]
    return [
        f"{key}: {_said(new.get(key))}, before {_said(old.get(key))}"
        for key in SETTINGS
        if old.get(key) != new.get(key)
    ]


def _said(value: Any) -> str:
    if value is None:
        return "the default"
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 200 else f"{text[:199]}…"


def _other_rows(workspace: Workspace, first: RunRecord, second: RunRecord) -> list[str]:
    if first.row_set == second.row_set:
        return []
    old, new = (_by_id(workspace, record) for record in (first, second))
    common = old.keys() & new.keys()
    edited = sum(old[row] != new[row] for row in common)
    said = f"rows: {len(new):,}, before {len(old):,}; {len(common):,} in both"
    return [f"{said}, {edited:,} of them changed" if edited else said]


def _by_id(workspace: Workspace, record: RunRecord) -> Mapping[str, dict[str, Any]]:
    return {str(row["id"]): row for row in workspace.store.runs.rows(record.row_set).values()}


def _other_models(workspace: Workspace, first: RunRecord, second: RunRecord) -> list[str]:
    """Models whose weights or settings are not what they were, whatever they are called."""
    old, new = (
        {use.model: use.identity for use in workspace.store.model_uses.of_run(record.id)}
        for record in (first, second)
    )
    return [
        f"model {name}: another one under the same name"
        for name in new
        if name in old and old[name] != new[name]
    ]


def _other_prompts(first: RunRecord, second: RunRecord) -> list[str]:
    """Prompts that metrics ask; those of cells have their own diffs."""
    old, new = first.definition["prompts"], second.definition["prompts"]
    asked: set[str] = set()
    for record in (first, second):
        prompts = _prompts(record)
        for cell in stored_cells(record):
            asked |= closure(prompts[cell.prompt], prompts.__getitem__).keys()
    return [
        f"prompt {name}, which a metric asks: changed"
        for name in new
        if name in old and name not in asked and old[name] != new[name]
    ]
