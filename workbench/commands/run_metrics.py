"""`workbench runs score`: a finished run measured by more metrics, with no output asked again."""

from __future__ import annotations

from typing import Annotated

import typer

from workbench.commands.failed_calls import SOME_CALLS_FAILED, failed_calls
from workbench.commands.metric_specs import MetricNames, MetricSettings, metric_specs
from workbench.commands.printing import AsJson, print_json, write
from workbench.commands.reports import RunName
from workbench.commands.session import say, workspace
from workbench.commands.working import worked
from workbench.errors import UsageError


def register(group: typer.Typer) -> None:
    """Adds the command to `workbench runs`."""
    group.command("score")(score)


def score(
    context: typer.Context,
    run: RunName = "latest",
    metrics: MetricNames = None,
    metric: MetricSettings = None,
    remove: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Take this metric out; may be repeated.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Measure a finished run by more metrics; judges are asked, outputs are not.

    \b
    Examples:
      workbench runs score latest --metrics f1,rouge_l
      workbench runs score latest --metric '{name: bleu, lowercase: true}'
      workbench runs score latest --remove rouge_l
    """
    from workbench.engine import (
        add_metrics,
        export_report,
        find_run,
        remove_metric,
        report,
        report_json,
    )

    specs = metric_specs(metrics, metric)
    if not specs and not remove:
        raise UsageError("Name what to add with --metrics or --metric, or what to take out with --remove.")
    opened = workspace(context)
    run_id = find_run(opened, run)
    names, queued = add_metrics(opened, run_id, specs, owner="command") if specs else ([], False)
    if queued:
        worked(opened, run_id)
    for name in remove or ():
        remove_metric(opened, run_id, name)
    shown = report(opened, run_id)
    if as_json:
        print_json(report_json(shown))
    else:
        write(export_report(opened, run_id, "table"), None)
    if specs and not names:
        say("\nThe run has these metrics already.")
    if queued and failed_calls(opened, shown):
        raise typer.Exit(SOME_CALLS_FAILED)
