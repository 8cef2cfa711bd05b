"""One use of the command line: which workspace it is about, and how its errors reach the person."""

from __future__ import annotations

import logging
import os
import re
import signal
import sys
import tempfile
import threading
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

import typer

from workbench.errors import WorkbenchError

if TYPE_CHECKING:
    from workbench.engine import Workspace

WITH_VALUE = ("--root", "--database")
PRIVATE_NAME = re.compile(r"KEY|TOKEN|SECRET|PASSWORD|CREDENTIAL")
INTERRUPTED = 130
PATIENCE_S = 1.0
"""How long Ctrl-C waits for what is under way to end by itself."""


@dataclass(frozen=True, slots=True)
class Session:
    """The options that every command shares."""

    root: Path | None = None
    database: str | None = None
    debug: bool = False


def session(context: typer.Context) -> Session:
    """The shared options of this use of the command line."""
    return context.find_object(Session) or Session()


def workspace(context: typer.Context) -> Workspace:
    """The workspace that this use of the command line is about."""
    from workbench.engine import Workspace

    options = session(context)
    return Workspace.open(options.root, options.database)


def first(arguments: list[str]) -> list[str]:
    """The shared options moved to the front, so that they may stand anywhere.

    >>> first(["run", "quickstart", "--root", "here"])
    ['--root', 'here', 'run', 'quickstart']
    """
    ahead: list[str] = []
    rest: list[str] = []
    waiting = list(arguments)
    while waiting:
        word = waiting.pop(0)
        if word == "--":
            rest += [word, *waiting]
            break
        if word in WITH_VALUE and waiting:
            ahead += [word, waiting.pop(0)]
        elif word == "--debug" or word.startswith(tuple(f"{name}=" for name in WITH_VALUE)):
            ahead.append(word)
        else:
            rest.append(word)
    return ahead + rest


def say(sentence: str) -> None:
    """A line for the person, on stderr: stdout belongs to results."""
    print(sentence, file=sys.stderr, flush=True)


def failed(error: BaseException, arguments: list[str]) -> int:
    """Says what went wrong in one sentence; returns the exit code."""
    if "--debug" in arguments:
        say(redacted("".join(traceback.format_exception(error))).rstrip())
    if isinstance(error, WorkbenchError):
        say(f"Error: {redacted(str(error))}")
        return error.exit_code
    kept = _keep(error, arguments)
    say(
        f"Error: something went wrong that the workbench did not expect ({type(error).__name__}: "
        f"{redacted(str(error)).splitlines()[0][:200] if str(error) else 'no message'}). {kept}"
    )
    return 1


@contextmanager
def stoppable(last_words: str = "Stopped.") -> Iterator[None]:
    """Ends the command soon after Ctrl-C, with `last_words` and the exit code 130.

    A thread that imports a library or reads weights cannot be interrupted, and Python waits for it
    at its end: after a second nobody waits any longer.
    """
    said = threading.Lock()

    def leave() -> None:
        if said.acquire(blocking=False):
            say(last_words)
            os._exit(INTERRUPTED)

    def stop(_signal: int, _frame: FrameType | None) -> None:
        timer = threading.Timer(PATIENCE_S, leave)
        timer.daemon = True
        timer.start()
        # the interruption lands in whichever task is at work, which asyncio would print as its failure,
        # or in a destructor, which Python would print and forget
        logging.getLogger("asyncio").setLevel(logging.CRITICAL + 1)
        sys.unraisablehook = _not_the_interruption
        raise KeyboardInterrupt

    hook = sys.unraisablehook
    before = {each: signal.signal(each, stop) for each in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    except KeyboardInterrupt:
        if said.acquire(blocking=False):
            say(last_words)
        raise typer.Exit(INTERRUPTED) from None
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
        sys.unraisablehook = hook


def _not_the_interruption(found: sys.UnraisableHookArgs) -> None:
    if not issubclass(found.exc_type, KeyboardInterrupt):
        sys.__unraisablehook__(found)


def redacted(text: str) -> str:
    """The text without the value of any environment variable that looks like a secret."""
    for name, value in os.environ.items():
        if PRIVATE_NAME.search(name.upper()) and len(value) >= 6:
            text = text.replace(value, f"${name}")
    return re.sub(r"(://[^/\s:@]+:)[^/\s@]+@", r"\1…@", text)


def _keep(error: BaseException, arguments: list[str]) -> str:
    """Writes the traceback where the person can find it; returns the sentence that says where."""
    state = Path(os.environ.get("WORKBENCH_ROOT") or ".", ".workbench")
    folder = state if state.is_dir() and os.access(state, os.W_OK) else Path(tempfile.gettempdir())
    log = folder / "workbench-errors.log"
    text = redacted("".join(traceback.format_exception(error)))
    try:
        descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW, 0o600)
        with os.fdopen(descriptor, "a", encoding="utf-8") as file:
            now = datetime.now().isoformat(timespec="seconds")
            file.write(f"{now} workbench {redacted(' '.join(arguments))}\n{text}\n")
    except OSError:
        return "See it in full with --debug."
    return f"The details are in {log}; --debug shows them."
