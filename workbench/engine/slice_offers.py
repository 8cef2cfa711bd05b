"""What a run's rows may be sliced by, told from its first rows: what a page offers.

slice_choices(workspace, run)
(SliceChoice("column:steps", "steps"), SliceChoice("length:question", "length of question"), …)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from workbench.core.dataset import ID_COLUMN
from workbench.engine.records import get_run
from workbench.engine.row_groups import MOST_GROUPS, number_of, question_columns, text_of
from workbench.engine.sliced_rows import COLUMN, LENGTH, TAGS
from workbench.engine.workspace import Workspace

SAMPLED = 500
"""Rows that are looked at."""


@dataclass(frozen=True, slots=True)
class SliceChoice:
    """Something that a run's rows may be sliced by, and what it is called."""

    by: str
    label: str


def slice_choices(workspace: Workspace, run: str) -> tuple[SliceChoice, ...]:
    """What a run's rows may be sliced by, columns with few values first; told from its first rows."""
    record = get_run(workspace, run)
    count = min(SAMPLED, workspace.store.runs.count_rows(record.row_set))
    rows = list(workspace.store.runs.rows(record.row_set, range(count)).values())
    reference = record.definition["reference"]
    names = dict.fromkeys(key for row in rows for key in row if key != ID_COLUMN)
    columns, lengths = [], []
    for name in names:
        values = [row.get(name) for row in rows]
        label = f"{name} (the right answer)" if name == reference else name
        if _repeats(values):
            columns.append(SliceChoice(f"{COLUMN}{name}", label))
        elif any(isinstance(value, str) for value in values):
            lengths.append(SliceChoice(f"{LENGTH}:{name}", f"length of {label}"))
    found = [*columns, *lengths]
    if len(question_columns(record, rows)) > 1:
        found.append(SliceChoice(LENGTH, "length of the row's text"))
    found.append(SliceChoice(f"{LENGTH}:prompt", "length of the prompt"))
    if workspace.store.row_tags.known(record.dataset):
        found.append(SliceChoice(TAGS, "tags"))
    return tuple(found)


def _repeats(values: list[Any]) -> bool:
    """Whether a column's values make groups: at least two, and not one for each row."""
    present = [value for value in values if value is not None and value != ""]
    if not present:
        return False
    if all(number_of(value) is not None for value in present):
        return len({number_of(value) for value in present}) > 1
    distinct = len({text_of(value) for value in present})
    return 1 < distinct <= max(MOST_GROUPS, len(present) // 4) and distinct < len(present)
