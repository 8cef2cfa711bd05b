"""`workbench report` and `workbench compare`: what a run found."""

from __future__ import annotations

import math
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from workbench.commands.printing import AsJson, OutputFile, print_json, print_table, write
from workbench.commands.session import say, workspace

if TYPE_CHECKING:
    from workbench.core.run import CellComparison, Comparison

RunName = Annotated[
    str, typer.Argument(metavar="RUN", help="Id, its beginning, an experiment's name, or latest.")
]


class ReportFormat(StrEnum):
    """How the result table can be written."""

    table = "table"
    md = "md"
    html = "html"
    csv = "csv"
    json = "json"
    junit = "junit"


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    app.command("report")(report)
    app.command("compare")(compare)


def report(
    context: typer.Context,
    run: RunName = "latest",
    kind: Annotated[
        ReportFormat, typer.Option("--format", "-f", help="How to write it.")
    ] = ReportFormat.table,
    output: OutputFile = None,
    as_json: AsJson = False,
) -> None:
    """Print a run's result table.

    \b
    Examples:
      workbench report
      workbench report quickstart --format md
      workbench report 3f2a --format junit -o results.xml
    """
    from workbench.engine import export_report, find_run, report_json
    from workbench.engine import report as read_report

    opened = workspace(context)
    run_id = find_run(opened, run)
    if as_json or kind is ReportFormat.json:
        if output is None:
            print_json(report_json(read_report(opened, run_id)))
            return
        kind = ReportFormat.json
    write(export_report(opened, run_id, kind.value), output)


def compare(
    context: typer.Context,
    run: RunName = "latest",
    metric: Annotated[str | None, typer.Option(help="Default: the experiment's first.")] = None,
    across: Annotated[
        str | None,
        typer.Option(metavar="RUN", help="Compare each cell with itself in this other run."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Compare every cell of a run with the baseline, row by row, with a verdict.

    \b
    Examples:
      workbench compare
      workbench compare quickstart --metric exact_match
      workbench compare latest --across 3f2a --json
    """
    from workbench.engine import compare as compare_cells
    from workbench.engine import compare_json, find_run

    opened = workspace(context)
    run_id = find_run(opened, run)
    other = find_run(opened, across) if across is not None else None
    found = compare_cells(opened, run_id, metric=metric, across=other)
    if as_json:
        print_json(compare_json(found))
        return
    against = f"the same cells of run {other}" if other else f"the baseline, {found.baseline.label}"
    print(f"{found.metric} against {against}\n")
    print_table(
        ("cell", "difference", "interval", "p (Holm)", "rows", "verdict"),
        [
            (
                item.cell.label,
                _points(item.difference),
                f"[{_points(item.low)}, {_points(item.high)}]",
                _p_value(item.p_adjusted),
                item.n,
                _verdict(item),
            )
            for item in found.comparisons
        ],
    )
    _next_step(found, run_id)


def _next_step(found: Comparison, run_id: str) -> None:
    if any(item.verdict == "better" for item in found.comparisons):
        say(f"\nNext: workbench export winner {run_id} -o winner.yaml")


def _points(value: float) -> str:
    return "–" if math.isnan(value) else f"{value:+.3f}"


def _p_value(value: float) -> str:
    if math.isnan(value):
        return "–"
    return "<0.0001" if value < 0.0001 else f"{value:.4f}"


def _verdict(item: CellComparison) -> str:
    if item.verdict == "undecided" and item.rows_needed:
        return f"undecided: about {item.rows_needed:,} rows needed"
    return item.verdict
