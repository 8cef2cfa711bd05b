"""Finding stored runs, and telling whether some process is at one.

A run belongs to whoever holds its lock file: the worker process or a command line. The lock dies
with its holder, so a run that says `running` while nobody holds its lock was interrupted.
"""

from __future__ import annotations

import datetime
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from workbench.core.experiment import Experiment
from workbench.core.race import Race
from workbench.engine.locks import hold_lock, is_locked
from workbench.engine.workspace import Workspace
from workbench.errors import RunError, UnknownName
from workbench.storage import RunRecord


def new_id() -> str:
    """An id for what begins now, such as `20261121-143005-9f3ac1`; ids sort by time."""
    return f"{datetime.datetime.now(datetime.UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(3)}"


def get_run(workspace: Workspace, run: str) -> RunRecord:
    """The stored run. Raises UnknownName, for a deleted one too."""
    record = workspace.store.runs.get(run)
    if record is None or record.deleted_at is not None:
        raise UnknownName("run", run, [other.id for other in workspace.store.runs.newest(limit=200)])
    return record


def find_run(workspace: Workspace, text: str) -> str:
    """A run's id from its id, its unique beginning or end, `latest` (no probe), or an experiment's name."""
    runs_table = workspace.store.runs
    newest = runs_table.newest(limit=50, experiment=None if text == "latest" else text)
    newest = [record for record in newest if "probe" not in record.definition]
    if newest:
        return newest[0].id
    found = runs_table.newest(limit=2, part=text) if text and text != "latest" else []
    if len(found) == 1 or (found and found[0].id == text):
        return found[0].id
    if len(found) > 1:
        raise RunError(f"'{text}' fits several runs, such as {found[0].id} and {found[1].id}.")
    if text == "latest":
        raise RunError("There is no run yet; start one with `workbench run experiments/quickstart.yaml`.")
    raise UnknownName("run", text, [record.id for record in runs_table.newest(limit=200)])


def previous_run(workspace: Workspace, run: str) -> str:
    """The newest completed run of the same experiment before this one. Raises RunError if there is none."""
    record = get_run(workspace, run)
    for other in workspace.store.runs.newest(limit=1000, experiment=record.experiment):
        earlier = (other.created_at, other.id) < (record.created_at, record.id)
        if earlier and other.status == "completed" and "probe" not in other.definition:
            return other.id
    raise RunError(f"There is no completed run of '{record.experiment}' before run '{run}'.")


def effective_status(workspace: Workspace, record: RunRecord) -> str:
    """The stored status, but `interrupted` where it says running and nobody is at it."""
    if record.status == "running" and not is_held(workspace, record.id):
        # whoever let go of it in between may have ended it well, or taken it up anew
        now = workspace.store.runs.get(record.id)
        if now is None or (now.status == "running" and not is_held(workspace, record.id)):
            return "interrupted"
        return now.status
    return record.status


def is_imported(record: RunRecord) -> bool:
    """Whether a run's outputs were made elsewhere: nothing can be asked again."""
    return "imported" in record.definition


def experiment_of(record: RunRecord) -> Experiment:
    """The experiment that a run executes, as it was when the run was made."""
    return Experiment.model_validate(record.definition["experiment"])


def repeats_of(record: RunRecord) -> int:
    """How often a run asks each row."""
    return int(record.definition["experiment"].get("repeats", 1))


def race_of(record: RunRecord) -> Race | None:
    """The race that a run is; None where all of its cells get all rows."""
    return Race.from_json(record.race) if record.race else None


@contextmanager
def hold(workspace: Workspace, run: str) -> Iterator[None]:
    """Holds a run's lock. Raises filelock.Timeout when another process has it."""
    with hold_lock(_lock(workspace, run)):
        yield


def is_held(workspace: Workspace, run: str) -> bool:
    """Whether some live process is at this run."""
    return is_locked(_lock(workspace, run))


def _lock(workspace: Workspace, run: str) -> Path:
    return workspace.locks_dir / f"run-{run}.lock"
