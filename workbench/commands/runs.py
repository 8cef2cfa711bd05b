"""`workbench runs`: the executions of experiments, and what may be done with them."""

from __future__ import annotations

from typing import Annotated

import typer

from workbench.commands import run_metrics
from workbench.commands.history import history
from workbench.commands.printing import AsJson, ago, print_fields, print_json, print_table, seconds
from workbench.commands.progress import pace
from workbench.commands.reports import RunName
from workbench.commands.session import say, workspace
from workbench.commands.tags import tag

ThatRun = Annotated[
    str, typer.Argument(metavar="RUN", help="Id, its beginning or end, an experiment's name, or latest.")
]


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    group = typer.Typer(
        help="List and manage runs.\n\n\b\nExamples:\n  workbench runs\n  workbench runs show latest",
        invoke_without_command=True,
    )
    group.callback()(default)
    group.command("list")(list_runs)
    group.command("show")(show)
    group.command("history")(history)
    group.command("cancel")(cancel)
    group.command("resume")(resume)
    group.command("delete")(delete)
    group.command("undelete")(undelete)
    group.command("tag")(tag)
    run_metrics.register(group)
    app.add_typer(group, name="runs")


def default(context: typer.Context, as_json: AsJson = False) -> None:
    """Without a subcommand: the list."""
    if context.invoked_subcommand is None:
        list_runs(context, as_json=as_json)


def list_runs(
    context: typer.Context,
    experiment: Annotated[str | None, typer.Option(help="Only runs of this experiment.")] = None,
    limit: Annotated[int, typer.Option(help="At most this many, the newest first.", min=1)] = 20,
    as_json: AsJson = False,
) -> None:
    """List runs, the newest first.

    \b
    Example:
      workbench runs list --experiment quickstart
    """
    from workbench.engine import runs

    found = runs(workspace(context), limit=limit, experiment=experiment)
    if as_json:
        print_json({"runs": found})
        return
    if not found:
        say("No runs yet. Start one with: workbench run quickstart")
        return
    print_table(
        ("run", "experiment", "status", "started", "took", "done", "errors"),
        [
            (
                run.id,
                run.experiment,
                run.status,
                ago(run.created_at),
                seconds(run.seconds),
                f"{run.done}/{run.total}",
                run.errors,
            )
            for run in found
        ],
    )


def show(context: typer.Context, run: RunName = "latest", as_json: AsJson = False) -> None:
    """Show how far a run is.

    \b
    Example:
      workbench runs show latest --json
    """
    from workbench.engine import find_run, progress

    opened = workspace(context)
    state = progress(opened, find_run(opened, run))
    if as_json:
        print_json(state)
        return
    print_fields(
        [
            ("run", state.run),
            ("status", state.status),
            ("done", f"{state.done} of {state.total}"),
            ("pace", pace(state)),
            ("calls", f"{state.calls} ({state.cached} from cache)"),
            ("errors", str(state.errors)),
            ("took", seconds(state.seconds)),
            ("note", state.message),
        ]
    )
    if state.status in ("interrupted", "cancelled", "failed"):
        say(f"Go on with: workbench run --resume {state.run}")


def cancel(context: typer.Context, run: ThatRun, as_json: AsJson = False) -> None:
    """Stop a run; what is done stays, and it can be resumed.

    \b
    Example:
      workbench runs cancel latest
    """
    from workbench.engine import cancel_run, find_run

    opened = workspace(context)
    run_id = find_run(opened, run)
    cancel_run(opened, run_id)
    _done(run_id, "cancelled", as_json, f"Cancelled {run_id}. Go on with: workbench run --resume {run_id}")


def resume(context: typer.Context, run: ThatRun, as_json: AsJson = False) -> None:
    """Queue a stopped run again for the worker; `workbench run --resume` does it in this terminal.

    \b
    Example:
      workbench runs resume latest
    """
    from workbench.engine import ensure_worker, find_run, resume_run

    opened = workspace(context)
    run_id = find_run(opened, run)
    resume_run(opened, run_id)
    ensure_worker(opened)
    _done(run_id, "queued", as_json, f"Queued {run_id}. See how far it is with: workbench runs show {run_id}")


def delete(context: typer.Context, run: ThatRun, as_json: AsJson = False) -> None:
    """Delete a run from every list; `undelete` brings it back.

    \b
    Example:
      workbench runs delete 20261121-1015
    """
    from workbench.engine import delete_run, find_run

    opened = workspace(context)
    run_id = find_run(opened, run)
    delete_run(opened, run_id)
    _done(
        run_id, "deleted", as_json, f"Deleted {run_id}. Bring it back with: workbench runs undelete {run_id}"
    )


def undelete(
    context: typer.Context,
    run: Annotated[str, typer.Argument(metavar="RUN", help="The whole id.")],
    as_json: AsJson = False,
) -> None:
    """Bring a deleted run back.

    \b
    Example:
      workbench runs undelete 20261121-101500-3f2a6c
    """
    from workbench.engine import undelete_run

    undelete_run(workspace(context), run)
    _done(run, "restored", as_json, f"Brought back {run}.")


def _done(run_id: str, what: str, as_json: bool, sentence: str) -> None:
    if as_json:
        print_json({"run": run_id, "done": what})
    else:
        say(sentence)
