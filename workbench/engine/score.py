"""Scoring: answers of stored outputs become scores and estimates. No model is called, ever."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np

from workbench.core.experiment import Experiment
from workbench.core.prompt import AnswerRule, AnyPrompt, Ensemble
from workbench.core.run import MetricEstimate
from workbench.engine.plan import Plan, load_plan
from workbench.engine.records import get_run
from workbench.engine.workspace import Workspace
from workbench.metrics import Metric, load_metric
from workbench.prompting.read import read_reference
from workbench.storage import RunRecord
from workbench.storage.scores import CellScores


def score_run(workspace: Workspace, run: str) -> dict[tuple[int, str], CellScores]:
    """Scores every cell of a run by every metric of its experiment; what is scored already is reused.

    Returns scores by (cell index, metric name). Units without an output, and outputs with errors,
    are unscored (NaN); an output in which no answer was found is wrong.
    """
    record = get_run(workspace, run)
    stored = workspace.store.scores.of_run(run)
    counts = {cell: int(total["outputs"]) for cell, total in workspace.store.outputs.totals(run).items()}
    experiment = Experiment.model_validate(record.definition["experiment"])
    names = metric_names(experiment)
    missing = [
        (cell["index"], name)
        for cell in record.definition["cells"]
        for name in names
        if (cell["index"], name) not in stored
        or stored[cell["index"], name].outputs != counts.get(cell["index"], 0)
    ]
    if missing:
        fresh = _score(workspace, record, load_plan(workspace, record), missing)
        for scores in fresh:
            workspace.store.scores.put(run, scores)
            stored[scores.cell, scores.metric] = scores
    return {key: scores for key, scores in stored.items() if key[1] in names}


def metric_names(experiment: Experiment) -> list[str]:
    """Names under which an experiment's metrics are stored and shown, in its order."""
    return [metric_name(spec) for spec in experiment.metrics]


def metric_name(spec: str | dict[str, Any]) -> str:
    """One metric's name; settings are part of it, so that two settings are two metrics."""
    if isinstance(spec, str):
        return spec
    settings = {key: value for key, value in spec.items() if key not in ("name", "evaluate")}
    name = str(spec.get("name") or f"evaluate:{spec.get('evaluate')}")
    return f"{name}{json.dumps(settings, sort_keys=True)}" if settings else name


def metrics_of(experiment: Experiment) -> dict[str, Metric]:
    """The experiment's metrics by shown name."""
    return {metric_name(spec): load_metric(spec) for spec in experiment.metrics}


def answer_rule(prompt: AnyPrompt, prompts: dict[str, AnyPrompt]) -> AnswerRule:
    """The rule that a cell's answers were read by: an ensemble's own, else its first member's."""
    if not isinstance(prompt, Ensemble):
        return prompt.answer
    if prompt.answer is not None:
        return prompt.answer
    if prompt.fuse is not None:
        return answer_rule(prompts[prompt.fuse], prompts)
    return answer_rule(prompts[prompt.members[0].prompt], prompts)


def estimate_of(scores: CellScores) -> MetricEstimate:
    """A stored estimate as a record."""
    values = {key: math.nan if value is None else value for key, value in scores.estimate.items()}
    signature = scores.estimate.get("signature")
    return MetricEstimate(
        mean=values["mean"],
        low=values["low"],
        high=values["high"],
        n=int(values["n"]),
        unscored=int(values["unscored"]),
        signature=signature,
    )


def clusters_of(repeats: int, units: int) -> np.ndarray | None:
    """Cluster ids of units, (units,): the row that a repeat belongs to. None where each row is one unit."""
    return None if repeats == 1 else np.arange(units) // repeats


def _score(
    workspace: Workspace, record: RunRecord, plan: Plan, wanted: list[tuple[int, str]]
) -> list[CellScores]:
    metrics = metrics_of(plan.experiment)
    repeats, rows = plan.experiment.repeats, plan.dataset.rows
    fresh = []
    for cell in dict.fromkeys(index for index, _ in wanted):
        rule = answer_rule(plan.prompts[plan.cells[cell].prompt], dict(plan.prompts))
        answers = workspace.store.outputs.answers(record.id, cell)
        scored = [(p * repeats + r, p, answer) for p, r, answer, failed, _ in answers if not failed]
        references = [_reference(rule, plan.dataset.reference, rows[p]) for _, p, _ in scored]
        predictions = [answer for _, _, answer in scored]
        places = np.array([unit for unit, _, _ in scored], dtype=np.int64)
        units = len(rows) * repeats
        for name in [name for index, name in wanted if index == cell]:
            metric = metrics[name]
            result = metric.score(predictions, references)
            values = np.full(units, np.nan)
            values[places] = result.values
            matrix = None
            if result.sufficient is not None:
                matrix = np.full((units, result.sufficient.shape[1]), np.nan)
                matrix[places] = result.sufficient
            clusters = clusters_of(repeats, units)
            estimate = metric.estimate(
                result,
                clusters=None if clusters is None else clusters[places],
                confidence=plan.experiment.confidence,
            )
            summary = {
                "mean": _plain(estimate.mean),
                "low": _plain(estimate.low),
                "high": _plain(estimate.high),
                "n": estimate.n,
                "unscored": len(answers) - estimate.n,
                "signature": metric.signature(),
            }
            fresh.append(CellScores(cell, name, len(answers), values, matrix, summary))
    return fresh


def _reference(rule: AnswerRule, column: str | None, row: dict[str, Any]) -> Any:
    value = row.get(column) if column is not None else None
    if value is None:
        return None
    if isinstance(value, (list, tuple)):
        return [read_reference(rule, item) for item in value]
    return read_reference(rule, value)


def _plain(value: float) -> float | None:
    return None if math.isnan(value) else float(value)
