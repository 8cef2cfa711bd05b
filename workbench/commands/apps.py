"""`workbench app`: the browser app, on this machine only, and the worker that runs its experiments."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from workbench.commands.session import session


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("app")(serve_app)


def serve_app(
    context: typer.Context,
    port: Annotated[
        int | None, typer.Option(help="Default: the first free one from 8501.", min=1, max=65535)
    ] = None,
    no_browser: Annotated[bool, typer.Option("--no-browser", help="Do not open a browser window.")] = False,
) -> None:
    """Start the browser app on 127.0.0.1, and its worker.

    \b
    Examples:
      workbench app
      workbench app --port 8600 --no-browser
    """
    from workbench.app.launch import serve

    options = session(context)
    if options.database:
        os.environ["WORKBENCH_DATABASE"] = options.database  # the app and its worker are other processes
    serve(options.root, port=port, open_browser=not no_browser)
