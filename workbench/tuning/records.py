"""Finding stored tunings, and telling whether some process is at one.

As with runs, a tuning belongs to whoever holds its lock file, and the lock dies with its holder: a tuning
that says `running` while nobody holds its lock was interrupted.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from workbench.core.tuning import TuningStatus
from workbench.engine.locks import hold_lock, is_locked
from workbench.engine.workspace import Workspace
from workbench.errors import TuningError, UnknownName
from workbench.storage.tunings import TuningRecord


def get_tuning(workspace: Workspace, tuning: str) -> TuningRecord:
    """The stored tuning. Raises UnknownName, for a deleted one too."""
    record = workspace.store.tunings.get(tuning)
    if record is None or record.deleted_at is not None:
        known = [other.id for other in workspace.store.tunings.newest(limit=200)]
        remedy = ""
        if record is not None:
            remedy = f"It was deleted; bring it back with `workbench tunings undelete {tuning}`."
        raise UnknownName("tuning", tuning, known, remedy)
    return record


def find_tuning(workspace: Workspace, text: str) -> str:
    """A tuning's id from its id, its unique beginning or end, `latest`, a tuned model or a recipe's name."""
    stored = workspace.store.tunings
    if text == "latest":
        newest = stored.newest(limit=1)
        if not newest:
            raise TuningError("There is no tuning yet; start one with `workbench tune RECIPE.yaml`.")
        return newest[0].id
    newest = stored.newest(limit=1, model=text) or stored.newest(limit=1, recipe=text)
    if newest:
        return newest[0].id
    found = stored.newest(limit=2, part=text) if text else []
    if len(found) == 1 or (found and found[0].id == text):
        return found[0].id
    if len(found) > 1:
        first, second = found[0].id, found[1].id
        raise TuningError(f"'{text}' fits several tunings, such as {first} and {second}.")
    return get_tuning(workspace, text).id


def effective_status(workspace: Workspace, record: TuningRecord) -> TuningStatus:
    """The stored status, but `interrupted` where it says running and nobody is at it."""
    if record.status == "running" and not is_held(workspace, record.id):
        # whoever let go of it in between may have ended it well, or taken it up anew
        now = workspace.store.tunings.get(record.id)
        if now is None or (now.status == "running" and not is_held(workspace, record.id)):
            return "interrupted"
        return now.status
    return record.status


@contextmanager
def hold(workspace: Workspace, tuning: str) -> Iterator[None]:
    """Holds a tuning's lock. Raises filelock.Timeout when another process has it."""
    with hold_lock(_lock(workspace, tuning)):
        yield


def is_held(workspace: Workspace, tuning: str) -> bool:
    """Whether some live process is at this tuning."""
    return is_locked(_lock(workspace, tuning))


def _lock(workspace: Workspace, tuning: str) -> Path:
    return workspace.locks_dir / f"tuning-{tuning}.lock"
