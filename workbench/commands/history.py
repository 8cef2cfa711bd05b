"""`workbench runs history`: an experiment's runs over time, and what changed between the newest two."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from workbench.commands.printing import AsJson, one_line, print_json, print_table, printable
from workbench.commands.session import say, workspace
from workbench.core.figures import figure, signed

if TYPE_CHECKING:
    from workbench.core.run import MetricEstimate
    from workbench.engine import History, RunChange


def history(
    context: typer.Context,
    experiment: Annotated[str, typer.Argument(metavar="EXPERIMENT", help="Its name.")],
    metric: Annotated[str | None, typer.Option(help="Default: the newest run's first.")] = None,
    older: Annotated[
        str | None, typer.Option(metavar="RUN", help="Compare this run … Default: the newest but one.")
    ] = None,
    newer: Annotated[str | None, typer.Option(metavar="RUN", help="… with this. Default: newest.")] = None,
    limit: Annotated[int, typer.Option(help="At most this many runs, the newest.", min=1)] = 20,
    as_json: AsJson = False,
) -> None:
    """Show an experiment over time, and what changed between two of its runs.

    \b
    Examples:
      workbench runs history quickstart
      workbench runs history quickstart --older 20261120 --newer latest --json
    """
    from workbench.engine import find_run, history_json, run_change, run_change_json
    from workbench.engine import history as read_history

    opened = workspace(context)
    found = read_history(opened, experiment, metric, limit)
    names = [run.id for run in found.runs]
    second = find_run(opened, newer) if newer else names[-1]
    before = names[: names.index(second)] if second in names else names
    first = find_run(opened, older) if older else before[-1] if before else None
    changed = run_change(opened, first, second, found.metric) if first else None
    if as_json:
        document = history_json(found)
        print_json(document | {"change": run_change_json(changed) if changed else None})
        return
    _print_history(found)
    if changed:
        _print_change(changed)
    for note in found.notes:
        say(note)


def _print_history(found: History) -> None:
    print(f"{found.metric} of {found.experiment}\n")
    points = [{point.run: point for point in line.points} for line in found.lines]
    rows = []
    for run in found.runs:
        scores = [_mean(line[run.id].estimate if run.id in line else None) for line in points]
        rows.append((run.id, f"{run.created_at:%d %b %Y %H:%M}", f"{run.rows:,}", *scores))
    heads = [f"[{number}]" for number in range(len(found.lines))]
    for head, line in zip(heads, found.lines, strict=True):
        print(f"  {head} {printable(line.label)}")
    print()
    print_table(("run", "started", "rows", *heads), rows)


def _print_change(found: RunChange) -> None:
    print(f"\nFrom {found.older} to {found.newer}\n")
    print_table(
        ("cell", "before", "after", "change", "verdict", "prompt"),
        [
            (
                one.cell.label,
                _mean(one.before),
                _mean(one.after),
                "–" if one.comparison is None else signed(one.comparison.difference),
                "" if one.comparison is None else one.comparison.verdict,
                "changed" if one.diff else "same" if one.before and one.after else "",
            )
            for one in found.cells
        ],
    )
    told: set[str] = set()
    for one in found.cells:
        if one.diff and one.cell.prompt not in told:
            told.add(one.cell.prompt)
            print(f"\n{one.cell.prompt}")
            for kind, text in one.diff:
                if kind != "same" and text.strip():
                    print(f"  {'+' if kind == 'added' else '-'} {one_line(text, 110)}")
    for sentence in found.also:
        print(f"\nAlso: {printable(sentence)}")
    if found.unpaired:
        say(f"No verdicts: {found.unpaired}")


def _mean(estimate: MetricEstimate | None) -> str:
    return "–" if estimate is None else figure(estimate.mean)
