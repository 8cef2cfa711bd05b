"""Measuring a run by more metrics after it has ended: no output is asked again.

add_metrics(workspace, run, ["f1", {"judge": "judge-score", "model": "small"}])
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from workbench.core.experiment import Experiment
from workbench.core.run import LIVE
from workbench.engine.lifecycle import resume_run
from workbench.engine.plan import check_metrics, load_plan
from workbench.engine.records import effective_status, experiment_of, get_run
from workbench.engine.score import metric_name, metric_names, metrics_of, score_run
from workbench.engine.workspace import Workspace
from workbench.errors import RunError, UnknownName
from workbench.storage import RunRecord

MetricSpec = str | Mapping[str, Any]


def add_metrics(
    workspace: Workspace, run: str, specs: Sequence[MetricSpec], owner: str = "worker"
) -> tuple[list[str], bool]:
    """Adds metrics, as experiments write them, to a run that is not live, and scores it.

    Returns the names under which they are shown, and whether the run was queued again: a metric that
    asks a model is scored by whoever works the run, `owner` says who. Metrics that the run has
    already are passed over. Raises MetricError for one that cannot be set up, RunError for a live run.
    """
    record = _ended(workspace, run)
    experiment = experiment_of(record)
    have = metric_names(experiment)
    new = [spec if isinstance(spec, str) else dict(spec) for spec in specs]
    new = [spec for spec in new if metric_name(spec) not in have]
    if not new:
        return [], False
    wider = _with_metrics(experiment, [*experiment.metrics, *new])
    plan = load_plan(workspace, record)
    plan = replace(plan, experiment=wider)
    plan = check_metrics(workspace, plan)
    workspace.store.runs.set(run, definition={**record.definition, **plan.definition()})
    names = [metric_name(spec) for spec in new]
    metrics = metrics_of(wider)
    if any(metrics[name].asks_models for name in names):
        resume_run(workspace, run, retry_errors=False, owner=owner)
        return names, True
    score_run(workspace, run)
    return names, False


def remove_metric(workspace: Workspace, run: str, name: str) -> MetricSpec:
    """Takes a metric out of a run's tables; gives its spec, with which it can be added again at no cost."""
    record = _ended(workspace, run)
    experiment = experiment_of(record)
    names = metric_names(experiment)
    if name not in names:
        raise UnknownName("metric in this run", name, names)
    if len(names) == 1:
        raise RunError(f"'{name}' is the run's only metric; add another one first.")
    kept = [spec for spec in experiment.metrics if metric_name(spec) != name]
    narrower = _with_metrics(experiment, kept)
    plan = replace(load_plan(workspace, record), experiment=narrower)
    workspace.store.runs.set(run, definition={**record.definition, **plan.definition()})
    return experiment.metrics[names.index(name)]


def _with_metrics(experiment: Experiment, metrics: Sequence[MetricSpec]) -> Experiment:
    content = experiment.model_dump(mode="json", exclude_defaults=True) | {"metrics": list(metrics)}
    return Experiment.model_validate(content)


def _ended(workspace: Workspace, run: str) -> RunRecord:
    record = get_run(workspace, run)
    status = effective_status(workspace, record)
    if status in LIVE:
        raise RunError(f"Run '{run}' is {status}; its metrics can be changed when it has ended.")
    return record
