"""What a person does with items: `workbench collections accept`, `reject`, `edit` and `undo`."""

from __future__ import annotations

from typing import Annotated

import typer

from workbench.commands.cleaning import AUTHOR, ThatCollection
from workbench.commands.printing import AsJson, counted, print_json, printable
from workbench.commands.session import say, workspace
from workbench.errors import CollectionError, UsageError

Numbers = Annotated[list[int], typer.Argument(metavar="NUMBER...", help="Items, by their number.", min=0)]


def accept(
    context: typer.Context, collection: ThatCollection, numbers: Numbers, as_json: AsJson = False
) -> None:
    """Keep items, whatever dropped them.

    \b
    Example:
      workbench collections accept best-sums 3 17
    """
    from workbench.tuning.collecting.curating import accept as accept_items
    from workbench.tuning.collecting.stored import find_collection

    opened = workspace(context)
    record = find_collection(opened, collection)
    count = accept_items(opened, record.id, numbers, author=AUTHOR)
    _changed(record.id, count, as_json, f"Accepted {counted(count, 'item')} of {record.name}.")


def reject(
    context: typer.Context,
    collection: ThatCollection,
    numbers: Numbers,
    detail: Annotated[str, typer.Option(metavar="TEXT", help="Why, to be kept with them.")] = "",
    as_json: AsJson = False,
) -> None:
    """Drop items; they stay to be looked at and accepted again.

    \b
    Example:
      workbench collections reject best-sums 3 17 --detail "says the wrong unit"
    """
    from workbench.tuning.collecting.curating import reject as reject_items
    from workbench.tuning.collecting.stored import find_collection

    opened = workspace(context)
    record = find_collection(opened, collection)
    count = reject_items(opened, record.id, numbers, author=AUTHOR, detail=detail)
    _changed(record.id, count, as_json, f"Rejected {counted(count, 'item')} of {record.name}.")


def edit(
    context: typer.Context,
    collection: ThatCollection,
    number: Annotated[int, typer.Argument(metavar="NUMBER", help="The item's number.", min=0)],
    text: Annotated[str | None, typer.Option(help="What the model is to answer.")] = None,
    rejected: Annotated[str | None, typer.Option(help="Of a preference, the worse text.")] = None,
    as_json: AsJson = False,
) -> None:
    """Give an item another text to learn; what it was before is kept.

    \b
    Example:
      workbench collections edit best-sums 3 --text "18 + 5 = 23. Answer: 23"
    """
    from workbench.tuning.collecting.curating import edit as edit_item
    from workbench.tuning.collecting.stored import find_collection

    if text is None and rejected is None:
        raise UsageError("Say what the item becomes: --text, or of a preference --rejected.")
    opened = workspace(context)
    record = find_collection(opened, collection)
    found = opened.store.collections.items(record.id, numbers=[number])
    if not found:
        raise CollectionError(f"Collection '{record.name}' has no item {number}.")
    completion = found[0].item.completion if text is None else text
    edit_item(opened, record.id, number, completion, author=AUTHOR, rejected=rejected)
    _changed(record.id, 1, as_json, f"Edited item {number} of {record.name}.")


def undo(context: typer.Context, collection: ThatCollection, as_json: AsJson = False) -> None:
    """Take the last change back: cleaning, balancing, accepting, rejecting or editing.

    \b
    Example:
      workbench collections undo best-sums
    """
    from workbench.tuning.collecting.curating import undo as undo_change
    from workbench.tuning.collecting.stored import find_collection

    opened = workspace(context)
    record = find_collection(opened, collection)
    words = undo_change(opened, record.id)
    if as_json:
        print_json({"collection": record.id, "undone": words})
    elif words is None:
        say(f"Nothing in {record.name} was changed.")
    else:
        say(printable(f"Taken back: {words}"))


def _changed(collection: str, count: int, as_json: bool, sentence: str) -> None:
    if as_json:
        print_json({"collection": collection, "changed": count})
    else:
        say(sentence)
