"""Starting a module as a process of its own, which outlives the page that starts it."""

from __future__ import annotations

import os
import subprocess
import sys

from workbench.engine.workspace import Workspace

QUIET_THREADS = {"OMP_WAIT_POLICY": "PASSIVE", "GOMP_SPINCOUNT": "0", "TOKENIZERS_PARALLELISM": "false"}
"""Idle threads sleep instead of spinning: on shared cores spinning costs a factor of twenty."""

_started: list[subprocess.Popen[bytes]] = []


def reap() -> None:
    """Forgets processes that have ended, so that no zombies are kept."""
    _started[:] = [process for process in _started if process.poll() is None]


def start(workspace: Workspace, module: str, log: str, *arguments: str) -> subprocess.Popen[bytes]:
    """Runs `python -m MODULE --root … ARGUMENTS`; what it prints goes to the state folder's file `log`."""
    reap()
    # the URL may hold a password: it goes by environment, where `ps` does not show it
    environment = os.environ | QUIET_THREADS | {"WORKBENCH_DATABASE": workspace.database_url}
    with (workspace.state_dir / log).open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", module, "--root", str(workspace.root), *arguments],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env=environment,
            cwd=workspace.root,
            start_new_session=True,
        )
    _started.append(process)
    return process
