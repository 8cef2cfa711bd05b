"""`workbench compare`: every cell against the baseline, or against itself in another run."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from workbench.commands.failures import FailingCell, FailingText, Failures, Read, print_failures
from workbench.commands.pairs import EveryPair, print_pairs
from workbench.commands.printing import AsJson, OutputFile, print_json, print_table, write
from workbench.commands.reports import RunName
from workbench.commands.session import say, workspace
from workbench.commands.slices import By, print_slices
from workbench.core.figures import p_value, signed
from workbench.errors import UsageError

if TYPE_CHECKING:
    from workbench.core.run import CellComparison, Comparison

BAR_MISSED = 4
FAILING = {
    "better": ("better",),
    "worse": ("worse",),
    "tied": ("tied",),
    "undecided": ("undecided",),
    "stopped": ("stopped",),
    "not-better": ("worse", "tied", "undecided", "stopped"),
}


class CompareFormat(StrEnum):
    """How a comparison can be written."""

    table = "table"
    md = "md"
    csv = "csv"
    json = "json"
    junit = "junit"


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("compare")(compare)


def compare(
    context: typer.Context,
    run: RunName = "latest",
    metric: Annotated[str | None, typer.Option(help="Default: the experiment's first.")] = None,
    across: Annotated[
        str | None,
        typer.Option(
            metavar="RUN", help="Compare each cell with itself in this other run; `previous`: the one before."
        ),
    ] = None,
    fail_on: Annotated[
        list[str] | None,
        typer.Option(
            metavar="VERDICT",
            help="Exit with 4 on this verdict: worse, undecided, tied, stopped, not-better; may be repeated.",
        ),
    ] = None,
    pairs: EveryPair = False,
    by: By = None,
    failures: Failures = False,
    cell: FailingCell = None,
    text: FailingText = Read.question,
    kind: Annotated[
        CompareFormat, typer.Option("--format", "-f", help="How to write it.")
    ] = CompareFormat.table,
    output: OutputFile = None,
    as_json: AsJson = False,
) -> None:
    """Compare every cell of a run with the baseline, row by row, with a verdict.

    \b
    Examples:
      workbench compare
      workbench compare quickstart --metric exact_match
      workbench compare latest --across previous --fail-on worse
      workbench compare latest --format md -o comment.md
      workbench compare latest --pairs
      workbench compare latest --by length
      workbench compare latest --failures --cell 2
    """
    from workbench.engine import compare as compare_cells
    from workbench.engine import compare_json, export_comparison, find_run, previous_run

    failing = failing_verdicts(fail_on or [])
    opened = workspace(context)
    run_id = find_run(opened, run)
    if by is not None or failures or pairs:
        if (
            (by is not None) + failures + pairs > 1
            or across
            or failing
            or output
            or kind is not CompareFormat.table
        ):
            raise UsageError(
                "--pairs, --by and --failures stand alone: with RUN, --metric and --json, one at a time."
            )
        if pairs:
            print_pairs(opened, run_id, metric, as_json)
        elif by is not None:
            print_slices(opened, run_id, by, metric, as_json)
        else:
            print_failures(opened, run_id, cell, metric, text, as_json)
        return
    other = None
    if across is not None:
        other = previous_run(opened, run_id) if across == "previous" else find_run(opened, across)
    found = compare_cells(opened, run_id, metric=metric, across=other)
    if kind is CompareFormat.table and not as_json:
        _print(found, other)
        _next_step(found, run_id)
    elif kind in (CompareFormat.table, CompareFormat.json) and output is None:
        print_json(compare_json(found))
    else:
        wanted = CompareFormat.json if kind is CompareFormat.table else kind
        write(export_comparison(opened, found, wanted.value, failing or ("worse",)), output)
    missed = [item for item in found.comparisons if item.verdict in failing]
    for item in missed:
        say(f"Missed: {item.cell.label} is {_verdict(item)} by {found.metric} ({signed(item.difference)})")
    if missed:
        raise typer.Exit(BAR_MISSED)


def failing_verdicts(asked: list[str]) -> set[str]:
    """The verdicts that `--fail-on` names, separated by commas or repeated. Raises UsageError."""
    words = [word.strip() for text in asked for word in text.split(",") if word.strip()]
    for word in words:
        if word not in FAILING:
            raise UsageError(f"--fail-on {word}: there is no such verdict; use one of {', '.join(FAILING)}.")
    return {verdict for word in words for verdict in FAILING[word]}


def _print(found: Comparison, other: str | None) -> None:
    against = f"the same cells of run {other}" if other else f"the baseline, {found.baseline.label}"
    print(f"{found.metric} against {against}\n")
    print_table(
        ("cell", "difference", "interval", "p (Holm)", "rows", "verdict"),
        [
            (
                item.cell.label,
                signed(item.difference),
                f"[{signed(item.low)}, {signed(item.high)}]",
                p_value(item.p_adjusted),
                item.n,
                _verdict(item),
            )
            for item in found.comparisons
        ],
    )


def _next_step(found: Comparison, run_id: str) -> None:
    if any(item.verdict == "better" for item in found.comparisons):
        say(f"\nNext: workbench export winner {run_id} -o winner.yaml")


def _verdict(item: CellComparison) -> str:
    if item.verdict == "undecided" and item.rows_needed:
        return f"undecided: about {item.rows_needed:,} rows needed"
    if item.verdict == "stopped":
        return f"stopped after {item.stopped:,} rows"
    return item.verdict
