"""`workbench app`: the browser app, on this machine only, and the worker that runs its experiments."""

from __future__ import annotations

import os
import socket
import sys
from pathlib import Path
from typing import Annotated

import typer

from workbench.commands.session import say, workspace
from workbench.errors import UsageError

LOOPBACK = "127.0.0.1"
FIRST_PORT = 8501
PACKAGE = Path(__file__).resolve().parents[1]


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("app")(serve)


def serve(
    context: typer.Context,
    port: Annotated[
        int | None, typer.Option(help=f"Default: the first free one from {FIRST_PORT}.", min=1, max=65535)
    ] = None,
    no_browser: Annotated[bool, typer.Option("--no-browser", help="Do not open a browser window.")] = False,
) -> None:
    """Start the browser app on 127.0.0.1, and its worker.

    \b
    Examples:
      workbench app
      workbench app --port 8600 --no-browser
    """
    from workbench.engine import ensure_worker

    opened = workspace(context)
    chosen = _free_port(port)
    ensure_worker(opened)
    say(f"The workbench is at http://{LOOPBACK}:{chosen} (Ctrl-C stops it)")
    environment = os.environ | {"WORKBENCH_ROOT": str(opened.root), "WORKBENCH_DATABASE": opened.database_url}
    opened.close()
    os.chdir(_settings_folder(opened.root))
    command = [
        *(sys.executable, "-m", "streamlit", "run", str(PACKAGE / "app" / "main.py")),
        f"--server.address={LOOPBACK}",
        f"--server.port={chosen}",
        f"--server.headless={str(no_browser).lower()}",
        "--server.fileWatcherType=none",
        "--server.showEmailPrompt=false",
        "--browser.gatherUsageStats=false",
    ]
    sys.stdout.flush()
    # the app takes this process over, so that signals and the exit code are its own
    os.execve(sys.executable, command, environment)


def _settings_folder(root: Path) -> Path:
    """Streamlit reads .streamlit/config.toml from the working directory only."""
    for folder in (root, PACKAGE.parent):
        if (folder / ".streamlit" / "config.toml").is_file():
            return folder
    return root


def _free_port(asked: int | None) -> int:
    for port in (asked,) if asked else range(FIRST_PORT, FIRST_PORT + 100):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((LOOPBACK, port))
            except OSError:
                continue
            return port
    raise UsageError(f"Port {asked or FIRST_PORT} is in use; give another with --port.")
