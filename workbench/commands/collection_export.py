"""`workbench export collection`: what a collection teaches, as examples for another tool."""

from __future__ import annotations

from typing import Annotated

import typer

from workbench.commands.printing import OutputFile, counted, write
from workbench.commands.session import say, workspace
from workbench.errors import CollectionError


def export_collection(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="COLLECTION", help="A collection's name or id.")],
    format_name: Annotated[
        str | None,
        typer.Option("--format", "-f", metavar="NAME", help="Default: openai, openai_preference or kto."),
    ] = None,
    without_extra: Annotated[
        bool, typer.Option("--without-extra", help="Leave out what imported lines held beside the examples.")
    ] = False,
    once: Annotated[
        bool, typer.Option("--once", help="Each item once, also where rare ones are repeated in training.")
    ] = False,
    output: OutputFile = None,
) -> None:
    """Write what a collection teaches as examples for another tool: JSON lines, or one list (-o NAME.json).

    \b
    Examples:
      workbench export collection best-sums -o best-sums.jsonl
      workbench export collection pairs --format trl -o pairs.json
    """
    from workbench.tuning.cleaning.stored import taught_items
    from workbench.tuning.collecting.stored import find_collection
    from workbench.tuning.formats import usual_format, write_examples

    opened = workspace(context)
    record = find_collection(opened, name)
    kept = opened.store.collections.items(record.id, state="kept")
    if not kept:
        raise CollectionError(
            f"Collection '{record.name}' keeps no item, so that there is nothing to write; look at what was "
            f"dropped with `workbench collections preview {record.name} --dropped`."
        )
    written = kept if once else taught_items(opened, record.id)
    chosen = format_name or usual_format(record.task)
    as_list = output is not None and output.suffix.lower() == ".json"
    content = write_examples(
        [one.item for one in written],
        chosen,
        record.task,
        as_list=as_list,
        extra=not without_extra,
        numbers=[one.number for one in written],
    )
    write(content, output)
    again = len(written) - len(kept)
    repeated = f"; {again:,} of them rare ones again (--once leaves these out)" if again else ""
    say(f"{counted(len(written), 'example')} of format {chosen}{repeated}")
