"""Outputs row by row, side by side: what a person reads to learn why a cell wins or loses."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from workbench.core.run import Output, Report, Vote
from workbench.engine.answer_rules import answer_rule
from workbench.engine.plan import stored_cells, stored_prompts
from workbench.engine.records import experiment_of, get_run, repeats_of
from workbench.engine.row_matching import RowMatcher
from workbench.engine.row_query import RowQuery
from workbench.engine.score import metric_names, score_run
from workbench.engine.workspace import Workspace
from workbench.errors import RunError
from workbench.prompting.answer_span import answer_span
from workbench.storage import RunRecord
from workbench.storage.scores import CellScores

RunScores = Mapping[tuple[int, str], CellScores]
MOST_CHARACTERS = 3_000
"""Of one output on a screen of many."""


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
    reasons: Mapping[str, str] = field(default_factory=dict)
    """By metric: why it is unscored, which check failed, what a judge said."""
    answer_at: tuple[int, int] | None = None
    """Where in `text` the answer was read, from and to; None where that cannot be told."""
    right: bool | None = None
    """Whether it has the best possible score (True), the worst (False), or neither."""
    characters: int = 0
    """Length of the whole text, of which `text` may be the beginning and the end."""


@dataclass(frozen=True, slots=True)
class RowView:
    """One row, its tags, and what the chosen cells gave for it (one repeat)."""

    row_id: str
    position: int
    row: dict[str, Any]
    reference: str | None
    outputs: dict[int, OutputView]
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RowPage:
    """One screen of rows, and how many there are in all under the filters.

    Where one row was asked for: its place among them from 0 (None where it is filtered out), and the
    ids of the rows before and after it.
    """

    total: int
    rows: tuple[RowView, ...]
    place: int | None = None
    before: str | None = None
    after: str | None = None


def rows(
    workspace: Workspace,
    run: str,
    cells: Sequence[int] | None = None,
    query: RowQuery | None = None,
    offset: int = 0,
    limit: int = 50,
    row: str | None = None,
    most: int = MOST_CHARACTERS,
) -> RowPage:
    """Rows of a run with the outputs of `cells` (default: all) beside each other.

    Args:
        query: which rows and in which order; default: all in the dataset's order.
        row: the id of the one row to show, whether or not the query lets it through.
        most: characters of an output; of a longer one its beginning and end are given.

    Raises UnknownName, RunError or UsageError where the run, a cell or the query is not as it must be.
    """
    record = get_run(workspace, run)
    asked = query or RowQuery()
    known = stored_cells(record)
    chosen = list(cells) if cells is not None else [cell.index for cell in known]
    for cell in chosen:
        if not 0 <= cell < len(known):
            raise RunError(f"There is no cell {cell}; the run has cells 0 to {len(known) - 1}.")
    scores = score_run(workspace, run)
    matcher = RowMatcher(workspace, record, chosen, asked, scores)
    places = matcher.places()
    if row is None:
        shown = places[max(0, offset) : max(0, offset) + limit].tolist()
        views = _views(workspace, record, chosen, shown, scores, matcher, asked.repeat, most)
        return RowPage(len(places), tuple(views))
    position = workspace.store.row_facts.position(record.row_set, row)
    if position is None:
        return RowPage(len(places), ())
    views = _views(workspace, record, chosen, [position], scores, matcher, asked.repeat, most)
    found = np.flatnonzero(places == position)
    if not len(found):
        return RowPage(len(places), tuple(views))
    place = int(found[0])
    neighbours = [
        matcher.row_ids[places[near]] if 0 <= near < len(places) else None for near in (place - 1, place + 1)
    ]
    return RowPage(len(places), tuple(views), place, *neighbours)


def latest_outputs(workspace: Workspace, run: str, n: int = 8) -> list[OutputView]:
    """The outputs stored last, newest first; not scored yet."""
    return [_view(output, {}, 0) for output in workspace.store.outputs.newest(run, n)]


def run_errors(workspace: Workspace, run: str) -> list[tuple[str, int]]:
    """What a run's outputs failed with, and how many of them; the cells' order, each sentence once."""
    found: dict[str, int] = {}
    for _, error, count in workspace.store.outputs.errors(run):
        found[error] = found.get(error, 0) + count
    return list(found.items())


def judging_errors(workspace: Workspace, run: str) -> list[tuple[str, int]]:
    """What calls of a run's judges failed with, and about how many outputs; each sentence once."""
    measured = metric_names(experiment_of(get_run(workspace, run)))
    found: dict[str, int] = {}
    for metric, error, count in workspace.store.scores.failed_calls(run):
        if metric in measured:  # scores of a metric that was taken out are kept
            found[error] = found.get(error, 0) + count
    return list(found.items())


