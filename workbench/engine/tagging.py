"""Tags on rows, such as `ambiguous` or `wrong reference`: put on and taken off by people.

    tag_rows(workspace, run, ["test-5"], "ambiguous")

A tag belongs to the row of the dataset: every run over the same rows shows it.
"""

from __future__ import annotations

from collections.abc import Sequence

from workbench.engine.records import get_run
from workbench.engine.workspace import Workspace
from workbench.errors import RunError, UsageError
from workbench.storage import RunRecord
from workbench.storage.row_tags import LONGEST


def tag_rows(workspace: Workspace, run: str, row_ids: Sequence[str], tag: str) -> str:
    """Puts a tag on rows of a run and gives it as it was stored, blanks tidied.

    Raises UsageError for a tag that is not 1 to 60 printable characters, RunError for a row that the run
    does not have.
    """
    written = checked_tag(tag)
    record = get_run(workspace, run)
    for row_id in row_ids:
        _check_row(workspace, record, row_id)
    for row_id in row_ids:
        workspace.store.row_tags.add(record.dataset, row_id, written)
    return written


def untag_row(workspace: Workspace, run: str, row_id: str, tag: str) -> None:
    """Takes a tag off a row. Raises RunError where the row is not there or does not carry it."""
    record = get_run(workspace, run)
    _check_row(workspace, record, row_id)
    there = workspace.store.row_tags.of_rows(record.dataset, [row_id]).get(row_id, ())
    if tag not in there:
        have = f"its tags: {', '.join(there)}" if there else "it has none"
        raise RunError(f"Row '{row_id}' has no tag '{tag}' ({have}).")
    workspace.store.row_tags.remove(record.dataset, row_id, tag)


def tags_of(workspace: Workspace, run: str, row_id: str) -> tuple[str, ...]:
    """The tags of one row, in the order they were put on."""
    return workspace.store.row_tags.of_rows(get_run(workspace, run).dataset, [row_id]).get(row_id, ())


def known_tags(workspace: Workspace, run: str) -> list[str]:
    """Every tag in use on rows of this run's dataset, sorted."""
    return workspace.store.row_tags.known(get_run(workspace, run).dataset)


def checked_tag(tag: str) -> str:
    """The tag with single blanks. Raises UsageError where it is empty, too long or not printable."""
    written = " ".join(tag.split())
    if not 0 < len(written) <= LONGEST or not written.isprintable():
        raise UsageError(f"A tag has 1 to {LONGEST} printable characters.")
    return written


def _check_row(workspace: Workspace, record: RunRecord, row_id: str) -> None:
    if workspace.store.row_facts.position(record.row_set, row_id) is None:
        raise RunError(f"Run '{record.id}' has no row '{row_id}'.")
