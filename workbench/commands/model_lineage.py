"""`workbench models lineage`: where a tuned model came from; and tuned models taken away and brought back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from workbench.commands.printing import AsJson, counted, print_fields, print_json, print_table
from workbench.commands.session import say, workspace

if TYPE_CHECKING:
    from workbench.engine import Workspace
    from workbench.tuning.lineages import Lineage

TunedModel = Annotated[str, typer.Argument(metavar="MODEL", help="Name of a model that was tuned here.")]
SHORT = 12


def lineage(
    context: typer.Context,
    model: TunedModel,
    items: Annotated[
        bool,
        typer.Option("--items", help="Also every example: its row, run, prompt version, scores, raters."),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Show every row, prompt version, run and rater that made a tuned model.

    \b
    Examples:
      workbench models lineage small-transit
      workbench models lineage small-transit --items --json
    """
    from workbench.tuning import lineage as line_of
    from workbench.tuning import lineage_items, lineage_json

    opened = workspace(context)
    found = line_of(opened, model)
    examples = lineage_items(opened, found.model) if items else None
    if as_json:
        print_json(lineage_json(found, examples))
        return
    _print_line(found)
    if examples is None:
        say(f"\nEvery example with its row: workbench models lineage {found.model} --items")
    else:
        print()
        print_table(
            ("row", "prompt", "version", "model", "run", "repeat", "scores", "raters", "from"),
            [
                (
                    f"{one.dataset}#{one.split} {one.row_id}" if one.row_id else one.file or "",
                    one.prompt,
                    (one.version or "")[:SHORT],
                    one.model,
                    one.run,
                    one.repeat,
                    ", ".join(f"{name} {value:g}" for name, value in one.scores.items()),
                    ", ".join(one.raters),
                    one.kind,
                )
                for one in (item.origin for item in examples)
            ],
        )


def undelete(context: typer.Context, model: TunedModel, as_json: AsJson = False) -> None:
    """Bring back a tuned model that was removed.

    \b
    Example:
      workbench models undelete small-transit
    """
    from workbench.tuning import undelete_tuned_model

    undelete_tuned_model(workspace(context), model)
    if as_json:
        print_json({"model": model, "done": "restored"})
    else:
        say(f"Brought back {model}.")


def remove_tuned(opened: Workspace, model: str) -> list[str] | None:
    """Deletes a model that was tuned here, and names the experiments that ask it; None of any other model."""
    from workbench.tuning import delete_tuned_model, tuned_names

    return delete_tuned_model(opened, model) if model in tuned_names(opened) else None


def _print_line(found: Lineage) -> None:
    shown: Lineage | None = found
    while shown is not None:
        taught = shown.taught
        print_fields(
            [
                ("model", f"{shown.model}  {shown.weights[:SHORT]}"),
                ("tuning", f"{shown.tuning}, {shown.made_at}"),
                ("recipe", f"{shown.recipe}  {shown.recipe_hash[:SHORT]}"),
                ("collection", f"{shown.collection_name}  {shown.collection_version[:SHORT]}"),
                ("taught", f"{taught['prompt']}  {taught['version'][:SHORT]}" if taught else ""),
                ("base", f"{shown.base}  {shown.base_identity[:SHORT]}"),
                (
                    "examples",
                    f"{shown.items:,} of {counted(shown.rows, 'row')}; {shown.learnt:,} trained on, "
                    f"{shown.held_back:,} held back",
                ),
                ("from", ", ".join(f"{kind} {count:,}" for kind, count in shown.kinds.items())),
                ("raters", ", ".join(f"{rater} {count:,}" for rater, count in shown.raters.items())),
                ("files", ", ".join(f"{file} {count:,}" for file, count in shown.files.items())),
            ]
        )
        print()
        print_table(
            ("run", "rows of", "prompt", "version", "model", "rows", "examples"),
            [
                (
                    one.run,
                    f"{one.dataset}#{one.split}" if one.dataset else "",
                    one.prompt,
                    (one.version or "")[:SHORT],
                    one.model,
                    one.rows,
                    one.items,
                )
                for one in shown.made_by
            ],
        )
        if shown.lost:
            say(shown.lost)
        if shown.parent is not None:
            print(f"\nTuned from {shown.base}:\n")
        shown = shown.parent
