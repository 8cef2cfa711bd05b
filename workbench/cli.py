"""The command line: `workbench COMMAND`. Thin: it gathers the commands, and turns errors into sentences.

Exit codes: 0 done; 1 it could not be done; 2 wrong usage; 3 done, but some calls ended in errors;
4 a --fail-under bar was missed; 130 stopped by Ctrl-C.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from types import FrameType
from typing import Annotated

import typer

from workbench.commands import (
    apps,
    collections,
    compare,
    datasets,
    doctor,
    exports,
    imports,
    metrics,
    models,
    probe,
    prompts,
    rate,
    reports,
    run,
    runs,
    score,
    sizes,
    tune,
    tunings,
)
from workbench.commands.help_texts import Commands
from workbench.commands.session import INTERRUPTED, Session, failed, first, say
from workbench.errors import WorkbenchError

EXAMPLE = """Write prompts, run them over your rows on local and hosted models, compare with statistics, tune.

\b
Examples:
  workbench app
  workbench run quickstart
  workbench compare latest
  workbench export winner latest -o winner.yaml

Each command has its own --help. Everything works in the folder that holds prompts/ and experiments/.
"""

app = typer.Typer(
    name="workbench",
    cls=Commands,
    help=EXAMPLE,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)


def _show_version(asked: bool) -> None:
    if asked:
        from workbench import __version__

        print(f"workbench {__version__}")
        raise typer.Exit


@app.callback()
def options(
    context: typer.Context,
    root: Annotated[
        Path | None,
        typer.Option(
            help="Folder with prompts/ and experiments/.", envvar="WORKBENCH_ROOT", show_envvar=True
        ),
    ] = None,
    database: Annotated[
        str | None,
        typer.Option(
            help="URL of the database; default: a SQLite file under the root.",
            envvar="WORKBENCH_DATABASE",
            show_envvar=True,
        ),
    ] = None,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
    version: Annotated[
        bool, typer.Option("--version", help="Show the version.", is_eager=True, callback=_show_version)
    ] = False,
) -> None:
    """Options that stand before the command, or anywhere after it."""
    context.obj = Session(root, database, debug)


for module in (
    apps,
    run,
    reports,
    compare,
    rate,
    probe,
    sizes,
    score,
    exports,
    imports,
    metrics,
    models,
    datasets,
    prompts,
    runs,
    collections,
    tune,
    tunings,
    doctor,
):
    module.register(app)
for group in app.registered_groups:
    group.cls = Commands


def main(argv: list[str] | None = None) -> None:
    """Runs the command line and exits with its code."""
    arguments = first(sys.argv[1:] if argv is None else argv)
    signal.signal(signal.SIGTERM, _stop)
    try:
        try:
            app(arguments, prog_name="workbench")
        finally:
            sys.stdout.flush()
    except BrokenPipeError:
        _hush()
    except SystemExit as ending:
        if isinstance(ending.__context__, BrokenPipeError):
            _hush()
        if isinstance(getattr(ending.__context__, "__cause__", None), KeyboardInterrupt):
            say("Stopped.")  # where nothing was under way that says it itself
        raise
    except KeyboardInterrupt:
        say("Stopped.")
        sys.exit(INTERRUPTED)
    except (WorkbenchError, Exception) as error:
        sys.exit(failed(error, arguments))


def _hush() -> None:
    """Ends well: the reader of a pipe has what it wanted, and nothing may complain at exit either."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    sys.exit(0)


def _stop(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    main()
