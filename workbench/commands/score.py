"""`workbench score`: metrics over a file of predictions and references, with no run and no workspace."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from workbench.commands.metric_specs import MetricNames, MetricSettings, metric_specs
from workbench.commands.printing import AsJson, one_line, print_json, print_table
from workbench.commands.progress import SECONDS_BETWEEN_LINES
from workbench.commands.session import say, session
from workbench.errors import InvalidFile, UsageError

if TYPE_CHECKING:
    from workbench.engine.model_services import FileServices


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("score")(score)


def score(
    context: typer.Context,
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
    """Score a file of finished predictions, by exact_match unless metrics are named.

    \b
    Examples:
      workbench score outputs.csv --prediction text --reference answer --metrics exact_match,bleu
      workbench score outputs.jsonl --prediction text --reference gold --answer '{after: "A:", type: number}'
      workbench score outputs.csv --prediction text --reference gold --metric '{name: numeric, tolerance: 1}'
      workbench score outputs.csv --prediction text --metric '{name: length, max: 50}' --metric json_valid
      workbench score outputs.csv --prediction text --metric '{name: perplexity, model: small}'
    """
    from workbench.datasets.read import read_table
    from workbench.metrics import load_metric, score_table

    specs = metric_specs(metrics, metric)
    if not specs:
        if metrics is not None:
            raise UsageError("--metrics names no metric; give one such as exact_match.")
        specs = ["exact_match"]
    read = reader(answer) if answer is not None else None
    table = read_table(file)
    for note in table.notes:
        say(note)
    loaded = [load_metric(spec) for spec in specs]
    with ExitStack() as asking:
        asked = any(one.asks_models for one in loaded)
        models = asking.enter_context(_services(session(context).root)) if asked else None
        found = score_table(
            table.rows, prediction, reference, loaded, read, models=models, on_rows=_rows_scored()
        )
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
            say(f"{name}, row {unscored['row']}: {one_line(unscored['reason'], 160)}")


def _rows_scored() -> Callable[[str, int, int], None]:
    """Says on stderr how far a slow metric is, every few seconds."""
    said_at = time.monotonic()

    def tell(name: str, done: int, total: int) -> None:
        nonlocal said_at
        if time.monotonic() - said_at >= SECONDS_BETWEEN_LINES:
            said_at = time.monotonic()
            say(f"{name}: {done:,} of {total:,} rows")

    return tell


def _services(root: Path | None) -> FileServices:
    """Models to ask: those of the workspace where there is one here, and the embedded ones anywhere."""
    from workbench.engine.model_services import FileServices
    from workbench.models.catalog import Catalog

    here = root or Path(os.environ.get("WORKBENCH_ROOT") or Path.cwd())
    return FileServices(Catalog(here / "experiments" / "models.yaml", here / ".workbench" / "models"))


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
