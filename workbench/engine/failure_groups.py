"""Why cells fail: the rows that they fail, in groups of like texts, and how often each cell fails each kind.

    failures(workspace, run)
    "bottles, fewer": 49 rows, 41 failed; direct fails 84 %, step-by-step 61 % (of all rows 52 % and 20 %)

The groups are found among failing rows; the other rows are then counted to the group they are most like,
so that a share says how many rows of a kind fail, not how many failing rows are of that kind.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt

from workbench.core.dataset import ID_COLUMN
from workbench.core.run import Cell
from workbench.engine.comparing import check_scored
from workbench.engine.failing import Mask, failing_rows
from workbench.engine.plan import cell_at, stored_cells
from workbench.engine.records import experiment_of, get_run, race_of, repeats_of
from workbench.engine.reporting import cell_json, number
from workbench.engine.row_groups import question_columns, text_of
from workbench.engine.score import chosen_metric, score_run
from workbench.engine.stopped_cells import stopped_notes
from workbench.engine.text_groups import LONGEST, group_texts, telling_words
from workbench.engine.workspace import Workspace
from workbench.errors import UsageError
from workbench.statistics import wilson
from workbench.storage import RunRecord
from workbench.storage.scores import CellScores

Read = Literal["question", "output", "reason"]
Ints = npt.NDArray[np.int64]

MOST_TEXTS = 2_000
"""Failing rows, and as many others, that are read; of more, a random part."""
EXAMPLES = 3
LONGEST_EXAMPLE = 300


@dataclass(frozen=True, slots=True)
class CellFailures:
    """How many of some rows one cell fails; `share` of those judged, with its interval."""

    cell: Cell
    failing: int
    rows: int
    share: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Example:
    """A row and its text."""

    row_id: str
    text: str


@dataclass(frozen=True, slots=True)
class FailureGroup:
    """Rows of one kind: its most telling words, how many there are and fail, and per cell."""

    words: tuple[str, ...]
    rows: int
    failing: int
    cells: tuple[CellFailures, ...]
    examples: tuple[Example, ...]

    @property
    def name(self) -> str:
        """The words in one line; what is said where there are none."""
        return ", ".join(self.words) or "texts without a telling word"


@dataclass(frozen=True, slots=True)
class Failures:
    """Groups of failing rows, those with the most failing rows first.

    `cell` is whose failures were grouped, None where those of any cell were. `overall` counts over
    all rows. `sampled` rows were read where there are too many to read all; None where all were.
    """

    run: str
    metric: str
    read: Read
    cell: Cell | None
    rows: int
    failing: int
    overall: tuple[CellFailures, ...]
    groups: tuple[FailureGroup, ...]
    sampled: int | None
    notes: tuple[str, ...]


def failures(
    workspace: Workspace,
    run: str,
    cell: int | None = None,
    metric: str | None = None,
    read: Read = "question",
    seed: int = 0,
) -> Failures:
    """Groups the rows that a cell fails (default: that any cell fails) by likeness of their texts.

    A row fails where the metric scores it worse than its best, where the output is an error, or where
    nothing could be read from it; with repeats, where at least half of them do. Scores other than 0 and
    1 fail where they are worse than the median of the run's.

    Args:
        read: which text is compared: the row's `question`, the cell's `output`, or the `reason` that
            the metric gave. The last two are one cell's: by itself that which fails most.
        seed: of what is drawn at random; the same seed gives the same groups.
    """
    if read not in get_args(Read):
        raise UsageError(f"'{read}' is no text to group by; use one of {', '.join(get_args(Read))}.")
    record = get_run(workspace, run)
    experiment = experiment_of(record)
    name, measure = chosen_metric(experiment, metric)
    cells = stored_cells(record)
    if cell is not None:
        cell_at(cells, cell)
    scores = score_run(workspace, run)
    check_scored(scores, cells, name)
    columns = [scores[one.index, name] for one in cells]
    failed, judged = failing_rows(workspace, record, measure, columns, experiment.repeats)
    if cell is None and read != "question":
        cell = int(failed.sum(axis=1).argmax())
    chosen = slice(None) if cell is None else slice(cell, cell + 1)
    fails: Mask = np.any(failed[chosen], axis=0)
    told: Mask = np.any(judged[chosen], axis=0)
    readable = _readable(read, columns[cell or 0], experiment.repeats)
    rng = np.random.default_rng(seed)
    bad, good = _drawn(fails & readable, rng), _drawn(told & ~fails & readable, rng)
    texts = _texts(workspace, record, read, columns[cell or 0], [*bad.places.tolist(), *good.places.tolist()])
    count = _Counting(cells, failed, judged, experiment.confidence)
    groups = _grouped(bad, good, texts, count, seed) if len(bad.places) else []
    every = np.arange(len(fails), dtype=np.int64)
    stopped = stopped_notes(cells, race_of(record), "its shares are of those.")
    return Failures(
        run=run,
        metric=name,
        read=read,
        cell=None if cell is None else cells[cell],
        rows=len(fails),
        failing=int(fails.sum()),
        overall=count.over(every, np.ones(len(every))),
        groups=tuple(sorted(groups, key=lambda one: (-one.failing, one.words))),
        sampled=len(texts) if max(bad.weight, good.weight) > 1 else None,
        notes=(*_notes(read, name, fails, readable, len(groups)), *stopped),
    )


def failures_json(found: Failures) -> dict[str, Any]:
    """The groups as `compare RUN --failures --json` prints them."""
    return {
        "run": found.run,
        "metric": found.metric,
        "text": found.read,
        "cell": None if found.cell is None else cell_json(found.cell),
        "rows": found.rows,
        "failing": found.failing,
        "sampled": found.sampled,
        "cells": [_count_json(one) for one in found.overall],
        "groups": [
            {
                "words": list(group.words),
                "rows": group.rows,
                "failing": group.failing,
                "cells": [_count_json(one) for one in group.cells],
                "examples": [{"row": one.row_id, "text": one.text} for one in group.examples],
            }
            for group in found.groups
        ],
        "notes": list(found.notes),
    }


def _readable(read: Read, column: CellScores, repeats: int) -> Mask:
    """Which rows have the text: all have a question, and all that were judged an output."""
    found = np.ones(len(column.values) // repeats, dtype=np.bool_)
    if read == "reason":
        found[:] = False
        found[[unit // repeats for unit in column.reasons]] = True
    return found


def _texts(
    workspace: Workspace, record: RunRecord, read: Read, column: CellScores, positions: Sequence[int]
) -> dict[int, Example]:
    """The id and the text of these rows, of the first repeat that has one."""
    rows = workspace.store.runs.rows(record.row_set, positions)
    texts: dict[int, str] = {}
    if read == "question":
        first = list(workspace.store.runs.rows(record.row_set, range(200)).values())
        names = question_columns(record, first)
        for position, row in rows.items():
            texts[position] = "\n".join(text_of(row[name]) for name in names if row.get(name) is not None)
    elif read == "reason":
        repeats = repeats_of(record)
        for unit, reason in sorted(column.reasons.items()):
            texts.setdefault(unit // repeats, reason)
    else:
        for output in workspace.store.outputs.of_cell(record.id, column.cell, positions):
            texts.setdefault(output.position, output.error or output.text)
    return {
        position: Example(str(row[ID_COLUMN]), texts.get(position, "")[:LONGEST])
        for position, row in rows.items()
    }


@dataclass(frozen=True)
class _Drawn:
    """Rows that are read, and how many rows each of them stands for."""

    places: Ints
    weight: float


def _drawn(mask: Mask, rng: np.random.Generator) -> _Drawn:
    """Where the mask is true; a random part of it where that is a lot."""
    places = np.flatnonzero(mask).astype(np.int64)
    if len(places) <= MOST_TEXTS:
        return _Drawn(places, 1.0)
    return _Drawn(np.sort(rng.permutation(places)[:MOST_TEXTS]), len(places) / MOST_TEXTS)


@dataclass(frozen=True)
class _Counting:
    cells: tuple[Cell, ...]
    failed: Mask
    judged: Mask
    confidence: float

    def over(self, places: Ints, weights: npt.NDArray[np.float64]) -> tuple[CellFailures, ...]:
        """Every cell's failures over these rows, each counted with its weight."""
        found = []
        for cell in self.cells:
            failed, judged = self.failed[cell.index, places], self.judged[cell.index, places]
            known, bad, seen = float(weights[judged].sum()), float(weights[failed].sum()), int(judged.sum())
            share = bad / known if known else float("nan")
            low, high = wilson(share * seen, seen, self.confidence)
            found.append(CellFailures(cell, round(bad), round(known), share, low, high))
        return tuple(found)


