"""Ratings as files: one line a rating, and pairs of a better and a worse answer to learn from.

{"input": {"messages": [{"role": "user", "content": "What is 7 + 8?"}]},
 "preferred_output": [{"role": "assistant", "content": "15"}],
 "non_preferred_output": [{"role": "assistant", "content": "14"}]}
"""

from __future__ import annotations

import io
import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, cast, get_args

from workbench.core.dataset import ID_COLUMN
from workbench.core.model import ChatMessage
from workbench.core.prompt import Prompt
from workbench.core.rating import Rating
from workbench.core.run import Cell
from workbench.datasets import write_rows
from workbench.engine.composing import Composer
from workbench.engine.plan import Plan, load_plan, stored_cells
from workbench.engine.rating.corrections import Correction, corrections
from workbench.engine.rating.standings import Leaderboard, leaderboard_json
from workbench.engine.records import get_run
from workbench.engine.workspace import Workspace
from workbench.errors import UsageError

RatingsFormat = Literal["csv", "jsonl"]


@dataclass(frozen=True, slots=True)
class Preferences:
    """Preferences as JSON lines.

    Attributes:
        text: one JSON object a line.
        written: how many lines; of them `corrections` from answers that raters wrote.
        undecided: pairs without a line since raters called them a tie, or as many said one as the other.
        composed: outputs without a line, since an ensemble's output answers to no single prompt.
    """

    text: str
    written: int
    corrections: int
    undecided: int
    composed: int


def export_ratings(workspace: Workspace, run: str, format: str = "csv") -> bytes:  # noqa: A002
    """The ratings of a run that count, one a line, oldest first. Raises UsageError, UnknownName.

    `value` of a pair is about its first columns: 1 where `prompt` on `model` was preferred to
    `other_prompt` on `other_model`. `shown_first` says which of the two stood left.
    """
    record = get_run(workspace, run)
    cells = {cell.index: cell for cell in stored_cells(record)}
    row_ids = workspace.store.row_facts.row_ids(record.row_set)
    current = workspace.store.ratings.current(run)
    return _written((_line(rating, cells, row_ids) for rating in current), format)


def export_leaderboard(board: Leaderboard, format: str = "csv") -> bytes:  # noqa: A002
    """The leaderboard, one line a cell and way of rating. Raises UsageError."""
    document = leaderboard_json(board)
    lines = [
        {"rated_by": by, **line, "sampling": _sampling(line["sampling"])}
        for by, key in (("pairs", "cells"), ("thumbs", "thumbs"), ("likert", "likert"))
        for line in document[key]
    ]
    return _written(lines, format)


def export_preferences(workspace: Workspace, run: str) -> Preferences:
    """Pairs of outputs of which most raters preferred one, and what raters wrote against what they bettered.

    The messages are those that were sent to the model that gave the preferred output, or the one that
    was corrected. Raises UnknownName for a run that is not there or deleted.
    """
    record = get_run(workspace, run)
    plan = load_plan(workspace, record)
    messages = _Messages(workspace, plan)
    margins, undecided = _margins(workspace.store.ratings.current(run))
    texts = _texts(workspace, run, margins)
    lines, composed = [], 0
    for (position, repeat, cell, other), margin in margins.items():
        better, worse = (cell, other) if margin > 0 else (other, cell)
        chosen, rejected = texts.get((better, position, repeat)), texts.get((worse, position, repeat))
        sent = messages.of(better, position)
        if sent is None:
            composed += 1
        elif chosen is not None and rejected is not None:
            lines.append(_preference(sent, chosen, rejected))
    written = [_correction(one, messages) for one in corrections(workspace, run)]
    bettered = [line for line in written if line is not None]
    lines += bettered
    return Preferences(
        "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines),
        len(lines),
        len(bettered),
        undecided,
        composed + len(written) - len(bettered),
    )


