"""Tunings: executed, cancelled, resumed, deleted and listed."""

from __future__ import annotations

import contextlib
import datetime
import time
from dataclasses import dataclass
from typing import Any

from filelock import Timeout

from workbench.core.run import LIVE
from workbench.core.tuning import Stage, TuningProgress, TuningStatus
from workbench.engine.workspace import Workspace
from workbench.errors import (
    TuningCancelled,
    TuningError,
    UnknownName,
    WorkbenchError,
)
from workbench.storage.tunings import TuningRecord
from workbench.tuning.creating import mended
from workbench.tuning.dispatch import forget_starts
from workbench.tuning.folders import TuningFolder
from workbench.tuning.records import effective_status, get_tuning, hold, is_held
from workbench.tuning.stages import work_stages
from workbench.tuning.telling import CANCELLED, OnTuningProgress, Telling
from workbench.tuning.turns import turn, waiting_for

POLL_S = 0.5
INTERRUPTED = "Interrupted; resumed, it goes on from here."


@dataclass(frozen=True, slots=True)
class TuningSummary:
    """One line of the list of tunings."""

    id: str
    recipe: str
    base: str
    model: str
    """What the tuned model is called, or is going to be."""
    status: TuningStatus
    stage: Stage
    message: str
    seconds: float
    created_at: datetime.datetime
    saved: bool
    """Whether the model is there to be asked."""
    verdict: str | None
    """better, worse, tied or undecided, once it is measured."""
    difference: float | None


def execute_tuning(
    workspace: Workspace, tuning: str, on_progress: OnTuningProgress | None = None
) -> TuningRecord:
    """Works a queued or interrupted tuning to its end, here; waits for its turn on this machine.

    Where another process is at it already, its progress is followed instead. Raises TuningCancelled when a
    person stopped it, and passes KeyboardInterrupt on; both leave what is done, ready for `resume_tuning`.
    """
    while True:
        with contextlib.ExitStack() as held:
            try:
                held.enter_context(hold(workspace, tuning))
                ours = True
            except Timeout:
                ours = False
            if ours and _got_turn(workspace, tuning, held, on_progress):
                _work(workspace, tuning, on_progress)
        state = tuning_progress(workspace, tuning)
        if state.status == "cancelled":
            raise TuningCancelled(state.message or CANCELLED)
        if state.status == "failed":
            raise TuningError(state.message or "The tuning failed.")
        if state.status == "completed":
            return get_tuning(workspace, tuning)
        if on_progress is not None:
            on_progress(state)
        time.sleep(POLL_S)


def _got_turn(
    workspace: Workspace, tuning: str, held: contextlib.ExitStack, on_progress: OnTuningProgress | None
) -> bool:
    """Waits until no other tuning is worked on this machine; False where it is not live any more."""
    try:
        while (record := get_tuning(workspace, tuning)).status in LIVE:
            try:
                held.enter_context(turn(workspace, tuning, record.recipe))
                return True
            except Timeout:
                message = waiting_for(workspace)
            if record.message != message:
                workspace.store.tunings.set(tuning, status="queued", message=message)
            if on_progress is not None:
                on_progress(tuning_progress(workspace, tuning))
            time.sleep(POLL_S)
    except KeyboardInterrupt:
        workspace.store.tunings.set(tuning, status="interrupted", message=INTERRUPTED)
        raise
    return False


def _work(workspace: Workspace, tuning: str, on_progress: OnTuningProgress | None) -> None:
    tunings_table = workspace.store.tunings
    tunings_table.set(tuning, status="running", message="")
    telling = Telling(workspace, get_tuning(workspace, tuning), on_progress)

    def end(status: TuningStatus, message: str = "") -> None:
        ended = None if status == "interrupted" else _now()
        tunings_table.set(
            tuning,
            status=status,
            message=message,
            seconds=telling.seconds,
            seconds_left=None,
            finished_at=ended,
        )

    try:
        work_stages(workspace, tuning, telling)
    except TuningCancelled as stop:
        end("cancelled", str(stop))
        raise
    except KeyboardInterrupt:
        end("interrupted", INTERRUPTED)
        raise
    except WorkbenchError as error:
        end("failed", str(error))
        raise
    except Exception as error:
        end("failed", f"{type(error).__name__}: {error}")
        raise
    end("completed")


