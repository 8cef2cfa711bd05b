"""How the rows of a run are sliced: by the values of a column, by length, by tags.

sliced_rows(workspace, record, "steps", baseline)  ->  [RowGroup("steps 1", places=[0, 4, …]), …], "steps"
"""

from __future__ import annotations

from typing import Any

import numpy as np

from workbench.core.dataset import ID_COLUMN
from workbench.core.run import Cell
from workbench.engine.row_groups import RowGroup, bands, by_tag, by_value, question_columns, text_of
from workbench.engine.workspace import Workspace
from workbench.errors import UsageError, suggestion
from workbench.storage import RunRecord
from workbench.storage.outputs import MEASURED

LENGTH, TAGS, REFERENCE, COLUMN = "length", "tags", "reference", "column:"


def sliced_rows(
    workspace: Workspace, record: RunRecord, by: str, baseline: Cell
) -> tuple[list[RowGroup], str | None]:
    """The rows of a run in groups, and the dataset column whose values they are, if they are one's.

    `by` as for `slicing.slices`; of `length:prompt`, `baseline` is the cell whose prompts are measured.
    """
    kind, _, of = by.partition(":")
    rows = list(workspace.store.runs.rows(record.row_set).values())
    reference: str | None = record.definition["reference"]
    names = list(dict.fromkeys(key for row in rows for key in row))
    if by == TAGS:
        ids = [str(row[ID_COLUMN]) for row in rows]
        tags = workspace.store.row_tags.of_rows(record.dataset, ids)
        if not tags:
            raise UsageError("No row of this run has a tag; put one on in Compare, row by row.")
        return by_tag(ids, tags), None
    if by == f"{LENGTH}:prompt":
        taken = workspace.store.outputs.taken(record.id, baseline.index)
        place = MEASURED.index("prompt_tokens")
        tokens = [taken.get((position, 0), (None,) * len(MEASURED))[place] for position in range(len(rows))]
        return bands([np.nan if not count else float(count) for count in tokens], "tokens"), None
    if kind == LENGTH:
        columns = [_column(of, names, reference)] if of else question_columns(record, rows)
        return bands([_words(row, columns) for row in rows], "words"), None
    column = _column(by.removeprefix(COLUMN), names, reference)
    found = by_value([row.get(column) for row in rows])
    if not found:
        raise UsageError(
            f"Nearly every row has a '{column}' of its own; slice by its length with '{LENGTH}:{column}'."
        )
    return found, column


def _column(name: str, names: list[str], reference: str | None) -> str:
    if name in names:
        return name
    if name == REFERENCE and reference is not None:
        return reference
    hint = suggestion(name, names)
    raise UsageError(f"The rows have no column '{name[:80]}'.{hint} Or slice by length, {TAGS}.")


def _words(row: dict[str, Any], columns: list[str]) -> float:
    values = [row.get(column) for column in columns]
    return float(sum(len(text_of(value).split()) for value in values if value is not None))


def units_of(group: RowGroup, repeats: int) -> np.ndarray:
    """The units of a group's rows: row r's repeats are r · repeats and those after it."""
    return (group.places[:, None] * repeats + np.arange(repeats)).reshape(-1)
