"""`workbench models download`: a model of the Hugging Face hub onto this machine, before it is needed."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from workbench.commands.printing import AsJson, print_fields, print_json, seconds
from workbench.commands.session import say, workspace

if TYPE_CHECKING:
    from workbench.models.local.hub import DownloadProgress

SECONDS_BETWEEN_LINES = 5.0


def download(
    context: typer.Context,
    model: Annotated[
        str,
        typer.Argument(
            metavar="MODEL", help="A row's name, or OWNER/NAME on the hub, or OWNER/NAME@REVISION."
        ),
    ],
    as_json: AsJson = False,
) -> None:
    """Fetch a model from the Hugging Face hub: weights as safetensors, tokenizer and configuration only.

    \b
    Examples:
      workbench models download HuggingFaceTB/SmolLM2-135M-Instruct
      workbench models download mine --json
    """
    from workbench.models.local.hub import download as fetch
    from workbench.models.local.hub import downloaded

    name = _on_hub(context, model)
    folder = downloaded(name)
    here = folder is not None
    if folder is None:
        with _shown(name) as show:
            folder = fetch(name, model, show)
    disk_bytes = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
    if as_json:
        found = {"model": name, "folder": str(folder), "disk_bytes": disk_bytes, "here_before": here}
        print_json(found)
        return
    print_fields([("model", name), ("folder", folder), ("disk", _size(disk_bytes))])
    say("It was here already." if here else f"Use it as `provider: transformers`, `model: {name}`.")


def _on_hub(context: typer.Context, model: str) -> str:
    """The hub's name of what was named: a row's, or the name itself."""
    from workbench.errors import UsageError, WorkbenchError
    from workbench.models.local.hub import is_hub_name

    try:
        spec = workspace(context).models.spec(model)
    except WorkbenchError:  # no such row, or no workspace: neither is needed to fetch a model
        if is_hub_name(model):
            return model
        raise
    if not is_hub_name(spec.model) or spec.provider != "transformers":
        raise UsageError(f"'{model}' is no model of the hub: its row names {spec.model!r} ({spec.provider}).")
    return str(spec.model)


@contextmanager
def _shown(name: str) -> Iterator[Callable[[DownloadProgress], None]]:
    """A function that shows each progress it is given: a bar on a terminal, now and then a line in a log."""
    if not sys.stderr.isatty():
        yield _lines()
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[rest]}"))
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(name, total=None, rest="")

        def show(progress: DownloadProgress) -> None:
            bar.update(
                task,
                completed=progress.done_bytes,
                total=progress.total_bytes or None,
                rest=_pace(progress),
            )

        yield show


def _lines() -> Callable[[DownloadProgress], None]:
    last_s = -SECONDS_BETWEEN_LINES

    def show(progress: DownloadProgress) -> None:
        nonlocal last_s
        now_s = time.monotonic()
        if now_s - last_s >= SECONDS_BETWEEN_LINES or progress.done_bytes == progress.total_bytes:
            last_s = now_s
            say(_pace(progress))

    return show


def _pace(progress: DownloadProgress) -> str:
    """`120 MB of 270 MB, 12 MB/s, 13 s left`."""
    parts = [f"{_size(progress.done_bytes)} of {_size(progress.total_bytes)}"]
    if progress.bytes_per_s and progress.done_bytes < progress.total_bytes:
        parts.append(f"{_size(progress.bytes_per_s)}/s")
        parts.append(f"{seconds(progress.seconds_left)} left")
    return ", ".join(parts)


def _size(count: float) -> str:
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / 1e6:.1f} MB"
