"""`workbench score`: metrics over a file of predictions and references, with no run and no workspace."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from workbench.commands.metric_specs import MetricNames, MetricSettings, metric_specs
from workbench.commands.printing import AsJson, print_json, print_table, printable
from workbench.commands.session import say
from workbench.errors import InvalidFile, UsageError


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("score")(score)


def score(
    file: Annotated[Path, typer.Argument(help="CSV, TSV, JSONL, JSON, Parquet or Excel.")],
    prediction: Annotated[str, typer.Option(metavar="COLUMN", help="Column of the predictions.")],
    reference: Annotated[
        str | None,
        typer.Option(metavar="COLUMN", help="Column of the right answers, for metrics that need them."),
    ] = None,
    metrics: MetricNames = None,
    metric: MetricSettings = None,
    answer: Annotated[
        str | None,
        typer.Option(metavar="YAML", help="How the answer is read out of both columns, as a prompt says it."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Score a file of finished predictions; by exact_match unless metrics are named.

    \b
    Examples:
      workbench score outputs.csv --prediction text --reference answer --metrics exact_match,bleu
      workbench score outputs.jsonl --prediction text --reference gold --answer '{after: "A:", type: number}'
      workbench score outputs.csv --prediction text --reference gold --metric '{name: numeric, relative: 0.01}'
      workbench score outputs.csv --prediction text --metric '{name: length, max: 50}' --metric json_valid
    """
    from workbench.datasets.read import read_table
    from workbench.metrics import score_table

    specs = metric_specs(metrics, metric)
    if not specs:
        if metrics is not None:
            raise UsageError("--metrics names no metric; give one such as exact_match.")
        specs = ["exact_match"]
    read = reader(answer) if answer is not None else None
    table = read_table(file)
    for note in table.notes:
        say(note)
    found = score_table(table.rows, prediction, reference, specs, read=read)
    if as_json:
        print_json(found)
        return
    print_table(
        ("metric", "value", "low", "high", "rows", "unscored"),
        [
            (name, *(_number(one[key]) for key in ("value", "low", "high")), one["n"], one["unscored"])
            for name, one in found["metrics"].items()
        ],
    )
    for name, one in found["metrics"].items():
        if one.get("signature"):
            say(f"{name}: {one['signature']}")
        for unscored in one["reasons"]:
            say(f"{name}, row {unscored['row']}: {printable(unscored['reason'])}")


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
