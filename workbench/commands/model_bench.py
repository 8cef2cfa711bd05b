"""`workbench models bench`: how fast a model is on this machine, in about half a minute."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from workbench.commands.printing import AsJson, print_fields, print_json, print_table, seconds
from workbench.commands.session import say, stoppable, workspace

if TYPE_CHECKING:
    from workbench.engine.benchmarking import BenchmarkProgress, BenchmarkResult


def bench(
    context: typer.Context,
    model: Annotated[str, typer.Argument(metavar="MODEL", help="NAME, or NAME@QUANTIZATION.")],
    seconds_in_all: Annotated[
        float, typer.Option("--seconds", help="How long to measure, about.", min=2, max=600)
    ] = 30.0,
    hosted: Annotated[
        bool, typer.Option("--hosted", help="Also call a model that is not on this machine; may cost money.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Measure a model's speed on this machine: prefill and decode at 1, 8 and 32 requests at once.

    \b
    Examples:
      workbench models bench small
      workbench models bench small@int8 --seconds 10 --json
    """
    from workbench.engine.benchmarking import benchmark_json, benchmark_model

    with stoppable(), _shown() as show:
        found = benchmark_model(workspace(context), model, seconds_in_all, show, hosted=hosted)
    if as_json:
        print_json(benchmark_json(found))
        return
    _print(found)


def _print(found: BenchmarkResult) -> None:
    print_fields(
        [
            ("model", found.model),
            ("machine", f"{found.machine} ({found.device})"),
            ("load", seconds(found.load_s)),
            ("first token", "–" if found.first_token_s is None else f"{found.first_token_s:.3f} s"),
            ("memory", f"{found.footprint.memory_bytes / 1e6:,.0f} MB" if found.footprint else None),
        ]
    )
    print()
    print_table(
        ("at once", "prefill tokens/s", "decode tokens/s", "note"),
        [
            (
                speed.batch,
                _rate(speed.prefill_tokens_per_s),
                _rate(speed.decode_tokens_per_s),
                speed.note,
            )
            for speed in found.speeds
        ],
    )


def _rate(value: float | None) -> str:
    return "–" if value is None else f"{value:,.0f}" if value >= 10 else f"{value:.1f}"


@contextmanager
def _shown() -> Iterator[Callable[[BenchmarkProgress], None]]:
    """A bar where a person watches; a line for each figure where a log does."""
    if not sys.stderr.isatty():
        said = ""

        def tell(progress: BenchmarkProgress) -> None:
            nonlocal said
            if progress.message != said:
                said = progress.message
                say(said)

        yield tell
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[rest]}"))
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("starting", total=1.0, rest="")

        def show(progress: BenchmarkProgress) -> None:
            left = "" if progress.seconds_left is None else f"{seconds(progress.seconds_left)} left"
            bar.update(task, description=progress.message, completed=progress.share, rest=left)

        yield show
