"""`workbench score`: metrics over a file of predictions and references, with no model and no workspace."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from workbench.commands.printing import AsJson, print_json, print_table
from workbench.commands.session import say
from workbench.errors import InvalidFile, UsageError


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("score")(score)


def score(
    file: Annotated[Path, typer.Argument(help="CSV, TSV, JSONL, JSON, Parquet or Excel.")],
    prediction: Annotated[str, typer.Option(metavar="COLUMN", help="Column of the predictions.")],
    reference: Annotated[str, typer.Option(metavar="COLUMN", help="Column of the right answers.")],
    metrics: Annotated[
        str, typer.Option(metavar="A,B", help="Metrics, separated by commas.")
    ] = "exact_match",
    answer: Annotated[
        str | None,
        typer.Option(metavar="YAML", help="How the answer is read out of both columns, as a prompt says it."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Score a file of finished predictions against references.

    \b
    Examples:
      workbench score outputs.csv --prediction text --reference answer --metrics exact_match,bleu
      workbench score outputs.jsonl --prediction text --reference gold --answer '{after: "A:", type: number}'
    """
    from workbench.datasets.read import read_table
    from workbench.metrics import score_table

    names = [name.strip() for name in metrics.split(",") if name.strip()]
    if not names:
        raise UsageError("--metrics names no metric; give one such as exact_match.")
    read = reader(answer) if answer is not None else None
    table = read_table(file)
    for note in table.notes:
        say(note)
    found = score_table(table.rows, prediction, reference, names, read=read)
    if as_json:
        print_json(found)
        return
    print_table(
        ("metric", "value", "low", "high", "rows"),
        [
            (name, *(_number(one[key]) for key in ("value", "low", "high")), one["n"])
            for name, one in found["metrics"].items()
        ],
    )
    for name, one in found["metrics"].items():
        if one.get("signature"):
            say(f"{name}: {one['signature']}")


def reader(rule_text: str) -> Callable[[str], str | None]:
    """What reads an answer out of a text, by an answer rule written as YAML."""
    from workbench.core.document import load
    from workbench.core.prompt import AnswerRule
    from workbench.prompting import read_answer

    try:
        rule = load(AnswerRule, rule_text)
    except InvalidFile as problem:
        raise UsageError(f"--answer: {problem}") from None
    return lambda text: read_answer(rule, text)


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.4g}"
