"""`workbench run --race METRIC`: how a race is asked for, and what is said of how it went."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from workbench.commands.printing import counted
from workbench.commands.session import say
from workbench.errors import UsageError

if TYPE_CHECKING:
    from workbench.core.race import RaceSettings
    from workbench.core.run import Report

RaceMetric = Annotated[
    str | None,
    typer.Option("--race", metavar="METRIC", help="Stop cells as soon as they are beaten by this metric."),
]
RaceConfidence = Annotated[
    float | None,
    typer.Option(metavar="P", help="Of keeping the best cell.", show_default="0.95"),
]
RaceBlock = Annotated[
    int | None, typer.Option(metavar="ROWS", help="Rows asked between two looks.", show_default="20")
]
RaceSeed = Annotated[int | None, typer.Option(help="Of the rows' random order.", show_default="0")]


def race_settings(
    metric: str | None, confidence: float | None, block: int | None, seed: int | None
) -> RaceSettings | None:
    """The race that was asked for; None for a run of all rows. Raises UsageError."""
    from workbench.core.race import RaceSettings

    options = {"confidence": confidence, "block": block, "seed": seed}
    given = {name: value for name, value in options.items() if value is not None}
    if metric is None:
        if given:
            raise UsageError(f"--race-{next(iter(given))} goes with --race METRIC.")
        return None
    return RaceSettings(metric, **given)  # type: ignore[arg-type]


def say_race(report: Report) -> None:
    """Which cells stopped and when, how it ended, and what was saved; nothing where there was no race."""
    from workbench.engine.racing import outcome

    race = report.race
    if race is None:
        return
    cells = [line.cell for line in report.cells]
    say("")
    for index, stop in sorted(race.stopped.items(), key=lambda item: item[1].rows):
        say(
            f"{cells[index].label}: stopped after {counted(stop.rows, 'row')}, "
            f"beaten by {cells[stop.by].label}"
        )
    say(outcome(race, cells))
    whole = report.calls + report.calls_saved
    share = f" ({report.calls_saved / whole:.0%})" if whole else ""
    say(f"Calls saved: about {report.calls_saved:,} of {whole:,}{share}.")


def say_unheld(report: Report) -> None:
    """Says which cells no bar was held against, because the race stopped them."""
    stopped = [line.cell.label for line in report.cells if line.stopped is not None]
    if stopped:
        say(f"Not held to the bars, as the race stopped them: {', '.join(stopped)}")
