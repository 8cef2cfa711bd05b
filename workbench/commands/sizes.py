"""`workbench sizes`: which model of a run is the smallest that is good enough."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from workbench.commands.printing import AsJson, OutputFile, one_line, print_json, write
from workbench.commands.reports import RunName
from workbench.commands.session import say, workspace

if TYPE_CHECKING:
    from workbench.core.sizing import BreakEven, DoublingGain, Sizes


class Cost(StrEnum):
    """What quality is held against."""

    memory = "memory"
    disk = "disk"
    time = "time"
    speed = "speed"
    first_token = "first_token"  # noqa: S105
    usd = "usd"


class SizesFormat(StrEnum):
    """How the table can be written."""

    table = "table"
    csv = "csv"
    md = "md"
    json = "json"


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("sizes")(sizes)


def sizes(
    context: typer.Context,
    run: RunName = "latest",
    metric: Annotated[str | None, typer.Option(help="Default: the experiment's first.")] = None,
    prompt: Annotated[str | None, typer.Option(help="Default: the one with the best cell.")] = None,
    margin: Annotated[
        float | None,
        typer.Option(
            help="How much worse than the best is good enough, in the metric's unit; "
            "default: the experiment's margin, else 0.02."
        ),
    ] = None,
    confidence: Annotated[float, typer.Option(help="Of not being worse by more than that.")] = 0.95,
    cost: Annotated[Cost, typer.Option(help="What quality is held against for the front.")] = Cost.memory,
    machine_usd_per_hour: Annotated[
        float | None, typer.Option(metavar="USD", help="Price of an hour of this machine, for local models.")
    ] = None,
    kind: Annotated[SizesFormat, typer.Option("--format", "-f", help="How to write it.")] = SizesFormat.table,
    output: OutputFile = None,
    as_json: AsJson = False,
) -> None:
    """Show quality against speed, memory, disk and cost, and the smallest model that is good enough.

    \b
    Examples:
      workbench sizes
      workbench sizes latest --margin 0.05 --cost time
      workbench sizes latest --machine-usd-per-hour 0.50 --format md -o sizes.md
    """
    from workbench.engine import find_run, sizes_json, sizes_table
    from workbench.engine import sizes as sizes_of

    opened = workspace(context)
    found = sizes_of(
        opened,
        find_run(opened, run),
        metric=metric,
        prompt=prompt,
        margin=margin,
        confidence=confidence,
        cost=cost.value,
        machine_usd_per_hour=machine_usd_per_hour,
    )
    if as_json and output is None:
        print_json(sizes_json(found))
        return
    write(sizes_table(found, "json" if as_json else kind.value), output)
    if kind is SizesFormat.table and output is None:
        _conclude(found)


def _conclude(found: Sizes) -> None:
    print(f"\n{conclusion(found)}")
    for gain in found.gains:
        print(_gain(gain, found.confidence))
    for pair in found.break_evens:
        print(_break_even(pair))
    for note in found.notes:
        say(f"Note: {note}")


def conclusion(found: Sizes) -> str:
    """The answer in one sentence."""
    best, smallest = found.best, found.smallest_good_enough
    if best is None:
        return f"Nothing was scored by {found.metric} yet, so it cannot be told which model is good enough."
    within = f"not worse than {best.cell.label} by more than {found.margin:g} ({found.metric})"
    if smallest is None:
        return f"Several are {within}, but which is the smallest is not known: no memory was measured."
    if smallest.cell.index == best.cell.index:
        return f"No smaller model has been shown to be {within}."
    return f"The smallest that is {within}: {smallest.cell.label}."


def _gain(gain: DoublingGain, confidence: float) -> str:
    held = f" at {gain.quantization}" if gain.quantization else ""
    return one_line(
        f"Doubling the size{held} gains {gain.gain:+.3f} [{gain.low:+.3f}, {gain.high:+.3f}] "
        f"({gain.smaller} to {gain.larger}, {gain.doublings:.1f} doublings, {confidence:.0%} interval).",
        300,
    )


def _break_even(pair: BreakEven) -> str:
    most = f"one machine works off {pair.most_rows_per_month:,.0f}"
    if pair.rows_per_month is None:
        return one_line(f"{pair.local} does not become cheaper than {pair.hosted}: {most} rows a month.", 300)
    return one_line(
        f"{pair.local} costs less than {pair.hosted} from {pair.rows_per_month:,.0f} rows a month on; "
        f"{most}.",
        300,
    )
