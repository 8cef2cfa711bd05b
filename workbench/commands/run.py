"""`workbench run`: an experiment from start to result table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from workbench.commands.bars import Bar, missed_bars, read_bars
from workbench.commands.failed_calls import SOME_CALLS_FAILED, failed_calls
from workbench.commands.printing import AsJson, counted, print_json, seconds, write
from workbench.commands.races import (
    RaceBlock,
    RaceConfidence,
    RaceMetric,
    RaceSeed,
    race_settings,
    say_race,
    say_unheld,
)
from workbench.commands.session import say, workspace
from workbench.commands.working import worked
from workbench.errors import UsageError

if TYPE_CHECKING:
    from workbench.core.experiment import Experiment
    from workbench.core.race import RaceSettings
    from workbench.core.run import Report
    from workbench.engine import Workspace

BAR_MISSED = 4


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("run")(run)


def run(
    context: typer.Context,
    experiment: Annotated[
        str | None, typer.Argument(help="Name of an experiment, or its YAML file.", show_default=False)
    ] = None,
    limit: Annotated[int | None, typer.Option(help="At most this many rows.")] = None,
    resume: Annotated[
        str | None,
        typer.Option(metavar="RUN", help="Go on with this stopped run instead."),
    ] = None,
    no_cache: Annotated[
        bool, typer.Option("--no-cache", help="Ask every model again, even where the answer is known.")
    ] = False,
    budget: Annotated[
        float | None, typer.Option(metavar="USD", help="Stop before more than this is spent.")
    ] = None,
    fail_under: Annotated[
        list[str] | None,
        typer.Option(
            metavar="[PROMPT:]METRIC=X", help="Exit with 4 if a cell's mean is below; may be repeated."
        ),
    ] = None,
    fail_over: Annotated[
        list[str] | None,
        typer.Option(metavar="[PROMPT:]METRIC=X", help="The same, for metrics of which less is better."),
    ] = None,
    race: RaceMetric = None,
    race_confidence: RaceConfidence = None,
    race_block: RaceBlock = None,
    race_seed: RaceSeed = None,
    as_json: AsJson = False,
) -> None:
    """Run an experiment and print its result table.

    \b
    Examples:
      workbench run quickstart
      workbench run experiments/quickstart.yaml --limit 10 --json
      workbench run quickstart --fail-under step-by-step:exact_match=0.5
      workbench run quickstart --race exact_match
      workbench run --resume latest
    """

    opened = workspace(context)
    chosen = _chosen(opened, experiment, resume)
    bars = read_bars(chosen, fail_under or (), fail_over or ())
    racing = race_settings(race, race_confidence, race_block, race_seed)
    run_id = _prepared(opened, chosen, limit, resume, no_cache, budget, racing)
    if resume is None and racing is None:
        _say_what_it_will_show(opened, run_id)
    report = worked(opened, run_id)
    _show(opened, report, as_json)
    raise typer.Exit(_exit_code(opened, report, bars))


def _chosen(opened: Workspace, experiment: str | None, resume: str | None) -> Experiment:
    from workbench.engine import find_run
    from workbench.engine.records import experiment_of, get_run

    if (experiment is None) == (resume is None):
        raise UsageError("Name either an experiment, or a run with --resume; see workbench run --help.")
    if resume is not None:
        return experiment_of(get_run(opened, find_run(opened, resume)))
    found: Experiment = opened.experiment(str(experiment))
    return found


def _prepared(
    opened: Workspace,
    experiment: Experiment,
    limit: int | None,
    resume: str | None,
    no_cache: bool,
    budget: float | None,
    race: RaceSettings | None,
) -> str:
    from workbench.engine import create_run, find_run, raise_budget, resume_run

    if resume is not None:
        if limit is not None or no_cache or race is not None:
            raise UsageError(
                "A resumed run keeps its rows, cache and race: leave out --limit, --no-cache and --race."
            )
        run_id: str = find_run(opened, resume)
        resume_run(opened, run_id, owner="command")
        if budget is not None:
            raise_budget(opened, run_id, budget)
        return run_id
    created: str = create_run(
        opened,
        experiment,
        limit=limit,
        use_cache=not no_cache,
        budget_usd=budget,
        owner="command",
        race=race,
    )
    return created


def _say_what_it_will_show(opened: Workspace, run: str) -> None:
    from workbench.engine import detectable_of_run

    found = detectable_of_run(opened, run)
    if found is not None:
        say(found.sentence)


def _show(opened: Workspace, report: Report, as_json: bool) -> None:
    from workbench.engine import export_report, report_json

    say_race(report)
    if as_json:
        print_json(report_json(report))
        return
    write(export_report(opened, report.run, "table"), None)
    say(
        f"\n{counted(report.calls, 'call')} ({report.cached:,} from cache) in {seconds(report.seconds)}, "
        f"{counted(report.errors, 'error')}, {report.cost_usd:.4f} USD."
        f"\nNext: workbench compare {report.run}"
    )


def _exit_code(opened: Workspace, report: Report, bars: list[Bar]) -> int:
    missed = missed_bars(bars, report)
    if bars:
        say_unheld(report)
    for sentence in missed:
        say(f"Missed: {sentence}")
    if missed:
        return BAR_MISSED
    if failed_calls(opened, report):
        return SOME_CALLS_FAILED
    return 0 if report.status == "completed" else 1
