"""`workbench datasets`: the tables that experiments are about."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from workbench.commands.printing import (
    AsJson,
    counted,
    one_line,
    print_fields,
    print_json,
    print_table,
    printable,
)
from workbench.commands.session import say, workspace
from workbench.commands.tables import (
    SPLIT,
    AsReplacement,
    Encoding,
    Fractions,
    Mapping,
    Reference,
    ReferenceAfter,
    Sheet,
    Split,
    TableOptions,
    import_table,
)

LABELS_SHOWN = 20
DatasetName = Annotated[str, typer.Argument(metavar="DATASET", help="Name of a dataset.")]


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    group = typer.Typer(
        help="List, look into, check and add datasets.\n\n\b\n"
        "Examples:\n  workbench datasets\n  workbench datasets show word-problems",
        invoke_without_command=True,
    )
    group.callback()(default)
    group.command("list")(list_datasets)
    group.command("show")(show)
    group.command("add")(add)
    group.command("check")(check)
    group.command("profile")(profile)
    group.command("delete")(delete)
    group.command("undelete")(undelete)
    app.add_typer(group, name="datasets")


def default(context: typer.Context, as_json: AsJson = False) -> None:
    """Without a subcommand: the list."""
    if context.invoked_subcommand is None:
        list_datasets(context, as_json=as_json)


def list_datasets(context: typer.Context, as_json: AsJson = False) -> None:
    """List datasets with their splits.

    \b
    Example:
      workbench datasets list --json
    """
    store = workspace(context).datasets
    found = [
        {
            "name": name,
            "description": store.card(name).description,
            "splits": {split: store.count(name, split) for split in store.splits(name)},
        }
        for name in store.names()
    ]
    if as_json:
        print_json({"datasets": found, "broken": [str(problem) for problem in store.broken()]})
        return
    print_table(
        ("dataset", "rows", "what it is"),
        [
            (
                one["name"],
                ", ".join(f"{split} {count}" for split, count in dict(one["splits"]).items()),
                one_line(one["description"], 80),
            )
            for one in found
        ],
    )
    for problem in store.broken():
        say(f"Left out: {problem}")


def show(
    context: typer.Context,
    dataset: DatasetName,
    split: Annotated[str | None, typer.Option(help="Default: the last one, usually test.")] = None,
    limit: Annotated[int, typer.Option(help="Rows to show.", min=0)] = 5,
    offset: Annotated[int, typer.Option(help="Rows to leave out before.", min=0)] = 0,
    contains: Annotated[str, typer.Option(help="Only rows with this text.")] = "",
    as_json: AsJson = False,
) -> None:
    """Show a dataset's card and some rows.

    \b
    Examples:
      workbench datasets show word-problems
      workbench datasets show word-problems --split train --contains apples --json
    """
    store = workspace(context).datasets
    card = store.card(dataset)
    chosen = split or card.splits[-1]
    rows, total = store.page(dataset, chosen, offset=offset, limit=limit, contains=contains)
    if as_json:
        print_json({"card": card.model_dump(mode="json"), "split": chosen, "total": total, "rows": rows})
        return
    print_fields(
        [
            ("name", card.name),
            ("about", card.description),
            ("license", card.license),
            ("splits", ", ".join(f"{name} ({store.count(dataset, name)} rows)" for name in card.splits)),
            ("reference", card.reference),
        ]
    )
    for row in rows:
        print()
        print_fields(row.items())
    say(f"\n{len(rows)} of {total} rows of {chosen}")


def add(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="CSV, TSV, JSONL, JSON, Parquet or Excel.")],
    name: Annotated[str | None, typer.Option(help="Default: the file's name.")] = None,
    split: Split = SPLIT,
    fractions: Fractions = None,
    mapping: Mapping = None,
    reference: Reference = None,
    reference_after: ReferenceAfter = None,
    encoding: Encoding = None,
    sheet: Sheet = None,
    replace: AsReplacement = False,
    as_json: AsJson = False,
) -> None:
    """Add a dataset from a file; `workbench import` does the same for any file.

    \b
    Examples:
      workbench datasets add questions.csv --reference answer
      workbench datasets add gsm8k_test.jsonl --name gsm8k --reference answer --reference-after "####"
      workbench datasets add reviews.xlsx --splits train=0.8,test=0.2 --map text=Review --map label=Stars
    """
    options = TableOptions(split, fractions, mapping, reference, reference_after, encoding, sheet, replace)
    import_table(workspace(context), file, name, options, as_json)


def check(
    context: typer.Context,
    dataset: Annotated[str | None, typer.Argument(help="Default: every dataset.")] = None,
    as_json: AsJson = False,
) -> None:
    """Read every row and say what is wrong.

    \b
    Example:
      workbench datasets check word-problems
    """
    from workbench.errors import WorkbenchError

    store = workspace(context).datasets
    problems = [] if dataset else [str(problem) for problem in store.broken()]
    rows = 0
    for name in [dataset] if dataset else store.names():
        try:
            for split in store.splits(name):
                rows += len(store.load(name, split=split).rows)
        except WorkbenchError as problem:
            problems.append(str(problem))
    if as_json:
        print_json({"ok": not problems, "rows": rows, "problems": problems})
    else:
        for sentence in problems:
            print(printable(sentence))
        say(f"{counted(rows, 'row')} read, {counted(len(problems), 'problem')}.")
    if problems:
        raise typer.Exit(1)


def profile(
    context: typer.Context,
    dataset: DatasetName,
    split: Annotated[str | None, typer.Option(help="Default: the last one, usually test.")] = None,
    as_json: AsJson = False,
) -> None:
    """Describe a split: its columns, label balance, duplicates, and rows that other splits have too.

    \b
    Example:
      workbench datasets profile team-labels
    """
    from workbench.datasets import profile as profile_of

    store = workspace(context).datasets
    chosen = split or store.splits(dataset)[-1]
    others = [store.load(dataset, split=other) for other in store.splits(dataset) if other != chosen]
    found = profile_of(store.load(dataset, split=chosen), others)
    if as_json:
        print_json(found)
        return
    print(f"{found.name}, {found.split}: {counted(found.rows, 'row')}\n")
    print_table(
        ("column", "kind", "missing", "distinct", "characters: half", "90 %", "longest"),
        [
            (one.name, one.kind, one.missing, one.distinct, one.length_p50, one.length_p90, one.longest)
            for one in found.columns
        ],
    )
    if found.labels:
        labels = ", ".join(f"{label} {count}" for label, count in found.labels[:LABELS_SHOWN])
        print(printable(f"\n{found.reference}: {labels}"))
    for warning in found.warnings:
        print(printable(f"\n{warning}"))


def delete(context: typer.Context, dataset: DatasetName, as_json: AsJson = False) -> None:
    """Delete a dataset; `undelete` brings it back.

    \b
    Example:
      workbench datasets delete old-questions
    """
    workspace(context).datasets.delete(dataset)
    _done(dataset, "deleted", as_json, f"Deleted. Bring it back with: workbench datasets undelete {dataset}")


def undelete(context: typer.Context, dataset: DatasetName, as_json: AsJson = False) -> None:
    """Bring back the dataset of that name that was deleted last.

    \b
    Example:
      workbench datasets undelete old-questions
    """
    workspace(context).datasets.undelete(dataset)
    _done(dataset, "restored", as_json, f"Brought back {dataset}.")


def _done(dataset: str, what: str, as_json: bool, sentence: str) -> None:
    if as_json:
        print_json({"dataset": dataset, "done": what})
    else:
        say(sentence)
