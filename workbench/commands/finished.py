"""Finished outputs from files of other tools, as `workbench import` takes them: options, progress, words."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from workbench.commands.printing import counted, print_json, printable
from workbench.commands.progress import SECONDS_BETWEEN_LINES
from workbench.commands.session import say
from workbench.errors import InvalidFile, UsageError

if TYPE_CHECKING:
    from workbench.engine import Workspace

DATASET = "dataset"
"""`--format dataset`: rows to ask models about, whatever stands in the file."""

OutputColumn = Annotated[
    str | None,
    typer.Option("--output", metavar="COLUMN", help="Of a table: the outputs; makes it finished outputs."),
]
ModelColumn = Annotated[
    str | None, typer.Option("--model", metavar="COLUMN", help="Of a table: which model each output is of.")
]
ModelName = Annotated[
    str | None, typer.Option(metavar="NAME", help="The model of every output, where no column says.")
]
PromptColumn = Annotated[
    str | None, typer.Option("--prompt", metavar="COLUMN", help="Of a table: which prompt each output is of.")
]
RowColumn = Annotated[
    str | None,
    typer.Option("--row", metavar="COLUMN", help="Of a table: equal for outputs of the same row."),
]
ScoreColumns = Annotated[
    list[str] | None,
    typer.Option("--score", metavar="COLUMN", help="Of a table: scores to keep; may be repeated."),
]
LowerScores = Annotated[
    list[str] | None,
    typer.Option("--lower", metavar="SCORE", help="An imported score of which less is better; repeatable."),
]
Answer = Annotated[
    str | None,
    typer.Option(metavar="YAML", help="How answers are read out of finished outputs, as a prompt says it."),
]
FormatName = Annotated[
    str | None,
    typer.Option(
        "--format", metavar="NAME", help="Of examples or finished outputs; default: what stands in the file."
    ),
]


@dataclass(frozen=True, slots=True)
class FinishedOptions:
    """The options that only finished outputs have, as they were given."""

    output: str | None
    model: str | None
    model_name: str | None
    prompt: str | None
    row: str | None
    scores: tuple[str, ...]
    lower: tuple[str, ...]
    answer: str | None

    def given(self) -> list[str]:
        """The options that were used."""
        values = {
            "--output": self.output,
            "--model": self.model,
            "--model-name": self.model_name,
            "--prompt": self.prompt,
            "--row": self.row,
            "--score": self.scores,
            "--lower": self.lower,
            "--answer": self.answer,
        }
        return [name for name, value in values.items() if value]


def are_finished(
    files: Sequence[Path], format_name: str | None, options: FinishedOptions, reference: str | None
) -> bool:
    """Whether all files hold finished outputs. Raises UsageError where only some do, or options say so."""
    from workbench.engine.finished.importing import finished_format_of

    if format_name == DATASET:
        found: list[str | None] = [None]
    else:
        settings = _settings(options, reference)
        found = [finished_format_of(file, format_name, settings) for file in files]
    if all(found):
        return True
    if len(files) > 1:
        other = files[found.index(None)] if len(found) == len(files) else files[0]
        raise UsageError(
            f"Several files are imported together only where all hold finished outputs; {other} does not: "
            "import it alone, or name the column with --output."
        )
    if options.given():
        raise UsageError(
            f"{files[0]}: {' and '.join(options.given())} {'has' if len(options.given()) == 1 else 'have'} "
            "a meaning for finished outputs only; for a table say which column has them with --output."
        )
    return False


def import_outputs(
    opened: Workspace,
    files: Sequence[Path],
    *,
    name: str | None,
    format_name: str | None,
    options: FinishedOptions,
    reference: str | None,
    encoding: str | None,
    as_json: bool,
) -> None:
    """Makes a run of finished outputs and says what came of it."""
    from workbench.engine.finished.importing import import_finished

    with shown_reading() as on_reading:
        made = import_finished(
            opened,
            files,
            name,
            format_name=format_name,
            settings=_settings(options, reference),
            encoding=encoding,
            on_reading=on_reading,
        )
    if as_json:
        print_json(
            {
                "run": made.run,
                "rows": made.rows,
                "cells": made.cells,
                "ratings": made.ratings,
                "unmapped": made.unmapped,
            }
        )
        return
    print(
        f"Run {made.run} ({made.name}): {counted(made.rows, 'row')}, {counted(made.cells, 'cell')}, "
        f"{counted(made.outputs, 'output')}, {counted(made.ratings, 'rating')}"
    )
    if made.scores:
        print(printable(f"Scores: {', '.join(made.scores)}"))
    for sentence in made.unmapped:
        say(printable(f"Left out: {sentence}"))
    say(f"Next: workbench compare {made.run}")


def _settings(options: FinishedOptions, reference: str | None) -> Any:
    from workbench.core.document import load
    from workbench.core.prompt import AnswerRule
    from workbench.engine.finished.records import ImportSettings

    rule = None
    if options.answer is not None:
        try:
            rule = load(AnswerRule, options.answer)
        except InvalidFile as problem:
            raise UsageError(f"--answer: {problem}") from None
    return ImportSettings(
        output=options.output,
        model=options.model,
        model_name=options.model_name,
        prompt=options.prompt,
        reference=reference,
        row=options.row,
        scores=options.scores,
        lower=options.lower,
        answer=rule,
    )


@contextmanager
def shown_reading() -> Iterator[Callable[[str, int, int], None]]:
    """A function that shows how far the reading of a file is: a bar, or a line every few seconds."""
    if not sys.stderr.isatty():
        yield _lines()
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        tasks: dict[str, Any] = {}

        def show(file: str, done_bytes: int, total_bytes: int) -> None:
            if file not in tasks:
                tasks[file] = bar.add_task(printable(file), total=total_bytes)
            bar.update(tasks[file], completed=done_bytes)

        yield show


def _lines() -> Callable[[str, int, int], None]:
    said_at = time.monotonic()

    def show(file: str, done_bytes: int, total_bytes: int) -> None:
        nonlocal said_at
        if time.monotonic() - said_at >= SECONDS_BETWEEN_LINES:
            said_at = time.monotonic()
            say(printable(f"{file}: {done_bytes / 1e6:,.0f} of {total_bytes / 1e6:,.0f} MB read"))

    return show
