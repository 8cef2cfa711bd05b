"""`workbench tunings`: the executions of recipes, and what may be done with them."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from workbench.commands.printing import (
    AsJson,
    OutputFile,
    ago,
    print_fields,
    print_json,
    print_table,
    seconds,
)
from workbench.commands.session import say, workspace
from workbench.commands.tune import print_verdict

ThatTuning = Annotated[
    str,
    typer.Argument(
        metavar="TUNING", help="Id, its beginning or end, a recipe's or a tuned model's name, or latest."
    ),
]


class CardFormat(StrEnum):
    """How a model card can be written."""

    md = "md"
    html = "html"


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    group = typer.Typer(
        help="List and manage tunings.\n\n\b\n"
        "Examples:\n  workbench tunings\n  workbench tunings show latest",
        invoke_without_command=True,
    )
    group.callback()(default)
    group.command("list")(list_tunings)
    group.command("show")(show)
    group.command("cancel")(cancel)
    group.command("resume")(resume)
    group.command("continue")(continue_)
    group.command("delete")(delete)
    group.command("undelete")(undelete)
    group.command("card")(card)
    app.add_typer(group, name="tunings")


def default(context: typer.Context, as_json: AsJson = False) -> None:
    """Without a subcommand: the list."""
    if context.invoked_subcommand is None:
        list_tunings(context, as_json=as_json)


def list_tunings(
    context: typer.Context,
    recipe: Annotated[str | None, typer.Option(help="Only tunings of this recipe.")] = None,
    limit: Annotated[int, typer.Option(help="At most this many, the newest first.", min=1)] = 20,
    as_json: AsJson = False,
) -> None:
    """List tunings, the newest first, and the recipes that cannot be read.

    \b
    Example:
      workbench tunings list --recipe quickstart
    """
    from workbench.tuning import broken_recipes, tunings

    opened = workspace(context)
    found, broken = tunings(opened, limit=limit, recipe=recipe), broken_recipes(opened)
    if as_json:
        print_json({"tunings": found, "broken": [str(problem) for problem in broken]})
        return
    if found:
        print_table(
            ("tuning", "recipe", "model", "status", "started", "took", "verdict"),
            [
                (
                    one.id,
                    one.recipe,
                    one.model,
                    f"{one.status} ({one.stage})" if one.status in ("running", "interrupted") else one.status,
                    ago(one.created_at),
                    seconds(one.seconds),
                    "" if one.verdict is None else f"{one.verdict} ({one.difference or 0:+.3f})",
                )
                for one in found
            ],
        )
    else:
        say("No tunings yet. Start one with: workbench tune RECIPE.yaml")
    for problem in broken:
        say(f"Left out: {problem}")


def show(context: typer.Context, tuning: ThatTuning = "latest", as_json: AsJson = False) -> None:
    """Show how far a tuning is, and what came of it.

    \b
    Example:
      workbench tunings show latest --json
    """
    from workbench.tuning import find_tuning, tuning_json, tuning_progress

    opened = workspace(context)
    tuning_id = find_tuning(opened, tuning)
    state, document = tuning_progress(opened, tuning_id), tuning_json(opened, tuning_id)
    if as_json:
        print_json(document | {"step": state.step, "steps": state.steps, "seconds_left": state.seconds_left})
        return
    print_verdict(document)
    print_fields(
        [
            ("recipe", document["recipe"]),
            ("stage", state.stage),
            ("step", f"{state.step} of {state.steps}" if state.steps else ""),
            ("took", seconds(state.seconds)),
            ("left", seconds(state.seconds_left) if state.seconds_left is not None else ""),
            ("note", state.message),
        ]
    )
    if state.status in ("interrupted", "cancelled", "failed"):
        say(f"Go on with: workbench tune --resume {tuning_id}")


def cancel(context: typer.Context, tuning: ThatTuning, as_json: AsJson = False) -> None:
    """Stop a tuning; the weights so far are kept, and it can be resumed.

    \b
    Example:
      workbench tunings cancel latest
    """
    from workbench.tuning import cancel_tuning, find_tuning

    opened = workspace(context)
    tuning_id = find_tuning(opened, tuning)
    cancel_tuning(opened, tuning_id)
    go_on = f"workbench tune --resume {tuning_id}"
    _done(tuning_id, "cancelled", as_json, f"Cancelled {tuning_id}. Go on with: {go_on}")


def resume(
    context: typer.Context,
    tuning: ThatTuning,
    as_it_is: Annotated[
        bool, typer.Option("--as-it-is", help="Train no further: measure the weights that were kept.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Queue a stopped tuning again for the worker; `workbench tune --resume` does it in this terminal.

    \b
    Examples:
      workbench tunings resume latest
      workbench tunings resume latest --as-it-is
    """
    from workbench.engine import ensure_worker
    from workbench.tuning import find_tuning, resume_tuning

    opened = workspace(context)
    tuning_id = find_tuning(opened, tuning)
    resume_tuning(opened, tuning_id, as_it_is=as_it_is)
    ensure_worker(opened)
    _queued(tuning_id, as_json)


