"""The better answers that raters wrote: for which output, by whom, and as lines to learn from.

corrections(workspace, run)
(Correction("row-17", cell=Cell(…), rater="ada", text="Answer: 42", output="Answer: 24", …),)
"""

from __future__ import annotations

import datetime
import json
from dataclasses import dataclass
from typing import Any

from workbench.core.dataset import ID_COLUMN
from workbench.core.run import Cell
from workbench.engine.rating.given import given
from workbench.engine.records import get_run
from workbench.engine.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Correction:
    """A better answer than one output, as a rater wrote it."""

    row_id: str
    row: dict[str, Any]
    cell: Cell
    repeat: int
    rater: str
    text: str
    output: str
    note: str
    created_at: datetime.datetime | None


def corrections(workspace: Workspace, run: str) -> tuple[Correction, ...]:
    """The better answers of a run's ratings that count, the newest first.

    Of several of one rater for the same output the last counts. Raises UnknownName for a run that is
    not there or deleted.
    """
    record = get_run(workspace, run)
    found = given(workspace, run)
    cells = {cell.index: cell for cell in found.cells}
    last = {}
    for one in (*found.ratings, *found.again):
        if one.correction:
            cell = one.cell if one.corrects is None else one.corrects
            last[one.rater, one.position, one.repeat, cell] = one
    if not last:
        return ()
    rows = workspace.store.runs.rows(record.row_set, sorted({position for _, position, _, _ in last}))
    texts = {
        index: workspace.store.outputs.of_cell(run, index, sorted({p for _, p, _, c in last if c == index}))
        for index in {cell for *_, cell in last}
        if index in cells
    }
    said = {
        (index, output.position, output.repeat): output.text
        for index, outputs in texts.items()
        for output in outputs
    }
    lines = [
        Correction(
            row_id=str(rows[position].get(ID_COLUMN, position)),
            row=rows[position],
            cell=cells[cell],
            repeat=repeat,
            rater=rater,
            text=one.correction or "",
            output=said.get((cell, position, repeat), ""),
            note=one.note,
            created_at=one.created_at,
        )
        for (rater, position, repeat, cell), one in last.items()
        if cell in cells and position in rows
    ]
    return tuple(reversed(lines))


def corrections_jsonl(found: tuple[Correction, ...]) -> str:
    """One JSON object a line: the row, what the cell answered, and the better answer."""
    lines = [
        {
            "row": one.row,
            "prompt": one.cell.prompt,
            "model": one.cell.model,
            "output": one.output,
            "correction": one.text,
            "rater": one.rater,
            "note": one.note,
        }
        for one in found
    ]
    return "".join(json.dumps(line, ensure_ascii=False, default=str) + "\n" for line in lines)
