"""`workbench collections`: what models are to learn from, looked through and cleaned by hand and by step."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from workbench.commands.cleaning import ThatCollection, balance, clean
from workbench.commands.collecting import make
from workbench.commands.curating import accept, edit, reject, undo
from workbench.commands.printing import (
    AsJson,
    ago,
    counted,
    one_line,
    print_fields,
    print_json,
    print_table,
    printable,
)
from workbench.commands.session import say, workspace
from workbench.core.collection import CollectionItem, ItemState

MOST_CHANGES = 5


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    group = typer.Typer(
        help="Gather, look through and clean what models are to learn from.\n\n\b\nExamples:\n"
        "  workbench collections\n"
        "  workbench collections make best-sums --run sums --metric exact_match --at-least 1\n"
        "  workbench collections show best-sums",
        invoke_without_command=True,
    )
    group.callback()(default)
    group.command("list")(list_collections)
    group.command("make")(make)
    group.command("show")(show)
    group.command("preview")(preview)
    group.command("profile")(profile)
    group.command("clean")(clean)
    group.command("balance")(balance)
    group.command("accept")(accept)
    group.command("reject")(reject)
    group.command("edit")(edit)
    group.command("undo")(undo)
    group.command("delete")(delete)
    group.command("undelete")(undelete)
    app.add_typer(group, name="collections")


def default(context: typer.Context, as_json: AsJson = False) -> None:
    """Without a subcommand: the list."""
    if context.invoked_subcommand is None:
        list_collections(context, as_json=as_json)


def list_collections(
    context: typer.Context,
    limit: Annotated[int, typer.Option(help="At most this many, the newest first.", min=1)] = 20,
    as_json: AsJson = False,
) -> None:
    """List collections, the newest first.

    \b
    Example:
      workbench collections list --json
    """
    from workbench.tuning.collecting.stored import collections

    found = collections(workspace(context), limit=limit)
    if as_json:
        print_json({"collections": found})
        return
    if not found:
        say("No collections yet. Gather one with: workbench collections make NAME --run RUN")
        return
    print_table(
        ("collection", "id", "version", "teaches", "kept", "dropped", "made"),
        [
            (one.name, one.id, one.version[:12], one.task, one.kept, one.dropped, ago(one.created_at))
            for one in found
        ],
    )


def show(
    context: typer.Context,
    collection: ThatCollection,
    overlaps: Annotated[
        bool, typer.Option("--overlaps", help="Each row left out as it repeats one kept for evaluation.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Show what a collection is made of, what was dropped and why, and what was changed since.

    \b
    Examples:
      workbench collections show best-sums --json
      workbench collections show best-sums --overlaps
    """
    from workbench.tuning.collecting.stored import find_collection, summary

    opened = workspace(context)
    record = find_collection(opened, collection)
    found = summary(opened, record)
    counts = opened.store.collections.count(record.id)
    dropped = {reason: count for (state, reason), count in counts.items() if state == "dropped"}
    changes = opened.store.collections.changes(record.id, limit=MOST_CHANGES)
    if as_json:
        print_json(
            {
                "collection": found,
                "dropped": dropped,
                "changes": changes,
                "settings": record.settings,
                "report": record.report,
            }
        )
        return
    report = record.report
    found_overlaps = report.get("overlaps", {})
    if overlaps:
        _print_overlaps(found_overlaps)
        return
    print_fields(
        [
            ("name", found.name),
            ("id", found.id),
            ("version", found.version),
            ("teaches", found.task),
            ("made", ago(found.created_at)),
            ("kept", counted(found.kept, "item")),
            ("dropped", _reasons(dropped)),
            ("looked at", counted(report["looked_at"], "output") if report.get("looked_at") else None),
            ("left out", _reasons(report.get("left_out", {}))),
            ("apart from", ", ".join(report.get("apart_from", []))),
            ("repeat these", _overlapping(found_overlaps.get("rows", 0))),
            ("runs", ", ".join(one["run"] for one in report.get("sources", []))),
            ("files", ", ".join(one["file"] for one in report.get("files", []))),
            ("changes", "\n".join(changes)),
        ]
    )
    say(f"Look through it with: workbench collections preview {found.name}")


def _overlapping(rows: int) -> str | None:
    return f"{counted(rows, 'row')}; --overlaps lists them" if rows else None


def _print_overlaps(found: dict[str, Any]) -> None:
    listed = found.get("listed", [])
    if not listed:
        say("No row repeats one that is kept for evaluation.")
        return
    print_table(
        ("row", "repeats", "how", "words in common"),
        [
            (
                one_line(str(one.get("row") or one.get("file") or ""), 60),
                one_line(f"{one['split']}, {one['row_id']}", 80),
                one["how"],
                one_line(one["words"], 120),
            )
            for one in listed
        ],
    )
    say(f"{len(listed):,} of {counted(found['rows'], 'row')}")


