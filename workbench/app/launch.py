"""Starting the app: its worker and the web server, on this machine's own address only.

serve(Path("."))   prints http://127.0.0.1:8501 and runs until Ctrl-C
"""

from __future__ import annotations

import os
import socket
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from workbench.engine import Workspace, ensure_worker
from workbench.errors import InvalidFile, UsageError

ADDRESS = "127.0.0.1"
DEFAULT_PORT = 8501
MAIN = Path(__file__).parent / "main.py"
CONFIG = Path(".streamlit") / "config.toml"
ALWAYS: dict[str, Any] = {
    "server.address": ADDRESS,
    "server.fileWatcherType": "none",
    "server.showEmailPrompt": False,
    "browser.gatherUsageStats": False,
    "client.showErrorDetails": "none",
    "global.developmentMode": False,
    "runner.magicEnabled": False,  # a page's docstrings are no output
}
"""What holds whatever a configuration file says."""


def serve(root: Path | None = None, port: int | None = None, open_browser: bool = True) -> None:
    """Opens the workspace, wakes the worker, and serves the app until it is stopped.

    Args:
        root: the workspace's folder; default: $WORKBENCH_ROOT, else the working directory.
        port: default: the first free one from 8501.

    Raises WorkbenchError when `root` is no workspace or the port is taken.
    """
    workspace = Workspace.open(root)
    port = free_port(port)
    os.environ["WORKBENCH_ROOT"] = str(workspace.root)
    options = settings(workspace.root) | {"server.port": port, "server.headless": not open_browser}
    ensure_worker(workspace)
    workspace.close()
    print(f"Workbench: http://{ADDRESS}:{port}  (stop it with Ctrl-C)", flush=True)
    _run(options)


def settings(root: Path) -> dict[str, Any]:
    """Streamlit's settings: the workspace's own config.toml, else the one that ships with the source.

    Streamlit itself would only look in the working directory. Raises InvalidFile.
    """
    beside_package = Path(__file__).parents[2] / CONFIG
    for file in (root / CONFIG, beside_package):
        if file.is_file():
            try:
                content = tomllib.loads(file.read_text(encoding="utf-8"))
            except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
                raise InvalidFile(f"not valid TOML: {error}.", str(file)) from None
            return dict(flattened(content)) | ALWAYS
    return dict(ALWAYS)


def flattened(content: dict[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    """`{"theme": {"light": {"textColor": "#000"}}}` as ("theme.light.textColor", "#000")."""
    for key, value in content.items():
        if isinstance(value, dict):
            yield from flattened(value, f"{before}{key}.")
        else:
            yield f"{before}{key}", value


def free_port(asked: int | None = None) -> int:
    """The port asked for, or the first free one. Raises UsageError when it cannot be had."""
    for port in (asked,) if asked is not None else range(DEFAULT_PORT, DEFAULT_PORT + 100):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((ADDRESS, port))
            except (OSError, OverflowError):
                continue
            return port
    raise UsageError(f"Port {asked or DEFAULT_PORT} is taken or not allowed; choose another with --port.")


def _run(options: dict[str, Any]) -> None:
    from streamlit.web import bootstrap

    named = {key.replace(".", "_"): value for key, value in options.items()}
    bootstrap.load_config_options(named)
    bootstrap.run(str(MAIN), False, [], named)
