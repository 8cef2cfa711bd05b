"""`workbench collections clean` and `balance`: what would change is shown first, and applied when asked."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from workbench.commands.printing import AsJson, one_line, print_json, print_table, printable
from workbench.commands.session import say, workspace
from workbench.errors import InvalidFile, UsageError

AUTHOR = "command line"
"""Who changed what is changed from here."""
EXAMPLES_SHOWN = 3
Steps = Annotated[
    list[str] | None,
    typer.Option(
        "--step",
        metavar="STEP",
        help="A cleaning step, such as near_duplicates or '{length: {most: 400}}'; repeatable, in order.",
    ),
]
ThatCollection = Annotated[
    str,
    typer.Argument(
        metavar="COLLECTION", help="Its name (the newest of it), id, or the id's beginning or end."
    ),
]
Apply = Annotated[bool, typer.Option("--apply", help="Do it, as one change that `undo` takes back.")]


def clean(
    context: typer.Context,
    collection: ThatCollection,
    steps: Steps = None,
    apply: Apply = False,
    as_json: AsJson = False,
) -> None:
    """Show what cleaning steps would drop and change; with --apply, do it.

    \b
    Examples:
      workbench collections clean best-sums --step white_space --step near_duplicates
      workbench collections clean best-sums --step "{length: {most: 400}}" --apply
    """
    from workbench.tuning import apply_cleaning, cleaning_preview
    from workbench.tuning.collecting.stored import find_collection

    wanted = steps_of(steps or [])
    if not wanted:
        from workbench.tuning.cleaning import step_names

        raise UsageError(f"Name the steps with --step: {', '.join(step_names())}.")
    opened = workspace(context)
    record = find_collection(opened, collection)
    if apply:
        reports = apply_cleaning(opened, record.id, wanted, author=AUTHOR).reports
    else:
        kept = opened.store.collections.items(record.id, state="kept")
        reports = cleaning_preview([one.item for one in kept], wanted, numbers=[one.number for one in kept])
    if as_json:
        print_json({"collection": record.id, "applied": apply, "steps": [one.to_json() for one in reports]})
        return
    print_table(
        ("step", "seen", "dropped", "changed"),
        [(one.step, one.seen, one.dropped, one.changed) for one in reports],
    )
    for report in reports:
        for example in report.examples[:EXAMPLES_SHOWN]:
            after = f"dropped: {example.detail}" if example.after is None else f"→ {example.after}"
            print(printable(f"\n{report.step}, item {example.number}, {example.text}"))
            print(f"  {one_line(example.before)}")
            print(f"  {one_line(after)}")
    _say_next(apply, record.name)


def balance(
    context: typer.Context,
    collection: ThatCollection,
    by: Annotated[
        str,
        typer.Option(metavar="COLUMN", help="A column of the rows, or answer, label, length, model, prompt."),
    ],
    over: Annotated[bool, typer.Option("--over", help="Repeat rare ones instead of leaving out.")] = False,
    seed: Annotated[int, typer.Option(help="Draws those that stay.")] = 0,
    apply: Apply = False,
    as_json: AsJson = False,
) -> None:
    """Show how often each value is learnt from, and would be once evened out; with --apply, do it.

    \b
    Examples:
      workbench collections balance best-labels --by answer
      workbench collections balance best-labels --by answer --over --apply
    """
    from workbench.core.tuning import Balance
    from workbench.tuning import apply_balance, balance_preview
    from workbench.tuning.collecting.stored import find_collection

    opened = workspace(context)
    record = find_collection(opened, collection)
    settings = Balance(by=by, how="over" if over else "under", seed=seed)
    if apply:
        counts = apply_balance(opened, record.id, settings, author=AUTHOR)
    else:
        kept = opened.store.collections.items(record.id, state="kept")
        counts = balance_preview([one.item for one in kept], settings)
    if as_json:
        print_json({"collection": record.id, "applied": apply, "values": counts})
        return
    print_table(
        (by, "items", "afterwards"), [(one_line(one.value, 60), one.before, one.after) for one in counts]
    )
    if over and apply:
        say("Rare ones are repeated in training and in exported files; the list of items stays as it is.")
    _say_next(apply, record.name)


def steps_of(texts: list[str]) -> list[str | dict[str, Any]]:
    """Cleaning steps as they are written after --step. Raises UsageError."""
    steps: list[str | dict[str, Any]] = []
    for text in texts:
        value = _yaml("--step", text)
        if not isinstance(value, (str, dict)):
            raise UsageError(
                f"--step {text}: write a step's name, or its settings as {{length: {{most: 400}}}}."
            )
        steps.append(value)
    return steps


def balance_of(text: str) -> dict[str, Any]:
    """What --balance says: a column, or settings. Raises UsageError."""
    value = _yaml("--balance", text)
    return value if isinstance(value, dict) else {"by": text}


def _yaml(option: str, text: str) -> Any:
    from workbench.core.document import parse

    try:
        return parse(text)[0]
    except InvalidFile as problem:
        raise UsageError(f"{option} {text}: {problem.problem}") from None


def _say_next(applied: bool, name: str) -> None:
    if applied:
        say(f"Applied. Take it back with: workbench collections undo {name}")
    else:
        say("Nothing was changed yet; do it with --apply.")
