"""What the worker does for tunings: it starts the process of the one whose turn it is, and begins again
after a death, but not for ever.

STATE/tunings/ID/attempts.json   {"reached": [2, 40], "starts": 2}: the second start that got no further
"""

from __future__ import annotations

import datetime
import json
import logging
import subprocess

from workbench.core.files import write_text
from workbench.core.tuning import STAGES
from workbench.engine import processes
from workbench.engine.workspace import Workspace
from workbench.storage.tunings import TuningRecord
from workbench.tuning.folders import TuningFolder
from workbench.tuning.records import is_held
from workbench.tuning.turns import turn_is_free, waiting_for

MOST_STARTS = 3
"""Starts that get no further than the one before; then the tuning has failed."""

log = logging.getLogger("workbench.worker")


class TuningDispatch:
    """Call it now and then: it starts what may start. Tunings that a command line owns are left to it."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None

    def __call__(self, workspace: Workspace) -> bool:
        """Looks after the workspace's tunings; False when none is left to look after."""
        live = [record for record in workspace.store.tunings.waiting() if record.owner == "worker"]
        at_work = self._process is not None and self._process.poll() is None
        queue = [record for record in live if not is_held(workspace, record.id)]
        if queue and not at_work and turn_is_free(workspace):
            self._start(workspace, queue[0])
            queue = queue[1:]
        elif at_work and len(queue) == len(live):
            queue = queue[1:]  # the oldest is just being started
        for record in queue:
            message = waiting_for(workspace)
            if record.message != message:
                workspace.store.tunings.set(record.id, message=message)
        return bool(live)

    def _start(self, workspace: Workspace, record: TuningRecord) -> None:
        starts = note_start(workspace, record)
        if starts > MOST_STARTS:
            give_up(workspace, record)
            return
        log.info("starting tuning %s (%s), start %d", record.id, record.recipe, starts)
        self._process = processes.start(
            workspace, "workbench.tuning.process", "tunings.log", "--tuning", record.id
        )


def note_start(workspace: Workspace, record: TuningRecord) -> int:
    """How often the tuning was started without getting further, this time included."""
    file = TuningFolder.of(workspace.state_dir, record.id).path / "attempts.json"
    now = [STAGES.index(record.stage), done_so_far(workspace, record)]
    try:
        kept = json.loads(file.read_text("utf-8"))
        reached, starts = list(kept["reached"]), int(kept["starts"])
    except (OSError, ValueError, KeyError, TypeError):
        reached, starts = [], 0
    if not starts or now > reached:
        reached, starts = now, 0
    write_text(file, json.dumps({"reached": reached, "starts": starts + 1}))
    return starts + 1


def forget_starts(workspace: Workspace, tuning: str) -> None:
    """After a person asked for it again, counting begins anew."""
    (TuningFolder.of(workspace.state_dir, tuning).path / "attempts.json").unlink(missing_ok=True)


def done_so_far(workspace: Workspace, record: TuningRecord) -> int:
    """Steps while training, else outputs of the runs that are made for the tuning."""
    if record.stage == "training":
        return record.step
    named = [*record.definition.get("sources", {}).values(), *(record.result or {}).get("runs", {}).values()]
    found = [workspace.store.runs.get(run) for run in named]
    return sum(run.done for run in found if run is not None)


def give_up(workspace: Workspace, record: TuningRecord) -> None:
    """Ends a tuning whose process dies again and again at the same place."""
    where = f" at step {record.step}" if record.stage == "training" and record.step else ""
    workspace.store.tunings.set(
        record.id,
        status="failed",
        message=f"Its process died {MOST_STARTS} times while {record.stage}{where}, without a word; often "
        f"memory runs out: see {workspace.state_dir / 'tunings.log'}, free some and resume it, or begin anew "
        "with a smaller `batch`.",
        finished_at=datetime.datetime.now(datetime.UTC),
    )
