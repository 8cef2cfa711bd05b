"""`workbench export`: a prompt, a run's winner or outputs, a collection, or a model, as files."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from workbench.commands.collection_export import export_collection
from workbench.commands.model_export import export_model
from workbench.commands.printing import AsJson, OutputFile, print_json, write
from workbench.commands.reports import RunName
from workbench.commands.session import workspace
from workbench.errors import UsageError


class OutputsFormat(StrEnum):
    """How outputs can be written."""

    csv = "csv"
    jsonl = "jsonl"
    parquet = "parquet"


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    group = typer.Typer(
        help="Write a prompt, a run's winner, its outputs, a collection or a model to a file."
        "\n\n\b\nExample:\n  workbench export winner latest -o best.yaml",
        no_args_is_help=True,
    )
    group.command("prompt")(prompt)
    group.command("winner")(winner)
    group.command("outputs")(outputs)
    group.command("collection")(export_collection)
    group.command("model")(export_model)
    app.add_typer(group, name="export")


def prompt(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="Name of a prompt or an ensemble.")],
    output: OutputFile = None,
    as_json: AsJson = False,
) -> None:
    """Write a prompt as YAML.

    \b
    Example:
      workbench export prompt step-by-step -o step-by-step.yaml
    """
    opened = workspace(context)
    record = opened.prompts.get(name)
    text = opened.prompts.text(name)
    if as_json:
        print_json({"prompt": record.name, "version": opened.prompts.version(name), "text": text})
        return
    write(text, output)


def winner(
    context: typer.Context,
    run: RunName = "latest",
    metric: Annotated[str | None, typer.Option(help="Default: the experiment's first.")] = None,
    cell: Annotated[
        int | None, typer.Option(help="Export this cell instead, by its place in the table from 0.")
    ] = None,
    output: OutputFile = None,
    as_json: AsJson = False,
) -> None:
    """Write the winning prompt as YAML, with the evidence in its provenance block.

    \b
    Examples:
      workbench export winner quickstart
      workbench export winner latest --metric exact_match -o best.yaml
    """
    from workbench.engine import export_winner, find_run
    from workbench.engine import winner as find_winner

    opened = workspace(context)
    run_id = find_run(opened, run)
    file_name, text = export_winner(opened, run_id, metric=metric, cell=cell)
    if as_json:
        best = find_winner(opened, run_id, metric=metric)
        chosen = best.cell
        if cell is not None:
            from workbench.engine import report

            chosen = next(one.cell for one in report(opened, run_id).cells if one.cell.index == cell)
        document = {
            "run": run_id,
            "file": file_name,
            "prompt": chosen.prompt,
            "version": chosen.version,
            "model": chosen.model,
            "metric": best.metric,
            "reason": best.reason if chosen == best.cell else "chosen by hand",
            "text": text,
        }
        if output is not None:
            write(text, output)
        print_json(document)
        return
    write(text, output)


def outputs(
    context: typer.Context,
    run: RunName = "latest",
    kind: Annotated[
        OutputsFormat | None, typer.Option("--format", "-f", help="Default: by the file's name, else csv.")
    ] = None,
    output: OutputFile = None,
) -> None:
    """Write every output of a run: row, cell, text, answer, scores, tokens, cost.

    \b
    Examples:
      workbench export outputs latest -o outputs.parquet
      workbench export outputs quickstart --format jsonl | head -2
    """
    from workbench.engine import export_outputs, find_run

    opened = workspace(context)
    suffix = output.suffix.lstrip(".") if output else ""
    if kind is None:
        if suffix and suffix not in OutputsFormat.__members__:
            raise UsageError(f"{output}: the name ends in none of {', '.join(OutputsFormat)}; add --format.")
        kind = OutputsFormat(suffix or "csv")
    write(export_outputs(opened, find_run(opened, run), kind.value), output)
