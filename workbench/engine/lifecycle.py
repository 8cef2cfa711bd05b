"""Runs: created, executed, cancelled, resumed, deleted and listed."""

from __future__ import annotations

import asyncio
import datetime
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from filelock import Timeout

from workbench.core.document import content_hash
from workbench.core.experiment import Experiment
from workbench.core.race import Race, RaceSettings
from workbench.core.run import LIVE, Progress, Report
from workbench.engine.browsing import judging_errors
from workbench.engine.execute import Execution, OnProgress, make_progress
from workbench.engine.model_services import RunServices
from workbench.engine.plan import Plan, load_plan, make_plan
from workbench.engine.racing import new_race, outcome, work_race
from workbench.engine.records import effective_status, get_run, hold, is_imported, new_id
from workbench.engine.reporting import report
from workbench.engine.score import score_run
from workbench.engine.workspace import Workspace
from workbench.errors import RunCancelled, RunError, UnknownName, WorkbenchError
from workbench.storage import RunRecord

POLL_S = 0.3
RESUMABLE = frozenset({"interrupted", "cancelled", "failed", "completed"})


@dataclass(frozen=True, slots=True)
class RunSummary:
    """One line of the list of runs."""

    id: str
    experiment: str
    status: str
    created_at: datetime.datetime
    seconds: float
    done: int
    total: int
    errors: int
    cells: int
    dataset: str
    models: tuple[str, ...]
    prompts: tuple[str, ...]
    message: str = ""


def create_run(
    workspace: Workspace,
    experiment: Experiment,
    limit: int | None = None,
    use_cache: bool = True,
    budget_usd: float | None = None,
    owner: str = "worker",
    race: RaceSettings | None = None,
) -> str:
    """Plans an experiment and queues it as a run; returns the run's id.

    Args:
        limit: at most this many rows.
        use_cache: False makes every call anew.
        budget_usd: stops the run there; default: the experiment's own budget.
        owner: `worker` lets the worker process take it; `command` keeps it for `execute_run`.
        race: cells stop once they are beaten; without, every cell gets every row.
    """
    plan = make_plan(workspace, experiment, limit)
    if budget_usd is None and plan.experiment.budget is not None:
        budget_usd = plan.experiment.budget.usd
    return queue_plan(
        workspace,
        plan,
        owner=owner,
        use_cache=use_cache,
        budget_usd=budget_usd,
        race=None if race is None else new_race(plan, race),
    )


def queue_plan(
    workspace: Workspace,
    plan: Plan,
    *,
    owner: str,
    name: str | None = None,
    marks: Mapping[str, Any] | None = None,
    use_cache: bool = True,
    budget_usd: float | None = None,
    race: Race | None = None,
) -> str:
    """Queues a plan as a run; returns the run's id.

    Args:
        name: under which the run is listed; default: the experiment's.
        marks: what its definition says beside the plan, such as what it is a probe of.
        owner, use_cache, budget_usd: as in `create_run`.
    """
    run, rows = new_id(), list(plan.dataset.rows)
    workspace.store.runs.create(
        run,
        name or plan.experiment.name,
        plan.definition() | dict(marks or {}),
        plan.dataset.name,
        content_hash(rows),
        rows,
        plan.units,
        owner=owner,
        use_cache=use_cache,
        budget_usd=budget_usd,
        race=None if race is None else race.to_json(),
    )
    return run


def execute_run(workspace: Workspace, run: str, on_progress: OnProgress | None = None) -> Report:
    """Works a queued or interrupted run to its end, here; returns its report.

    Where another process is at it already, its progress is followed instead. Raises RunCancelled
    when a person or the budget stopped it, and passes KeyboardInterrupt on; both leave what is
    stored, ready for `resume_run`.
    """
    while True:
        try:
            with hold(workspace, run):
                record = get_run(workspace, run)
                if record.status in LIVE:
                    _work(workspace, record, on_progress)
                    return report(workspace, run)
        except Timeout:
            pass
        state = progress(workspace, run)
        if state.status == "cancelled":
            raise RunCancelled(state.message or "The run was cancelled.")
        if state.status == "failed":
            raise RunError(state.message or "The run failed.")
        if state.status == "completed":
            return report(workspace, run)
        if on_progress is not None:
            on_progress(state)
        time.sleep(POLL_S)


