"""`workbench runs tag`: tags on rows, as the Compare page shows and filters by them."""

from __future__ import annotations

from typing import Annotated

import typer

from workbench.commands.printing import AsJson, print_json
from workbench.commands.session import say, workspace


def tag(
    context: typer.Context,
    run: Annotated[
        str, typer.Argument(metavar="RUN", help="Id, its beginning or end, an experiment's name, or latest.")
    ],
    row: Annotated[str, typer.Argument(metavar="ROW", help="The row's id.")],
    text: Annotated[str, typer.Argument(metavar="TAG", help="1 to 60 characters, such as ambiguous.")],
    remove: Annotated[bool, typer.Option("--remove", help="Take the tag off.")] = False,
    as_json: AsJson = False,
) -> None:
    """Put a tag on a row, or take it off; every run over the same dataset shows it.

    \b
    Examples:
      workbench runs tag latest word-problems-test-0003 "wrong reference"
      workbench runs tag latest word-problems-test-0003 ambiguous --remove
    """
    from workbench.engine import find_run, tag_rows, tags_of, untag_row

    opened = workspace(context)
    run_id = find_run(opened, run)
    if remove:
        untag_row(opened, run_id, row, text)
    else:
        text = tag_rows(opened, run_id, [row], text)
    left = tags_of(opened, run_id, row)
    if as_json:
        print_json({"run": run_id, "row": row, "tags": list(left)})
    elif left:
        say(f"Row {row} has the tags: {', '.join(left)}")
    else:
        say(f"Row {row} has no tag.")
