"""`workbench metrics`: what can be measured, and with which settings."""

from __future__ import annotations

from math import isinf
from typing import Annotated, Any

import typer

from workbench.commands.printing import AsJson, one_line, print_fields, print_json, print_table
from workbench.commands.session import say


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    group = typer.Typer(
        help="List what can be measured, and explain a metric.\n\n\b\n"
        "Examples:\n  workbench metrics\n  workbench metrics show bleu",
        invoke_without_command=True,
    )
    group.callback()(default)
    group.command("list")(list_metrics)
    group.command("show")(show)
    app.add_typer(group, name="metrics")


def default(context: typer.Context, as_json: AsJson = False) -> None:
    """Without a subcommand: the list."""
    if context.invoked_subcommand is None:
        list_metrics(as_json=as_json)


def list_metrics(as_json: AsJson = False) -> None:
    """List every metric with what it measures.

    \b
    Example:
      workbench metrics list
    """
    from workbench.metrics import describe_metrics

    found = describe_metrics()
    if as_json:
        print_json({"metrics": found})
        return
    print_table(
        ("metric", "better", "range", "what it measures"),
        [
            (one["name"], one.get("direction", ""), _range(one), one["description"] or one.get("problem", ""))
            for one in found
        ],
    )
    say("\nSettings and sources: workbench metrics show NAME")


def show(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A metric's name.")], as_json: AsJson = False
) -> None:
    """Show one metric: its range, its source, its settings.

    \b
    Example:
      workbench metrics show bleu
    """
    from workbench.metrics import describe_metrics, metric_class

    cls = metric_class(name)
    found = next(one for one in describe_metrics() if one["name"] == name)
    if as_json:
        print_json(found)
        return
    settings = found["settings"]
    print_fields(
        [
            ("metric", name),
            ("measures", found["description"]),
            ("formula", one_line((cls.__doc__ or "").strip(), 2000)),
            ("range", _range(found)),
            ("better", found["direction"]),
            ("reference", "needed" if found["needs_reference"] else "not needed"),
            ("source", found["source"]),
            ("settings", "\n".join(f"{key}: {value}" for key, value in settings.items()) or "none"),
        ]
    )


def _range(facts: dict[str, Any]) -> str:
    if "range" not in facts:
        return ""
    low, high = (("∞" if end > 0 else "-∞") if isinf(end) else f"{end:g}" for end in facts["range"])
    return f"{low} to {high}"