def preview(
    context: typer.Context,
    collection: ThatCollection,
    limit: Annotated[int, typer.Option(help="Items to show.", min=1)] = 3,
    offset: Annotated[int, typer.Option(help="Items to leave out before.", min=0)] = 0,
    dropped: Annotated[bool, typer.Option("--dropped", help="The items that were dropped.")] = False,
    reason: Annotated[
        str | None, typer.Option(help="Only those dropped for this: a step's name, or person.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show items in full: what the model is shown, what it is to answer, and where that came from.

    \b
    Examples:
      workbench collections preview best-sums --limit 5
      workbench collections preview best-sums --reason near_duplicates --json
    """
    from workbench.tuning.collecting.stored import find_collection, item_page

    opened = workspace(context)
    record = find_collection(opened, collection)
    state: ItemState = "dropped" if dropped or reason else "kept"
    items = item_page(opened, record.id, state=state, reason=reason, limit=limit, offset=offset)
    if as_json:
        print_json({"collection": record.id, "items": [_item_json(one) for one in items]})
        return
    for one in items:
        _print_item(one)
    total = sum(
        count
        for (its_state, its_reason), count in opened.store.collections.count(record.id).items()
        if its_state == state and reason in (None, its_reason)
    )
    say(f"{len(items)} of {counted(total, f'{state} item')}")


def profile(context: typer.Context, collection: ThatCollection, as_json: AsJson = False) -> None:
    """Describe what is kept: lengths, balance, variety, what nearly repeats, sources, group terms.

    \b
    Example:
      workbench collections profile best-sums
    """
    from workbench.tuning import profile as profile_of
    from workbench.tuning import profile_json
    from workbench.tuning.collecting.stored import find_collection

    opened = workspace(context)
    record = find_collection(opened, collection)
    kept = opened.store.collections.items(record.id, state="kept")
    found = profile_json(profile_of([one.item for one in kept], numbers=[one.number for one in kept]))
    if as_json:
        print_json({"collection": record.id, "profile": found})
        return
    from workbench.core.document import to_yaml

    print(printable(to_yaml(found)).rstrip("\n"))


def delete(context: typer.Context, collection: ThatCollection, as_json: AsJson = False) -> None:
    """Delete a collection; `undelete` brings it back by its id.

    \b
    Example:
      workbench collections delete best-sums
    """
    from workbench.tuning.collecting.stored import delete_collection

    gone = delete_collection(workspace(context), collection)
    if as_json:
        print_json({"collection": gone, "done": "deleted"})
    else:
        say(f"Deleted {gone}. Bring it back with: workbench collections undelete {gone}")


def undelete(
    context: typer.Context,
    collection: Annotated[str, typer.Argument(metavar="ID", help="The id that `delete` printed.")],
    as_json: AsJson = False,
) -> None:
    """Bring a deleted collection back.

    \b
    Example:
      workbench collections undelete 20261121-120000-3f9c1a
    """
    from workbench.tuning.collecting.stored import undelete_collection

    undelete_collection(workspace(context), collection)
    if as_json:
        print_json({"collection": collection, "done": "restored"})
    else:
        say(f"Brought back {collection}.")


def _reasons(counts: dict[str, int]) -> str:
    return ", ".join(f"{reason} {count:,}" for reason, count in counts.items() if count)


def _item_json(one: CollectionItem) -> dict[str, object]:
    return {
        "number": one.number,
        "state": one.state,
        "reason": one.reason,
        "detail": one.detail,
        **one.item.to_json(),
    }


def _print_item(one: CollectionItem) -> None:
    item, origin = one.item, one.item.origin
    why = " · ".join(part for part in (one.reason, one.detail) if part)
    print(printable(f"── {one.number}{f' · {why}' if why else ''}"))
    by = [origin.prompt, origin.model, *(f"{name} {score:g}" for name, score in origin.scores.items())]
    print_fields(
        [
            *((message["role"], message["content"]) for message in item.messages),
            ("→", item.completion),
            ("rejected", item.rejected),
            ("label", None if item.label is None else "good" if item.label else "bad"),
            ("before", item.original),
            ("from", one_line(" · ".join(part for part in [*_place(one), *by] if part))),
        ]
    )
    print()


def _place(one: CollectionItem) -> list[str | None]:
    origin = one.item.origin
    return [origin.file, origin.run, origin.row_id]