class _Messages:
    """What was sent for a row by a cell; None where that is an ensemble."""

    def __init__(self, workspace: Workspace, plan: Plan) -> None:
        self._plan = plan
        self._composer = Composer(workspace.datasets, plan.dataset)
        self._places = {str(row[ID_COLUMN]): place for place, row in enumerate(plan.dataset.rows)}

    def of(self, cell: int, position: int) -> Sequence[ChatMessage] | None:
        prompt = self._plan.prompts[self._plan.cells[cell].prompt]
        if not isinstance(prompt, Prompt):
            return None
        return self._composer.messages(prompt, self._plan.dataset.rows[position])

    def of_row(self, cell: int, row_id: str) -> Sequence[ChatMessage] | None:
        return self.of(cell, self._places[row_id])


Unit = tuple[int, int, int, int]
"""Position, repeat and the two cells of a pair."""


def _margins(current: Iterable[Rating]) -> tuple[dict[Unit, float], int]:
    """By pair, by how much the first cell is ahead; and how many pairs are even."""
    margins: dict[Unit, float] = defaultdict(float)
    for one in current:
        if one.other is not None and one.value is not None and one.chosen != "again":
            margins[one.position, one.repeat, one.cell, one.other] += one.value - 0.5
    decided = {unit: margin for unit, margin in margins.items() if margin}
    return decided, len(margins) - len(decided)


def _texts(workspace: Workspace, run: str, units: Iterable[Unit]) -> dict[tuple[int, int, int], str]:
    """By (cell, position, repeat), the outputs of these pairs."""
    wanted: dict[int, set[int]] = defaultdict(set)
    for position, _, cell, other in units:
        wanted[cell].add(position)
        wanted[other].add(position)
    return {
        (cell, output.position, output.repeat): output.text
        for cell, positions in wanted.items()
        for output in workspace.store.outputs.of_cell(run, cell, sorted(positions))
        if output.error is None
    }


def _correction(one: Correction, messages: _Messages) -> dict[str, Any] | None:
    sent = messages.of_row(one.cell.index, one.row_id)
    return None if sent is None else _preference(sent, one.text, one.output)


def _preference(sent: Sequence[ChatMessage], chosen: str, rejected: str) -> dict[str, Any]:
    return {
        "input": {"messages": list(sent)},
        "preferred_output": [{"role": "assistant", "content": chosen}],
        "non_preferred_output": [{"role": "assistant", "content": rejected}],
    }


def _line(rating: Rating, cells: dict[int, Cell], row_ids: list[str]) -> dict[str, Any]:
    first, second = cells.get(rating.cell), None if rating.other is None else cells.get(rating.other)
    corrects = None if rating.corrects is None else cells.get(rating.corrects)
    shown = None if rating.first is None else "first" if rating.first == rating.cell else "other"
    return {
        "row": row_ids[rating.position] if rating.position < len(row_ids) else None,
        "repeat": rating.repeat,
        "rater": rating.rater,
        "mode": rating.mode,
        "criterion": rating.criterion,
        "prompt": first and first.prompt,
        "model": first and first.model,
        "sampling": _sampling(first.sampling if first else {}),
        "other_prompt": second and second.prompt,
        "other_model": second and second.model,
        "other_sampling": _sampling(second.sampling if second else {}),
        "value": rating.value,
        "scale": rating.scale,
        "both_bad": rating.both_bad,
        "shown_first": shown,
        "chosen": rating.chosen,
        "note": rating.note,
        "correction": rating.correction,
        "corrects": corrects and corrects.label,
        "seconds": rating.seconds,
        "at": rating.created_at and rating.created_at.isoformat(),
    }


def _sampling(sampling: dict[str, Any]) -> str:
    return json.dumps(sampling) if sampling else ""


def _written(lines: Iterable[dict[str, Any]], format: str) -> bytes:  # noqa: A002
    if format not in get_args(RatingsFormat):
        raise UsageError(f"'{format}' is no format for ratings; use {' or '.join(get_args(RatingsFormat))}.")
    buffer = io.BytesIO()
    write_rows(list(lines), buffer, cast(RatingsFormat, format))
    return buffer.getvalue()
