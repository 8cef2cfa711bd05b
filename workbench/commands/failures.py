"""`workbench compare --failures`: failing rows in groups of like texts, and which cell fails which."""

from __future__ import annotations

import math
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from workbench.commands.printing import counted, one_line, print_json, print_table
from workbench.commands.session import say

if TYPE_CHECKING:
    from workbench.engine import Workspace


class Read(StrEnum):
    """Which text failing rows are grouped by."""

    question = "question"
    output = "output"
    reason = "reason"


Failures = Annotated[bool, typer.Option("--failures", help="Group the failing rows by likeness of text.")]
FailingCell = Annotated[
    int | None,
    typer.Option(
        "--cell", metavar="N", min=0, help="With --failures: the rows that this cell fails, from 0."
    ),
]
FailingText = Annotated[
    Read, typer.Option("--text", help="With --failures: question, or one cell's output or reason.")
]


def print_failures(
    workspace: Workspace, run: str, cell: int | None, metric: str | None, text: Read, as_json: bool
) -> None:
    """The groups with each cell's share of failures, as a table or as JSON."""
    from workbench.engine import failures, failures_json

    found = failures(workspace, run, cell, metric, text.value)
    if as_json:
        print_json(failures_json(found))
        return
    whose = "any cell" if found.cell is None else found.cell.label
    print(f"{counted(found.failing, 'row')} of {found.rows:,} failed by {whose} ({found.metric})\n")
    for one in found.overall:
        print(f"  [{one.cell.index}] {one.cell.label}")
    print()
    numbers = [f"[{one.cell.index}]" for one in found.overall]
    lines = [
        (one_line(group.name, 48), group.rows, group.failing, *(_percent(one.share) for one in group.cells))
        for group in found.groups
    ]
    every = ("all rows", found.rows, found.failing, *(_percent(one.share) for one in found.overall))
    print_table(("group", "rows", "failed", *numbers), [*lines, every])
    for group in found.groups:
        print(f"\n{one_line(group.name)}")
        for example in group.examples:
            print(f"  {one_line(example.row_id, 40)}: {one_line(example.text, 90)}")
    if found.sampled is not None:
        say(f"Counts are estimated from {found.sampled:,} rows drawn at random.")
    for note in found.notes:
        say(note)


def _percent(share: float) -> str:
    return "–" if math.isnan(share) else f"{100 * share:.0f} %"
