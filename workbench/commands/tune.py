"""`workbench tune`: a recipe from start to verdict, in this terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from workbench.commands.printing import AsJson, counted, print_fields, print_json, print_table, seconds
from workbench.commands.progress import shown_progress
from workbench.commands.session import redacted, say, stoppable, workspace
from workbench.errors import TuningCancelled, UsageError, WorkbenchError

if TYPE_CHECKING:
    from workbench.core.run import Progress
    from workbench.core.tuning import TuningProgress
    from workbench.engine import Workspace

SOME_CALLS_FAILED = 3


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("tune")(tune)


def tune(
    context: typer.Context,
    recipe: Annotated[
        str | None, typer.Argument(help="Name of a recipe, or its YAML file.", show_default=False)
    ] = None,
    resume: Annotated[
        str | None, typer.Option(metavar="TUNING", help="Go on with this stopped tuning instead.")
    ] = None,
    as_it_is: Annotated[
        bool, typer.Option("--as-it-is", help="With --resume: train no further, measure what there is.")
    ] = False,
    limit: Annotated[
        int | None, typer.Option(help="At most this many rows of each experiment that is run, to try it out.")
    ] = None,
    name: Annotated[
        str | None,
        typer.Option(metavar="MODEL", help="What the tuned model is called; default: BASE-RECIPE."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Collect, train, and measure the tuned model against its base.

    \b
    Examples:
      workbench tune quickstart
      workbench tune experiments/recipes/quickstart.yaml --json
      workbench tune quickstart --limit 20 --name trial
      workbench tune --resume latest
    """
    opened = workspace(context)
    tuning = _prepared(opened, recipe, resume, as_it_is, limit, name)
    _worked(opened, tuning)
    from workbench.tuning import tuning_json

    document = tuning_json(opened, tuning)
    if as_json:
        print_json(document)
    else:
        print_verdict(document)
        say(
            f"\nTook {seconds(document['seconds'])}. Ask it as model '{document['model']}'; more on it:"
            f"\n  workbench tunings card {tuning}\n  workbench models lineage {document['model']}"
        )
    raise typer.Exit(_exit_code(opened, document))


def print_verdict(document: dict[str, Any]) -> None:
    """Base, tuned, their difference, and what was forgotten, as tables for a person."""
    comparison = document.get("comparison")
    print_fields(
        [("tuning", document["tuning"]), ("model", document["model"]), ("status", document["status"])]
    )
    if not comparison:
        return
    print()
    first = {"experiment": document.get("experiment"), "metric": document.get("metric")}
    first["prompt"] = (document.get("headline") or {}).get("prompt")
    lines = [_line({**first, "base": document["base"], "tuned": document["tuned"], **comparison})]
    lines += [_line(one) for one in document["forgetting"]]
    print_table(("measured on", "prompt", "metric", "base", "tuned", "difference", "verdict"), lines)


def _line(found: dict[str, Any]) -> tuple[str, ...]:
    return (
        *(str(found.get(name) or "") for name in ("experiment", "prompt", "metric")),
        _level(found["base"]),
        _level(found["tuned"]),
        f"{_signed(found['difference'])} [{_signed(found['low'])}, {_signed(found['high'])}]",
        str(found.get("verdict") or "–"),
    )


def _level(found: dict[str, Any]) -> str:
    if found.get("mean") is None:
        return "–"
    return f"{found['mean']:.3f} [{found['low']:.3f}, {found['high']:.3f}]"


def _signed(value: float | None) -> str:
    return "–" if value is None else f"{value:+.3f}"


def _prepared(
    opened: Workspace,
    recipe: str | None,
    resume: str | None,
    as_it_is: bool,
    limit: int | None,
    name: str | None,
) -> str:
    from workbench.tuning import create_tuning, find_tuning, load_recipe, resume_tuning

    if (recipe is None) == (resume is None):
        raise UsageError("Name either a recipe, or a tuning with --resume; see workbench tune --help.")
    if resume is None:
        if as_it_is:
            raise UsageError("--as-it-is goes with --resume: there is nothing to measure yet.")
        return str(
            create_tuning(opened, load_recipe(opened, str(recipe)), owner="command", name=name, limit=limit)
        )
    if limit is not None or name is not None:
        raise UsageError("A resumed tuning keeps its rows and its name: leave out --limit and --name.")
    tuning: str = find_tuning(opened, resume)
    resume_tuning(opened, tuning, owner="command", as_it_is=as_it_is)
    return tuning


def _worked(opened: Workspace, tuning: str) -> None:
    """Works the tuning; where it stops, the command ends and says how to go on."""
    from workbench.tuning import execute_tuning, get_tuning
    from workbench.tuning.creating import BEFORE_TRAINING

    go_on = f"What is done is kept; go on with:\n  workbench tune --resume {tuning}"
    try:
        with stoppable(f"Stopped. {go_on}"), shown_progress() as show:
            execute_tuning(opened, tuning, on_progress=lambda state: show(as_progress(state)))
    except WorkbenchError as stop:
        now = get_tuning(opened, tuning)
        if now.status == "failed" and now.stage in BEFORE_TRAINING:
            go_on = f"Mend that, also in the recipe, and go on with:\n  workbench tune --resume {tuning}"
        said = str(stop) if isinstance(stop, TuningCancelled) else f"Error: {stop}"
        if isinstance(stop, TuningCancelled) and now.model is not None and now.stage == "training":
            go_on += f"\nor measure it as it is with:\n  workbench tune --resume {tuning} --as-it-is"
        say(f"{redacted(said)} {go_on}")
        raise typer.Exit(stop.exit_code) from None


def as_progress(state: TuningProgress) -> Progress:
    """A tuning's progress in the shape that bars are drawn from."""
    from workbench.core.run import Progress

    return Progress(
        run=state.tuning,
        status=state.status,
        done=state.step,
        total=state.steps,
        errors=0,
        calls=0,
        cached=0,
        seconds=state.seconds,
        per_second=0.0,
        seconds_left=state.seconds_left,
        cost_usd=0.0,
        message=state.message or state.stage.capitalize(),
    )


def _exit_code(opened: Workspace, document: dict[str, Any]) -> int:
    runs = [opened.store.runs.get(run) for run in document.get("runs", {}).values()]
    errors = sum(run.errors for run in runs if run is not None)
    if errors:
        say(f"{counted(errors, 'output')} of the runs that measured it ended in errors.")
        return SOME_CALLS_FAILED
    return 0
