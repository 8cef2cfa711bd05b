"""Tunings: created, executed, cancelled, resumed, continued, deleted and listed."""

from __future__ import annotations

import contextlib
import datetime
import secrets
import time
from dataclasses import dataclass
from typing import Any

from filelock import Timeout

from workbench.core.run import LIVE
from workbench.core.tuning import Collect, Recipe, Stage, TuningProgress, TuningStatus
from workbench.engine.workspace import Workspace
from workbench.errors import (
    TuningCancelled,
    TuningError,
    UnknownName,
    UsageError,
    WorkbenchError,
)
from workbench.storage.tunings import TuningRecord
from workbench.tuning.dispatch import forget_starts
from workbench.tuning.folders import TuningFolder
from workbench.tuning.records import effective_status, get_tuning, hold, is_held
from workbench.tuning.stages import recipe_of, work_stages
from workbench.tuning.telling import CANCELLED, OnTuningProgress, Telling
from workbench.tuning.tuned_models import free_name
from workbench.tuning.turns import turn, waiting_for

POLL_S = 0.5
INTERRUPTED = "Interrupted; `resume` goes on from here."


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


def create_tuning(
    workspace: Workspace,
    recipe: Recipe,
    owner: str = "worker",
    name: str | None = None,
    limit: int | None = None,
    continues: str | None = None,
) -> str:
    """Queues a recipe as a tuning; returns the tuning's id.

    Args:
        owner: `worker` lets the worker start its process; `command` keeps it for `execute_tuning`.
        name: what the tuned model is called; default: the recipe's `model`, else BASE-RECIPE, with a number
            where that is taken.
        limit: at most this many rows of every experiment that is run for it, to try a recipe out.
        continues: the tuning that it goes on from.

    Raises WorkbenchError for what can be told at once: a base or an experiment that is not there, a name
    that is taken.
    """
    if limit is not None:
        if limit < 1:
            raise UsageError("The limit must be at least 1 row.")
        measured = recipe.evaluate.model_copy(
            update={"limit": min(limit, recipe.evaluate.limit or limit)},
        )
        recipe = recipe.model_copy(update={"evaluate": measured})
    _check_names(workspace, recipe)
    definition: dict[str, Any] = {
        "recipe": recipe.model_dump(mode="json", exclude_defaults=True),
        "model": _model_name(workspace, recipe, name),
        "limit": limit,
        "continues": continues,
        "sources": {},
    }
    now = datetime.datetime.now(datetime.UTC)
    tuning = f"{now:%Y%m%d-%H%M%S}-{secrets.token_hex(3)}"
    workspace.store.tunings.create(tuning, recipe.name, definition, owner=owner)
    return tuning


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
    while (record := get_tuning(workspace, tuning)).status in LIVE:
        try:
            held.enter_context(turn(workspace, tuning, record.recipe))
            return True
        except Timeout:
            message = waiting_for(workspace)
        if record.message != message:
            workspace.store.tunings.set(tuning, status="queued", message=message)
        try:
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
    """Asks a tuning to stop; it does within seconds, keeping the best weights. A queued one stops at once."""
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
    TuningFolder.of(workspace.state_dir, tuning).cancel.unlink(missing_ok=True)
    forget_starts(workspace, tuning)
    workspace.store.tunings.set(
        tuning,
        status="queued",
        stage=stage,
        owner=owner,
        message="",
        cancel_requested=False,
        finished_at=None,
        **again,
    )


def continue_tuning(workspace: Workspace, tuning: str, owner: str = "worker", name: str | None = None) -> str:
    """A new tuning of the tuned model, by the same recipe, on what there is now: "what I rated since".

    The collection is made anew from the same sources; where nothing has come since, the new tuning fails
    with a sentence. Raises TuningError where there is no model yet.
    """
    record = get_tuning(workspace, tuning)
    if record.model is None:
        raise TuningError(f"Tuning '{tuning}' has no model yet; resume it first.")
    recipe = recipe_of(record)
    update: dict[str, Any] = {"base": record.model, "model": None}
    source = workspace.store.collections.get(record.collection or "")
    if recipe.collect is None and source is not None:
        with contextlib.suppress(ValueError):  # one that was imported is taken as it stands now
            update |= {"collect": Collect.model_validate(source.settings), "collection": None}
    again = Recipe.model_validate(recipe.model_copy(update=update).model_dump(mode="json"))
    wanted = name if name is not None else record.model
    if name is None:
        again = again.model_copy(update={"model": free_name(workspace, wanted, _promised(workspace))})
    limit = record.definition.get("limit")
    return create_tuning(workspace, again, owner=owner, name=name, limit=limit, continues=tuning)


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


def _check_names(workspace: Workspace, recipe: Recipe) -> None:
    """Raises UnknownName for what the recipe names and the workspace does not have."""
    from workbench.tuning.checking.base import find_base
    from workbench.tuning.training.combinations import check_combination

    find_base(workspace.models.spec(recipe.base))
    check_combination(recipe.train)
    measured = recipe.evaluate
    if measured.experiment is not None:
        workspace.experiment(measured.experiment)
    known = {*workspace.experiment_names(), *workspace.datasets.names()}
    for other in measured.forgetting or ():
        if other not in known:
            raise UnknownName("experiment or dataset", other, known)
    _check_sources(workspace, recipe)


def _check_sources(workspace: Workspace, recipe: Recipe) -> None:
    from workbench.tuning.collecting.sources import find_sources
    from workbench.tuning.collecting.stored import find_collection

    if recipe.collect is not None:
        find_sources(workspace, recipe.collect)
    elif recipe.collection is not None:
        find_collection(workspace, recipe.collection)


def _model_name(workspace: Workspace, recipe: Recipe, name: str | None) -> str:
    promised = _promised(workspace)
    if name is not None:
        if name in {*workspace.models.names(), *promised}:
            raise TuningError(f"There is a model named '{name}' already; choose another name.")
        if free_name(workspace, name) != name:
            raise TuningError(
                f"'{name}' cannot be a tuned model's name: use letters, digits, '.', '_' and '-', at most 90."
            )
        return name
    wanted = recipe.model or f"{recipe.base.replace('@', '-')}-{recipe.name}"
    return free_name(workspace, wanted, promised)


def _promised(workspace: Workspace) -> set[str]:
    """Names of models that other tunings are still going to make."""
    return {str(record.definition.get("model")) for record in workspace.store.tunings.waiting()}


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)