def continue_(
    context: typer.Context,
    tuning: ThatTuning,
    name: Annotated[str | None, typer.Option(metavar="MODEL", help="What the new model is called.")] = None,
    as_json: AsJson = False,
) -> None:
    """Tune the tuned model further, on what was rated or run since; queued for the worker.

    \b
    Example:
      workbench tunings continue latest
    """
    from workbench.engine import ensure_worker
    from workbench.tuning import continue_tuning, find_tuning

    opened = workspace(context)
    again = continue_tuning(opened, find_tuning(opened, tuning), name=name)
    ensure_worker(opened)
    _queued(again, as_json)


def delete(context: typer.Context, tuning: ThatTuning, as_json: AsJson = False) -> None:
    """Delete a tuning from every list; its model stays, and `undelete` brings the tuning back.

    \b
    Example:
      workbench tunings delete 20261121-1015
    """
    from workbench.tuning import delete_tuning, find_tuning

    opened = workspace(context)
    tuning_id = find_tuning(opened, tuning)
    delete_tuning(opened, tuning_id)
    back = f"workbench tunings undelete {tuning_id}"
    _done(tuning_id, "deleted", as_json, f"Deleted {tuning_id}. Bring it back with: {back}")


def undelete(
    context: typer.Context,
    tuning: Annotated[str, typer.Argument(metavar="TUNING", help="The whole id.")],
    as_json: AsJson = False,
) -> None:
    """Bring a deleted tuning back.

    \b
    Example:
      workbench tunings undelete 20261121-101500-3f2a6c
    """
    from workbench.tuning import undelete_tuning

    undelete_tuning(workspace(context), tuning)
    _done(tuning, "restored", as_json, f"Brought back {tuning}.")


def card(
    context: typer.Context,
    tuning: ThatTuning = "latest",
    kind: Annotated[CardFormat, typer.Option("--format", "-f", help="How to write it.")] = CardFormat.md,
    output: OutputFile = None,
) -> None:
    """Print the model card: data, recipe, environment, results and risks.

    \b
    Examples:
      workbench tunings card latest
      workbench tunings card latest --format html -o card.html
    """
    from workbench.commands.printing import write
    from workbench.tuning import find_tuning, model_card, model_card_html, model_card_markdown

    opened = workspace(context)
    found = model_card(opened, find_tuning(opened, tuning))
    written = model_card_html(found) if kind is CardFormat.html else model_card_markdown(found)
    write(written, output)


def _queued(tuning: str, as_json: bool) -> None:
    _done(
        tuning, "queued", as_json, f"Queued {tuning}. See how far it is with: workbench tunings show {tuning}"
    )


def _done(tuning: str, what: str, as_json: bool, sentence: str) -> None:
    if as_json:
        print_json({"tuning": tuning, "done": what})
    else:
        say(sentence)
