"""`workbench collections make`: a collection from runs, ratings and files, by what its options say."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from workbench.commands.cleaning import Steps, balance_of, steps_of
from workbench.commands.printing import AsJson, counted, print_json
from workbench.commands.session import say, workspace
from workbench.errors import InvalidFile, UsageError

Texts = list[str] | None
OPTIONS = {
    "runs": "--run",
    "files": "--file",
    "pick": "--by",
    "pick.per_row": "--per-row",
    "clean": "--step",
    "apart_from": "--apart-from",
}
"""Keys of a recipe's `collect` whose option has another name."""


def make(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="What the collection is called.")],
    runs: Annotated[
        Texts, typer.Option("--run", metavar="RUN", help="A run, or an experiment's newest; repeatable.")
    ] = None,
    files: Annotated[
        Texts, typer.Option("--file", metavar="FILE", help="A file of examples; repeatable.")
    ] = None,
    task: Annotated[str | None, typer.Option(help="completion (the default), preference or label.")] = None,
    prompts: Annotated[
        Texts, typer.Option("--prompt", help="Only outputs of this prompt; repeatable.")
    ] = None,
    models: Annotated[Texts, typer.Option("--model", help="Only outputs of this model; repeatable.")] = None,
    by: Annotated[str | None, typer.Option(help="Pick by metric (the default), rating or wins.")] = None,
    metric: Annotated[str | None, typer.Option(help="Default: the experiment's first.")] = None,
    at_least: Annotated[float | None, typer.Option(help="The least score that is picked.")] = None,
    at_most: Annotated[float | None, typer.Option(help="The same, where less is better.")] = None,
    per_row: Annotated[int | None, typer.Option(help="At most this many of a row; default 1.", min=1)] = None,
    pairs: Annotated[
        str | None, typer.Option(help="Preferences by people's ratings (the default), or by scores.")
    ] = None,
    teach: Annotated[
        str | None,
        typer.Option(metavar="PROMPT", help="The prompt that is trained; default: each output's own."),
    ] = None,
    reasoning: Annotated[
        str | None, typer.Option(help="keep (the default), or drop: learn the answer alone.")
    ] = None,
    corrections: Annotated[
        bool, typer.Option("--corrections/--no-corrections", help="Take the answers that raters wrote, too.")
    ] = True,
    apart_from: Annotated[
        Texts,
        typer.Option(metavar="DATASET#SPLIT", help="Rows not to learn; default: every dev and test split."),
    ] = None,
    steps: Steps = None,
    balance: Annotated[
        str | None,
        typer.Option(metavar="COLUMN", help="Even out how often its values are; or {by: …, how: over}."),
    ] = None,
    limit: Annotated[
        int | None, typer.Option(help="At most this many items, drawn by --seed.", min=1)
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Draws and orders; default 0.")] = None,
    as_json: AsJson = False,
) -> None:
    """Gather what was good, from runs, ratings and files, apart from every row kept for evaluation.

    \b
    Examples:
      workbench collections make best-sums --run sums --metric exact_match --at-least 1 --per-row 4
      workbench collections make short --run latest --prompt vote --teach direct --reasoning drop
      workbench collections make pairs --run sums --task preference --pairs scores
      workbench collections make mine --file mine.jsonl --step near_duplicates
    """
    from workbench.tuning.collecting.gathering import collect

    pick = {"by": by, "metric": metric, "at_least": at_least, "at_most": at_most, "per_row": per_row}
    wanted: dict[str, Any] = {
        "runs": runs,
        "files": files,
        "task": task,
        "prompts": prompts,
        "models": models,
        "pick": _given(pick) or None,
        "pairs": pairs,
        "corrections": None if corrections else False,
        "teach": teach,
        "reasoning": reasoning,
        "apart_from": apart_from,
        "clean": None if steps is None else steps_of(steps),
        "balance": None if balance is None else balance_of(balance),
        "limit": limit,
        "seed": seed,
    }
    settings = _settings(_given(wanted))
    opened = workspace(context)
    collection = collect(opened, name, settings, settings.task, on_progress=None if as_json else say)
    record = opened.store.collections.get(collection)
    counts = opened.store.collections.count(collection)
    kept = sum(count for (state, _), count in counts.items() if state == "kept")
    dropped = sum(counts.values()) - kept
    if as_json:
        print_json(
            {
                "collection": collection,
                "name": name,
                "version": opened.store.collections.version(collection),
                "task": settings.task or "completion",
                "kept": kept,
                "dropped": dropped,
                "report": {} if record is None else record.report,
            }
        )
        return
    print(f"Collection {name} ({collection}): {counted(kept, 'item')} kept, {dropped:,} dropped")
    repeating = 0 if record is None else record.report.get("overlaps", {}).get("rows", 0)
    if repeating:
        say(
            f"Left out, as they repeat rows kept for evaluation: {counted(repeating, 'row')}; see "
            f"workbench collections show {collection} --overlaps"
        )
    say(f"Next: workbench collections show {name}")


def _given(values: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if value is not None}


def _settings(wanted: dict[str, Any]) -> Any:
    from workbench.core.document import validate
    from workbench.core.tuning import Collect

    if not wanted.get("runs") and not wanted.get("files"):
        raise UsageError("Name what to collect from: --run RUN (or an experiment), or --file FILE.")
    try:
        return validate(Collect, wanted)
    except InvalidFile as problem:
        key = (problem.key or "").split(".0")[0]
        option = OPTIONS.get(key) or f"--{key.rpartition('.')[2].replace('_', '-')}"
        raise UsageError(f"{option}: {problem.problem}") from None