def unmeasured(workspace: Workspace, shown: Report) -> list[tuple[str, str]]:
    """Metrics that scored no output of the run although there are some, each with the commonest reason."""
    names = dict.fromkeys(name for line in shown.cells for name in line.metrics)
    none = [name for name in names if not any(line.metrics[name].n for line in shown.cells)]
    if not none or sum(line.outputs - line.errors for line in shown.cells) == 0:
        return []
    scores = workspace.store.scores.of_run(shown.run)
    found = []
    for name in none:
        said = Counter(
            why for (_, metric), one in scores.items() if metric == name for why in one.reasons.values()
        )
        found += [(name, why) for why, _ in said.most_common(1)]
    return found


def output_views(workspace: Workspace, run: str) -> Iterable[OutputView]:
    """Every output of a run with its scores, cell by cell."""
    record = get_run(workspace, run)
    scores = score_run(workspace, run)
    repeats = repeats_of(record)
    for cell in stored_cells(record):
        for output in workspace.store.outputs.of_cell(run, cell.index):
            yield _view(output, scores, output.position * repeats + output.repeat)


def _views(
    workspace: Workspace,
    record: RunRecord,
    cells: list[int],
    positions: list[int],
    scores: RunScores,
    matcher: RowMatcher,
    repeat: int,
    most: int,
) -> Iterable[RowView]:
    stored_rows = workspace.store.runs.rows(record.row_set, positions)
    repeats = repeats_of(record)
    prompts = stored_prompts(record)
    rules = {cell.index: answer_rule(prompts[cell.prompt], prompts) for cell in stored_cells(record)}
    outputs: dict[int, dict[int, OutputView]] = defaultdict(dict)
    for output, characters in workspace.store.row_facts.of_screen(record.id, cells, positions, repeat, most):
        unit = output.position * repeats + output.repeat
        answer_at = answer_span(rules[output.cell], output.text, output.answer)
        right = None if output.error else matcher.right(output.cell, output.position)
        outputs[output.position][output.cell] = _view(output, scores, unit, answer_at, right, characters)
    tags = workspace.store.row_tags.of_rows(
        record.dataset, (str(stored_rows[position]["id"]) for position in positions)
    )
    column = record.definition["reference"]
    for position in positions:
        row = stored_rows[position]
        reference = row.get(column) if column else None
        row_id = str(row["id"])
        yield RowView(
            row_id,
            position,
            row,
            None if reference is None else str(reference),
            outputs[position],
            tags.get(row_id, ()),
        )


def _view(
    output: Output,
    scores: RunScores,
    unit: int,
    answer_at: tuple[int, int] | None = None,
    right: bool | None = None,
    characters: int | None = None,
) -> OutputView:
    values: dict[str, float | None] = {}
    reasons: dict[str, str] = {}
    for (cell, name), found in scores.items():
        if cell == output.cell:
            value = float(found.values[unit])
            values[name] = value if np.isfinite(value) else None
            if unit in found.reasons:
                reasons[name] = found.reasons[unit]
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
        reasons,
        answer_at,
        right,
        len(output.text) if characters is None else characters,
    )
