"""`workbench report`: the result table of a run."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from workbench.commands.labels import print_labels
from workbench.commands.printing import AsJson, OutputFile, print_json, write
from workbench.commands.session import workspace
from workbench.errors import UsageError

RunName = Annotated[
    str, typer.Argument(metavar="RUN", help="Id, its beginning or end, an experiment's name, or latest.")
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
    """Adds the command."""
    app.command("report")(report)


def report(
    context: typer.Context,
    run: RunName = "latest",
    kind: Annotated[
        ReportFormat, typer.Option("--format", "-f", help="How to write it.")
    ] = ReportFormat.table,
    output: OutputFile = None,
    labels: Annotated[
        bool, typer.Option("--labels", help="Each cell's labels and mistakes, where it is a classification.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Print a run's result table.

    \b
    Examples:
      workbench report
      workbench report quickstart --format md
      workbench report 20261121-1015 --format junit -o results.xml
      workbench report latest --labels
    """
    from workbench.engine import export_report, find_run, report_json
    from workbench.engine import report as read_report

    opened = workspace(context)
    run_id = find_run(opened, run)
    if labels:
        if output is not None or kind not in (ReportFormat.table, ReportFormat.json):
            raise UsageError(
                "--labels prints tables, or JSON with --json; it takes no other --format or file."
            )
        print_labels(opened, run_id, as_json or kind is ReportFormat.json)
        return
    if as_json or kind is ReportFormat.json:
        if output is None:
            print_json(report_json(read_report(opened, run_id)))
            return
        kind = ReportFormat.json
    write(export_report(opened, run_id, kind.value), output)
