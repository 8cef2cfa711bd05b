"""`workbench compare --by COLUMN`: the cells in groups of rows, with a verdict in each."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Annotated

import typer

from workbench.commands.printing import one_line, print_json, print_table
from workbench.commands.session import say
from workbench.core.figures import figure, signed

if TYPE_CHECKING:
    from workbench.engine import Slices, Workspace
    from workbench.engine.slicing import SliceCell

By = Annotated[
    str | None,
    typer.Option(
        "--by",
        metavar="COLUMN",
        help="In groups of rows: a column, length, length:COLUMN, length:prompt, tags or reference.",
    ),
]


def print_slices(workspace: Workspace, run: str, by: str, metric: str | None, as_json: bool) -> None:
    """Every cell in every slice, as a table or as JSON."""
    from workbench.engine import slices, slices_json

    found = slices(workspace, run, by, metric)
    if as_json:
        print_json(slices_json(found))
        return
    print(f"{found.metric} by {found.by}, against the baseline, {found.baseline.label}\n")
    print_table(("rows with", "rows", "cell", "score", "interval", "difference", "verdict"), _lines(found))
    for note in found.notes:
        say(note)


def _lines(found: Slices) -> list[tuple[object, ...]]:
    lines: list[tuple[object, ...]] = []
    for one in found.slices:
        for place, cell in enumerate(one.cells):
            head = (one_line(one.name, 40), one.rows) if place == 0 else ("", None)
            lines.append((*head, cell.cell.label, *_numbers(cell)))
    return lines


def _numbers(one: SliceCell) -> tuple[object, ...]:
    score, line = one.estimate, one.comparison
    if math.isnan(score.mean):
        return "–", "not scored", "–", "" if line is None else line.verdict
    interval = f"[{figure(score.low)}, {figure(score.high)}]"
    if line is None:
        return figure(score.mean), interval, "–", "baseline"
    against = signed(line.difference)
    return (
        figure(score.mean),
        interval,
        against,
        line.verdict + (", against the whole" if one.contradicts else ""),
    )
