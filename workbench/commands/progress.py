"""Progress on stderr: a bar where a person watches, a line every few seconds where a log does."""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from workbench.commands.printing import seconds
from workbench.commands.session import say

if TYPE_CHECKING:
    from workbench.core.run import Progress

SECONDS_BETWEEN_LINES = 5.0
NUMBER = re.compile(r"[\d,.]+")
"""Words that differ in their numbers alone say that something counts on."""


@contextmanager
def shown_progress() -> Iterator[Callable[[Progress], None]]:
    """A function that shows each progress it is given, for as long as the block lasts."""
    if not sys.stderr.isatty():
        yield _lines()
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
    from rich.progress import Progress as Bar

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rest]}"),
    )
    with Bar(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("Starting", total=None, rest="")

        def show(progress: Progress) -> None:
            bar.update(
                task,
                description=progress.message or progress.status.capitalize(),
                completed=progress.done,
                total=progress.total or None,
                rest=pace(progress),
            )

        yield show


def _lines() -> Callable[[Progress], None]:
    last_s, last_done, last_message, said_s = -SECONDS_BETWEEN_LINES, 0, "", 0.0

    def show(progress: Progress) -> None:
        nonlocal last_s, last_done, last_message, said_s
        now_s = time.monotonic()
        counts_on = NUMBER.sub("", progress.message) == NUMBER.sub("", last_message)
        if progress.message and progress.message != last_message:
            if not counts_on or now_s - said_s >= SECONDS_BETWEEN_LINES:
                say(progress.message)
                last_message, said_s = progress.message, now_s
        else:
            last_message = progress.message
        finished = progress.done == progress.total
        due = finished or now_s - last_s >= SECONDS_BETWEEN_LINES
        if progress.total and progress.done != last_done and due:
            last_s, last_done = now_s, progress.done
            say(f"{progress.done}/{progress.total} {pace(progress)}".rstrip())

    return show


def pace(progress: Progress) -> str:
    """`12.5/s, 40 s left, 3 from cache, 1 error, 0.02 USD`: what is known of it."""
    parts = []
    if progress.per_second:
        parts.append(f"{progress.per_second:.1f}/s")
    if progress.seconds_left is not None and progress.done < progress.total:
        parts.append(f"{seconds(progress.seconds_left)} left")
    if progress.cached:
        parts.append(f"{progress.cached} from cache")
    if progress.errors:
        parts.append(f"{progress.errors} error{'s' if progress.errors > 1 else ''}")
    if progress.cost_usd:
        parts.append(f"{progress.cost_usd:.4f} USD")
    return ", ".join(parts)