def _work(workspace: Workspace, record: RunRecord, on_progress: OnProgress | None) -> None:
    runs = workspace.store.runs
    runs.set(record.id, status="running", message="")
    said = ""
    try:
        plan = load_plan(workspace, record)
        if record.race is not None:
            execution = Execution(workspace, plan, record, on_progress)
            said = outcome(asyncio.run(work_race(workspace, plan, record, execution)), plan.cells)
        elif not is_imported(record):
            asyncio.run(Execution(workspace, plan, record, on_progress).work())
        with RunServices(workspace, record, plan, on_progress) as services:
            score_run(workspace, record.id, services, lambda words: runs.set(record.id, message=words))
    except RunCancelled as stop:
        runs.set(record.id, status="cancelled", message=str(stop), finished_at=_now())
        raise
    except KeyboardInterrupt:
        runs.set(record.id, status="interrupted", message="Interrupted; `resume` goes on from here.")
        raise
    except WorkbenchError as error:
        runs.set(record.id, status="failed", message=str(error), finished_at=_now())
        raise
    except Exception as error:
        runs.set(record.id, status="failed", message=f"{type(error).__name__}: {error}", finished_at=_now())
        raise
    runs.set(record.id, status="completed", message=said, finished_at=_now())


def cancel_run(workspace: Workspace, run: str) -> None:
    """Asks a run to stop; it does within half a second. A queued run stops at once."""
    record = get_run(workspace, run)
    status = effective_status(workspace, record)
    if status == "running":
        workspace.store.runs.set(run, cancel_requested=True)
    elif status in ("queued", "interrupted"):
        workspace.store.runs.set(run, status="cancelled", message="Cancelled; `resume` goes on from here.")
    else:
        raise RunError(f"Run '{run}' is {status}; there is nothing to cancel.")


def resume_run(workspace: Workspace, run: str, retry_errors: bool = True, owner: str = "worker") -> None:
    """Queues a stopped run again: only what has no output is asked, errors too unless told not to.

    Judges are asked again where they ended in an error. Of a run whose outputs were imported only scoring
    can go on. Raises RunError where nothing can.
    """
    record = get_run(workspace, run)
    status = effective_status(workspace, record)
    if status not in RESUMABLE:
        raise RunError(f"Run '{run}' is {status}; there is nothing to resume.")
    imported = is_imported(record)
    if imported and status == "completed" and retry_errors and not judging_errors(workspace, run):
        raise RunError(
            f"The outputs of run '{run}' were imported, so there is nothing to ask again; "
            "import a newer file, or add metrics with `workbench runs score`."
        )
    workspace.store.runs.requeue(run, drop_errors=retry_errors and not imported, owner=owner)


def raise_budget(workspace: Workspace, run: str, budget_usd: float | None) -> None:
    """Sets a run's budget in USD; None takes it away."""
    workspace.store.runs.set(get_run(workspace, run).id, budget_usd=budget_usd)


def delete_run(workspace: Workspace, run: str) -> None:
    """Hides a run that is not live; `undelete_run` brings it back."""
    status = effective_status(workspace, get_run(workspace, run))
    if status in LIVE:
        raise RunError(f"Run '{run}' is {status}; cancel it first.")
    workspace.store.runs.set(run, deleted_at=_now())


def undelete_run(workspace: Workspace, run: str) -> None:
    """Brings a deleted run back."""
    if workspace.store.runs.get(run) is None:
        raise UnknownName("run", run)
    workspace.store.runs.set(run, deleted_at=None)


def runs(
    workspace: Workspace, limit: int = 50, offset: int = 0, experiment: str | None = None
) -> list[RunSummary]:
    """Runs, newest first."""
    return [
        RunSummary(
            id=record.id,
            experiment=record.experiment,
            status=effective_status(workspace, record),
            created_at=record.created_at,
            seconds=record.seconds,
            done=record.done,
            total=record.total,
            errors=record.errors,
            cells=len(record.definition["cells"]),
            dataset=record.dataset,
            models=tuple(dict.fromkeys(cell["model"] for cell in record.definition["cells"])),
            prompts=tuple(dict.fromkeys(cell["prompt"] for cell in record.definition["cells"])),
            message=record.message,
        )
        for record in workspace.store.runs.newest(limit, offset, experiment)
    ]


def progress(workspace: Workspace, run: str) -> Progress:
    """How far a run is, as the database has it: at most half a second old."""
    record = get_run(workspace, run)
    values = {
        "done": record.done,
        "errors": record.errors,
        "calls": record.calls,
        "cached": record.cached,
        "seconds": record.seconds,
        "per_second": record.per_second,
        "cost_usd": record.cost_usd,
    }
    status = effective_status(workspace, record)
    return make_progress(run, status, record.total, values, record.message)


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)