def cancel_tuning(workspace: Workspace, tuning: str) -> None:
    """Asks a tuning to stop; it does within seconds, keeping its weights. A queued one stops at once."""
    record = get_tuning(workspace, tuning)
    status = effective_status(workspace, record)
    if status == "running":
        workspace.store.tunings.set(tuning, cancel_requested=True)
    elif status in ("queued", "interrupted"):
        workspace.store.tunings.set(tuning, status="cancelled", message=CANCELLED, finished_at=_now())
    else:
        raise TuningError(f"Tuning '{tuning}' is {status}; there is nothing to cancel.")


def resume_tuning(workspace: Workspace, tuning: str, owner: str = "worker", as_it_is: bool = False) -> None:
    """Queues a stopped tuning again; it goes on at the stage, and in training at the checkpoint, that it had.

    One that failed before its training takes its recipe as the file has it now.

    Args:
        as_it_is: no more training: the weights that a cancelled training left are measured.

    Raises TuningError where nothing can go on.
    """
    record = get_tuning(workspace, tuning)
    status = effective_status(workspace, record)
    at_work = status in LIVE and is_held(workspace, tuning)
    if at_work or status == "completed":
        raise TuningError(f"Tuning '{tuning}' is {status}; there is nothing to resume.")
    if as_it_is and record.model is None:
        raise TuningError(
            f"Tuning '{tuning}' was stopped before it had weights to keep; resume it without --as-it-is."
        )
    stage: Stage = "evaluating" if as_it_is else record.stage
    again: dict[str, Any] = {}
    if stage == "training":
        again = {"result": None}  # what was measured of weights that change now
    elif status == "failed":
        again = mended(workspace, record)
    TuningFolder.of(workspace.state_dir, tuning).cancel.unlink(missing_ok=True)
    forget_starts(workspace, tuning)
    queued = {"status": "queued", "stage": stage, "owner": owner, "message": ""}
    workspace.store.tunings.set(tuning, **(queued | {"cancel_requested": False, "finished_at": None} | again))


def delete_tuning(workspace: Workspace, tuning: str) -> None:
    """Hides a tuning that is not live; its model stays, and `undelete_tuning` brings it back."""
    status = effective_status(workspace, get_tuning(workspace, tuning))
    if status in LIVE:
        raise TuningError(f"Tuning '{tuning}' is {status}; cancel it first.")
    workspace.store.tunings.set(tuning, deleted_at=_now())


def undelete_tuning(workspace: Workspace, tuning: str) -> None:
    """Brings a deleted tuning back."""
    if workspace.store.tunings.get(tuning) is None:
        raise UnknownName("tuning", tuning)
    workspace.store.tunings.set(tuning, deleted_at=None)


def tunings(
    workspace: Workspace, limit: int = 50, offset: int = 0, recipe: str | None = None
) -> list[TuningSummary]:
    """Tunings, newest first."""
    return [_summary(workspace, one) for one in workspace.store.tunings.newest(limit, offset, recipe)]


def tuning_progress(workspace: Workspace, tuning: str) -> TuningProgress:
    """How far a tuning is, as the database has it: at most half a second old."""
    record = get_tuning(workspace, tuning)
    return TuningProgress(
        tuning=tuning,
        status=effective_status(workspace, record),
        stage=record.stage,
        step=record.step,
        steps=record.steps,
        seconds=record.seconds,
        seconds_left=record.seconds_left,
        message=record.message,
    )


def tuning_json(workspace: Workspace, tuning: str) -> dict[str, Any]:
    """What came of a tuning as plain values; before it is measured the measurements are null."""
    record = get_tuning(workspace, tuning)
    result = record.result or {}
    measured = {key: result.get(key) for key in ("base", "tuned", "comparison")}
    return {
        "tuning": record.id,
        "model": record.model,
        "status": effective_status(workspace, record),
        "seconds": round(record.seconds, 2),
        **measured,
        "forgetting": result.get("forgetting", []),
        "recipe": record.recipe,
        "stage": record.stage,
        "message": record.message,
        "collection": {"id": record.collection, "version": record.collection_version},
        "findings": record.definition.get("findings", []),
        **{key: value for key, value in result.items() if key not in (*measured, "forgetting")},
    }


def _summary(workspace: Workspace, record: TuningRecord) -> TuningSummary:
    comparison = (record.result or {}).get("comparison") or {}
    return TuningSummary(
        id=record.id,
        recipe=record.recipe,
        base=str(record.definition["recipe"]["base"]),
        model=record.model or str(record.definition.get("model", "")),
        status=effective_status(workspace, record),
        stage=record.stage,
        message=record.message,
        seconds=record.seconds,
        created_at=record.created_at,
        saved=record.model is not None and record.model in workspace.models.names(),
        verdict=comparison.get("verdict"),
        difference=comparison.get("difference"),
    )


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)
