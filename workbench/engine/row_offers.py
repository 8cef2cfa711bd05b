"""What the filters over a run's rows can offer: columns, their values, repeats, tags, other runs."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from workbench.engine.records import get_run, repeats_of
from workbench.engine.workspace import Workspace
from workbench.storage.row_facts import text_of

ROWS_READ = 100
MOST_RUNS = 50


@dataclass(frozen=True, slots=True)
class RowChoices:
    """What there is to choose from, for one run."""

    columns: tuple[str, ...]
    """Of the first hundred rows, without the id."""
    repeats: int
    tags: tuple[str, ...]
    runs: tuple[str, ...]
    """Ids of other runs of the same experiment, the newest first."""


def row_choices(workspace: Workspace, run: str) -> RowChoices:
    """What the rows of a run can be filtered by. Raises UnknownName when the run is not there."""
    record = get_run(workspace, run)
    first = workspace.store.runs.rows(record.row_set, range(ROWS_READ))
    columns = dict.fromkeys(name for row in first.values() for name in row if name != "id")
    others = workspace.store.runs.newest(limit=MOST_RUNS, experiment=record.experiment)
    return RowChoices(
        tuple(columns),
        repeats_of(record),
        tuple(workspace.store.row_tags.known(record.dataset)),
        tuple(other.id for other in others if other.id != run and other.done),
    )


def column_values(workspace: Workspace, run: str, column: str, most: int = 200) -> list[tuple[str, int]]:
    """The values of a column as text with how many rows have each, the most frequent first."""
    record = get_run(workspace, run)
    counts = Counter(text_of(value) for value in workspace.store.row_facts.column(record.row_set, column))
    return counts.most_common(most)
