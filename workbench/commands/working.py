"""Working a run in this terminal: progress while it goes, and how to go on with it where it stops."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from workbench.commands.progress import shown_progress
from workbench.commands.session import redacted, say, stoppable
from workbench.errors import RunCancelled, WorkbenchError

if TYPE_CHECKING:
    from workbench.core.run import Report
    from workbench.engine import Workspace


def worked(opened: Workspace, run: str) -> Report:
    """The report of a run worked to its end; where it stops, the command ends and says how to go on."""
    from workbench.engine import execute_run

    go_on = f"What is done is kept; go on with:\n  workbench run --resume {run}"
    try:
        with stoppable(f"Stopped. {go_on}"), shown_progress() as show:
            report: Report = execute_run(opened, run, on_progress=show)
    except WorkbenchError as stop:
        said = str(stop) if isinstance(stop, RunCancelled) else f"Error: {stop}"
        say(f"{redacted(said)} {go_on}")
        raise typer.Exit(stop.exit_code) from None
    return report
