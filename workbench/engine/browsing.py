"""Outputs row by row, side by side: what a person reads to learn why a cell wins or loses."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np

from workbench.core.experiment import Experiment
from workbench.core.run import Output, Vote
from workbench.engine.plan import stored_cells
from workbench.engine.records import get_run
from workbench.engine.score import metrics_of, score_run
from workbench.engine.workspace import Workspace
from workbench.errors import RunError, UsageError
from workbench.storage import RunRecord
from workbench.storage.scores import CellScores

Only = Literal["all", "different", "wrong", "unanswered", "errors"]
RunScores = dict[tuple[int, str], CellScores]


@dataclass(frozen=True, slots=True)
class OutputView:
    """An output with its scores."""

    cell: int
    row_id: str
    repeat: int
    text: str
    answer: str | None
    error: str | None
    scores: dict[str, float | None]
    votes: tuple[Vote, ...]
    prompt_tokens: int
    completion_tokens: int
    latency_s: float
    cost_usd: float


@dataclass(frozen=True, slots=True)
class RowView:
    """One row and what the chosen cells gave for it (the first repeat)."""

    row_id: str
    position: int
    row: dict[str, Any]
    reference: str | None
    outputs: dict[int, OutputView]


@dataclass(frozen=True, slots=True)
class RowPage:
    """One screen of rows, and how many there are in all under the filter."""

    total: int
    rows: tuple[RowView, ...]


def rows(
    workspace: Workspace,
    run: str,
    cells: Sequence[int] | None = None,
    only: Only = "all",
    contains: str = "",
    offset: int = 0,
    limit: int = 50,
) -> RowPage:
    """Rows of a run with the outputs of `cells` (default: all) beside each other.

    Args:
        only: `different` where the answers differ; `wrong` where some chosen cell scores below its
            best by the first metric; `unanswered` where none was found; `errors`.
        contains: text in the row, an output or an answer.
    """
    if only not in get_args(Only):
        raise UsageError(f"'{only}' is no filter; use one of {', '.join(get_args(Only))}.")
    record = get_run(workspace, run)
    known = stored_cells(record)
    chosen = list(cells) if cells is not None else [cell.index for cell in known]
    for cell in chosen:
        if not 0 <= cell < len(known):
            raise RunError(f"There is no cell {cell}; the run has cells 0 to {len(known) - 1}.")
    scores = score_run(workspace, run)
    positions = _positions(workspace, record, chosen, only, scores)
    if contains:
        matching = workspace.store.outputs.positions_with(run, contains)
        everything = workspace.store.runs.rows(record.row_set)
        needle = contains.casefold()
        positions = [
            position
            for position in positions
            if position in matching
            or needle in json.dumps(everything[position], ensure_ascii=False).casefold()
        ]
    shown = positions[max(0, offset) : max(0, offset) + limit]
    return RowPage(len(positions), tuple(_views(workspace, record, chosen, shown, scores)))


def row_page_of(workspace: Workspace, run: str, row_id: str, limit: int = 50) -> int:
    """The offset of the screen that shows this row when nothing is filtered; 0 when it is not there."""
    record = get_run(workspace, run)
    for position, row in workspace.store.runs.rows(record.row_set).items():
        if str(row["id"]) == row_id:
            return position // limit * limit
    return 0


def latest_outputs(workspace: Workspace, run: str, n: int = 8) -> list[OutputView]:
    """The outputs stored last, newest first; not scored yet."""
    return [_view(output, {}, 0) for output in workspace.store.outputs.newest(run, n)]


def run_errors(workspace: Workspace, run: str) -> list[tuple[str, int]]:
    """What a run's outputs failed with, and how many of them; the cells' order, each sentence once."""
    found: dict[str, int] = {}
    for _, error, count in workspace.store.outputs.errors(run):
        found[error] = found.get(error, 0) + count
    return list(found.items())


def output_views(workspace: Workspace, run: str) -> Iterable[OutputView]:
    """Every output of a run with its scores, cell by cell."""
    record = get_run(workspace, run)
    scores = score_run(workspace, run)
    repeats = int(record.definition["experiment"].get("repeats", 1))
    for cell in stored_cells(record):
        for output in workspace.store.outputs.of_cell(run, cell.index):
            yield _view(output, scores, output.position * repeats + output.repeat)


def _positions(
    workspace: Workspace, record: RunRecord, cells: list[int], only: Only, scores: RunScores
) -> list[int]:
    every = range(workspace.store.runs.count_rows(record.row_set))
    if only == "all":
        return list(every)
    if only == "wrong":
        return _wrong(record, cells, scores)
    answers: dict[int, list[str | None]] = defaultdict(list)
    failed: set[int] = set()
    unanswered: set[int] = set()
    for cell in cells:
        for position, repeat, answer, error, _ in workspace.store.outputs.answers(record.id, cell):
            if repeat == 0:
                answers[position].append(answer)
            if error:
                failed.add(position)
            elif answer is None:
                unanswered.add(position)
    if only == "errors":
        return sorted(failed)
    if only == "unanswered":
        return sorted(unanswered)
    return [position for position in every if len(set(answers[position])) > 1]


def _wrong(record: RunRecord, cells: list[int], scores: RunScores) -> list[int]:
    name = next(iter({metric: None for _, metric in scores}), None)
    repeats = int(record.definition["experiment"].get("repeats", 1))
    wrong: set[int] = set()
    if name is None:
        return []
    metric = metrics_of(Experiment.model_validate(record.definition["experiment"]))[name]
    for cell in cells:
        found = scores.get((cell, name))
        if found is not None:
            best = metric.range[1] if metric.direction == "higher" else metric.range[0]
            places = np.flatnonzero(np.isfinite(found.values) & (found.values != best))
            wrong |= set((places // repeats).tolist())
    return sorted(wrong)


def _views(
    workspace: Workspace, record: RunRecord, cells: list[int], positions: list[int], scores: RunScores
) -> Iterable[RowView]:
    plan_rows = workspace.store.runs.rows(record.row_set, positions)
    repeats = int(record.definition["experiment"].get("repeats", 1))
    outputs: dict[int, dict[int, OutputView]] = defaultdict(dict)
    for cell in cells:
        for output in workspace.store.outputs.of_cell(record.id, cell, positions):
            unit = output.position * repeats + output.repeat
            outputs[output.position].setdefault(cell, _view(output, scores, unit))
    column = record.definition["reference"]
    for position in positions:
        row = plan_rows[position]
        reference = row.get(column) if column else None
        yield RowView(
            str(row["id"]), position, row, None if reference is None else str(reference), outputs[position]
        )


def _view(output: Output, scores: RunScores, unit: int) -> OutputView:
    values: dict[str, float | None] = {}
    for (cell, name), found in scores.items():
        if cell == output.cell:
            value = float(found.values[unit])
            values[name] = value if np.isfinite(value) else None
    return OutputView(
        output.cell,
        output.row_id,
        output.repeat,
        output.text,
        output.answer,
        output.error,
        values,
        output.votes,
        output.prompt_tokens,
        output.completion_tokens,
        output.latency_s,
        output.cost_usd,
    )
