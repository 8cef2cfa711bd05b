"""`workbench compare --pairs`: each two cells against each other, one family of comparisons."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from workbench.commands.printing import counted, print_json, print_table
from workbench.commands.session import say
from workbench.core.figures import p_value, signed

if TYPE_CHECKING:
    from workbench.engine import PairLine, Workspace

EveryPair = Annotated[
    bool, typer.Option("--pairs", help="Every two cells against each other, not only the baseline.")
]


def print_pairs(workspace: Workspace, run: str, metric: str | None, as_json: bool) -> None:
    """Every pair of a run's cells with its verdict, as a table or as JSON."""
    from workbench.engine import compare_pairs, pairs_json

    found = compare_pairs(workspace, run, metric)
    if as_json:
        print_json(pairs_json(found))
        return
    print(f"{found.metric}: the first cell against the second, {counted(len(found.lines), 'pair')}\n")
    print_table(
        ("cell", "against", "difference", "interval", "p (Holm)", "rows", "verdict"),
        [
            (
                line.second.label,
                line.first.label,
                signed(line.difference),
                f"[{signed(line.low)}, {signed(line.high)}]",
                p_value(line.p_adjusted),
                line.n,
                _verdict(line),
            )
            for line in found.lines
        ],
    )
    if found.stopped:
        say(f"Stopped by the race and in no pair: {', '.join(cell.label for cell in found.stopped)}.")


def _verdict(line: PairLine) -> str:
    if line.verdict == "undecided" and line.rows_needed:
        return f"undecided: about {line.rows_needed:,} rows needed"
    return str(line.verdict)
