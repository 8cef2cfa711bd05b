"""One tuning at a time on a machine: whoever trains holds a lock, and the others can tell for whom they wait.

CACHE/tuning.lock        held for as long as a tuning is worked, by whatever workspace of this person
CACHE/tuning.json        {"tuning": "20261121-…", "recipe": "quickstart", "root": "/home/ana/prompts"}
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from workbench.core.files import write_text
from workbench.engine.locks import hold_lock, is_locked
from workbench.engine.workspace import Workspace
from workbench.errors import StorageError
from workbench.models.gguf.files import cache_folder


@contextmanager
def turn(workspace: Workspace, tuning: str, recipe: str) -> Iterator[None]:
    """Holds the machine's turn. Raises filelock.Timeout when another tuning has it."""
    folder = _folder(workspace)
    with hold_lock(folder / "tuning.lock"):
        whose = {"tuning": tuning, "recipe": recipe, "root": str(workspace.root)}
        with contextlib.suppress(StorageError):  # a note for those who wait, no more
            write_text(folder / "tuning.json", json.dumps(whose))
        yield


def turn_is_free(workspace: Workspace) -> bool:
    """Whether a tuning could begin now."""
    return not is_locked(_folder(workspace) / "tuning.lock")


def waiting_for(workspace: Workspace) -> str:
    """A sentence that says for which tuning others wait."""
    try:
        whose = json.loads((_folder(workspace) / "tuning.json").read_text("utf-8"))
        tuning, recipe, root = str(whose["tuning"]), str(whose["recipe"]), str(whose["root"])
    except (OSError, ValueError, KeyError, TypeError):
        return "Waits for another tuning on this machine."
    where = "" if root == str(workspace.root) else f" in {root}"
    return f"Waits for tuning {tuning} ('{recipe}'){where}: one at a time on a machine."


def _folder(workspace: Workspace) -> Path:
    folder = cache_folder().parent
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "tuning.lock").touch()
    except OSError:  # no home to write to: then at least one at a time in this workspace
        return workspace.locks_dir
    return folder