def _grouped(
    bad: _Drawn, good: _Drawn, texts: dict[int, Example], count: _Counting, seed: int
) -> list[FailureGroup]:
    failing, passing = ([texts[place].text for place in drawn.places.tolist()] for drawn in (bad, good))
    found = group_texts(failing, passing, seed=seed)
    named = telling_words(failing, found.labels, passing)
    groups = []
    for group, central in enumerate(found.central):
        ours, theirs = bad.places[found.labels == group], good.places[found.others == group]
        weights = np.repeat([bad.weight, good.weight], [len(ours), len(theirs)])
        groups.append(
            FailureGroup(
                words=named[group],
                rows=round(float(weights.sum())),
                failing=round(len(ours) * bad.weight),
                cells=count.over(np.concatenate([ours, theirs]), weights),
                examples=_examples([texts[place] for place in bad.places[central].tolist()]),
            )
        )
    return groups


def _examples(nearest_first: Sequence[Example]) -> tuple[Example, ...]:
    """The nearest to the centre that do not say the same."""
    by_text: dict[str, Example] = {}
    for one in nearest_first:
        by_text.setdefault(one.text, one)
    kept = list(by_text.values())[:EXAMPLES]
    return tuple(Example(one.row_id, one.text[:LONGEST_EXAMPLE]) for one in kept)


def _notes(read: Read, metric: str, fails: Mask, readable: Mask, groups: int) -> list[str]:
    said = []
    unread = int((fails & ~readable).sum())
    if read == "reason" and not readable.any():
        said.append(f"'{metric}' gave no reasons for this cell; group by question or output.")
    elif unread:
        said.append(f"{unread:,} failing rows have no {read} to read and are in no group.")
    if groups == 1:
        said.append("The failing rows are too few, or too much alike, to fall into groups.")
    return said


def _count_json(one: CellFailures) -> dict[str, Any]:
    values = {"failing": one.failing, "rows": one.rows}
    bounds = {"share": one.share, "low": one.low, "high": one.high}
    return cell_json(one.cell) | values | {key: number(value) for key, value in bounds.items()}
