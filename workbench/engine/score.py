"""Scoring: answers of stored outputs become scores and estimates.

No model is called, but for metrics that ask one (a judge, perplexity), and for those only where
`score_run` is given the services to ask; their calls are cached like all others.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from workbench.core.experiment import Experiment
from workbench.core.run import Cell, MetricEstimate
from workbench.engine.answer_rules import answer_rule, reference_of
from workbench.engine.plan import Plan, load_plan
from workbench.engine.records import experiment_of, get_run, is_imported
from workbench.engine.workspace import Workspace
from workbench.errors import MetricError, ModelError, UnknownName
from workbench.metrics import CellOutputs, Metric, ModelServices, Scores, load_metric
from workbench.metrics.parallel import Spread
from workbench.storage import RunRecord
from workbench.storage.outputs import MEASURED
from workbench.storage.scores import CellScores

OnScoring = Callable[[str], None]
"""Told in words what is being scored."""


def score_run(
    workspace: Workspace,
    run: str,
    services: ModelServices | None = None,
    on_scoring: OnScoring | None = None,
) -> dict[tuple[int, str], CellScores]:
    """Scores every cell of a run by every metric of its experiment; what is scored already is reused.

    Returns scores by (cell index, metric name), in the experiment's order. Units without an output, and
    outputs with errors, are unscored (NaN); an output in which no answer was found is wrong. A metric that
    asks models is scored only with `services`, again where its calls had failed; without, what an earlier
    scoring stored is given, or nothing.
    Many rows of a slow metric are scored over several processes. A metric that can score nothing of a cell
    leaves it unscored with the reason.
    """
    record = get_run(workspace, run)
    stored = workspace.store.scores.of_run(run)
    counts = workspace.store.outputs.counts(run)
    experiment = experiment_of(record)
    names = metric_names(experiment)
    stale = [
        (cell["index"], name)
        for cell in record.definition["cells"]
        for name in names
        if (cell["index"], name) not in stored
        or stored[cell["index"], name].outputs != counts.get(cell["index"], 0)
        or (services is not None and "failed" in stored[cell["index"], name].estimate)
    ]
    if stale:
        metrics = metrics_of(experiment)
        missing = [(cell, name) for cell, name in stale if services or not metrics[name].asks_models]
        if missing:
            scoring = _Scoring(workspace, record, metrics, services, on_scoring)
            stored |= {(scores.cell, scores.metric): scores for scores in scoring.scores(missing)}
    keys = [(cell["index"], name) for cell in record.definition["cells"] for name in names]
    return {key: stored[key] for key in keys if key in stored}


def metric_names(experiment: Experiment) -> list[str]:
    """Names under which an experiment's metrics are stored and shown, in its order."""
    return [metric_name(spec) for spec in experiment.metrics]


def metric_name(spec: str | dict[str, Any]) -> str:
    """One metric's name: its `as`, else its name and settings, so that two settings are two metrics."""
    if isinstance(spec, str):
        return spec
    if spec.get("as"):
        return str(spec["as"])
    kind = next((key for key in ("name", "judge", "evaluate") if spec.get(key)), "name")
    settings = {key: value for key, value in as_written(spec).items() if key != kind}
    name = str(spec.get(kind)) if kind == "name" else f"{kind}:{spec[kind]}"
    return f"{name}{json.dumps(settings, sort_keys=True, ensure_ascii=False)}" if settings else name


def as_written(spec: Any) -> Any:
    """A metric's spec as a person wrote it, without the rubrics that a plan froze into its judges."""
    if isinstance(spec, dict):
        frozen = "rubric" if "judge" in spec else None
        return {key: as_written(value) for key, value in spec.items() if key != frozen}
    return [as_written(part) for part in spec] if isinstance(spec, (list, tuple)) else spec


def metrics_of(experiment: Experiment) -> dict[str, Metric]:
    """The experiment's metrics by shown name. Raises MetricError where two would be shown as one."""
    found: dict[str, Metric] = {}
    for spec in experiment.metrics:
        name = metric_name(spec)
        if name in found:
            raise MetricError(f"Metric '{name}' is listed twice; give one another name with `as`.")
        found[name] = load_metric(spec)
    return found


def chosen_metric(experiment: Experiment, name: str | None = None) -> tuple[str, Metric]:
    """The metric of that name, by itself the experiment's first. Raises UnknownName for another."""
    metrics = metrics_of(experiment)
    chosen = name or next(iter(metrics))
    if chosen not in metrics:
        raise UnknownName("metric in this run", chosen, metrics)
    return chosen, metrics[chosen]


def estimate_of(scores: CellScores) -> MetricEstimate:
    """A stored estimate as a record."""
    known = scores.estimate
    values = {key: math.nan if known[key] is None else known[key] for key in ("mean", "low", "high")}
    return MetricEstimate(
        mean=values["mean"],
        low=values["low"],
        high=values["high"],
        n=int(known["n"]),
        unscored=int(known["unscored"]),
        signature=known.get("signature"),
        failed=sum(known.get("failed", {}).values()),
    )


def metric_scores(stored: CellScores) -> Scores:
    """A cell's stored scores as metrics take them."""
    return Scores(stored.values, stored.sufficient, stored.blocks)


def clusters_of(repeats: int, units: int) -> np.ndarray | None:
    """Cluster ids of units, (units,): the row that a repeat belongs to. None where each row is one unit."""
    return None if repeats == 1 else np.arange(units) // repeats


def cell_outputs(
    workspace: Workspace,
    record: RunRecord,
    plan: Plan,
    cell: Cell,
    *,
    whole: bool = True,
    services: ModelServices | None = None,
) -> tuple[CellOutputs, np.ndarray]:
    """What a cell gave, as metrics see it, and the unit of each output: (n,) ints.

    Outputs with errors are left out. `whole` False reads answers and references alone, which is
    what most metrics need and far less to read.
    """
    repeats, rows = plan.experiment.repeats, plan.dataset.rows
    rule = answer_rule(plan.prompts[cell.prompt], dict(plan.prompts))
    answers = workspace.store.outputs.answers(record.id, cell.index)
    kept = [(position, repeat, answer) for position, repeat, answer, failed, _ in answers if not failed]
    column = plan.dataset.reference
    raw = [rows[position].get(column) if column else None for position, _, _ in kept]
    units = np.array([position * repeats + repeat for position, repeat, _ in kept], dtype=np.int64)
    read: dict[str, Any] = {}
    if whole:
        texts = workspace.store.outputs.texts(record.id, cell.index)
        taken = workspace.store.outputs.taken(record.id, cell.index)
        measured = np.array([taken[p, r] for p, r, _ in kept], dtype=np.float64).reshape(-1, len(MEASURED))
        if is_imported(record):
            measured[measured == 0] = np.nan  # what a file does not tell is stored as 0
        base = plan.baseline
        rivals = None if cell == base else workspace.store.outputs.texts(record.id, base.index)
        read = {
            "texts": [texts[p, r] for p, r, _ in kept],
            "taken": dict(zip(MEASURED, measured.T, strict=True)),
            "rivals": None if rivals is None else [rivals.get((p, r)) for p, r, _ in kept],
        }
    outputs = CellOutputs(
        answers=[answer for _, _, answer in kept],
        references=[reference_of(rule, value) for value in raw],
        raw_references=raw,
        rows=[rows[position] for position, _, _ in kept],
        group=np.array([position for position, _, _ in kept], dtype=np.int64),
        models=services,
        **read,
    )
    return outputs, units


@dataclass(frozen=True, eq=False)
class _Scoring:
    """One scoring of a run: by what, whom a metric may ask, and who is told."""

    workspace: Workspace
    record: RunRecord
    metrics: dict[str, Metric]
    services: ModelServices | None
    on_scoring: OnScoring | None

    def scores(self, wanted: Sequence[tuple[int, str]]) -> Iterator[CellScores]:
        """Scores cells by metrics, given as (cell index, metric name), and stores each."""
        plan = load_plan(self.workspace, self.record)
        with Spread() as spread:
            for index in dict.fromkeys(index for index, _ in wanted):
                names = [name for cell, name in wanted if cell == index]
                yield from self._of_cell(plan, plan.cells[index], names, spread)

    def _of_cell(self, plan: Plan, cell: Cell, names: Sequence[str], spread: Spread) -> Iterator[CellScores]:
        store, run = self.workspace.store, self.record.id
        # before they are read: what arrives in between makes the scores stale, not incomplete for good
        stored = store.outputs.counts(run).get(cell.index, 0)
        whole = any(_reads_whole(self.metrics[name]) for name in names)
        outputs, units = cell_outputs(
            self.workspace, self.record, plan, cell, whole=whole, services=self.services
        )
        for name in names:
            metric = self.metrics[name]
            if self.on_scoring is not None:
                words = f"Scoring {cell.label} by {name}"
                self.on_scoring(words)
                spread.on_rows = partial(_rows_scored, self.on_scoring, words)
            metric.spread = spread
            scores = lay_out(
                metric,
                _scored(metric, outputs),
                units,
                name=name,
                cell=cell.index,
                total=len(plan.dataset.rows) * plan.experiment.repeats,
                stored=stored,
                experiment=plan.experiment,
            )
            store.scores.put(run, scores)
            yield scores


def _scored(metric: Metric, outputs: CellOutputs) -> Scores:
    """The metric's scores; where it can score nothing at all, the reason for each output."""
    try:
        return metric.score_outputs(outputs)
    except (MetricError, ModelError) as problem:
        why = dict.fromkeys(range(len(outputs)), str(problem))
        failed = why if isinstance(problem, ModelError) else {}
        return Scores(np.full(len(outputs), np.nan), reasons=why, failed=failed)


def _rows_scored(on_scoring: OnScoring, words: str, done: int, total: int) -> None:
    on_scoring(f"{words}: {done:,} of {total:,}")


def _reads_whole(metric: Metric) -> bool:
    return metric.reads == "text" or metric.needs_outputs or metric.asks_models


def lay_out(
    metric: Metric,
    result: Scores,
    units: np.ndarray,
    *,
    name: str,
    cell: int,
    total: int,
    stored: int,
    experiment: Experiment,
) -> CellScores:
    """A cell's scores laid out over all its units, with their estimate.

    Args:
        units: which unit each score is of.
        name: under which the metric is shown.
        total: units of the cell; `stored` of them have an output, errors included.
    """
    values = np.full(total, np.nan)
    values[units] = result.values
    matrix = None
    if result.sufficient is not None:
        matrix = np.full((total, result.sufficient.shape[1]), np.nan)
        matrix[units] = result.sufficient
    clusters = clusters_of(experiment.repeats, total)
    estimate = metric.estimate(
        result,
        clusters=None if clusters is None else clusters[units],
        confidence=experiment.confidence,
    )
    summary = {
        "mean": _plain(estimate.mean),
        "low": _plain(estimate.low),
        "high": _plain(estimate.high),
        "n": estimate.n,
        "unscored": max(0, stored - estimate.n),
        "signature": metric.signature(),
        **({"failed": dict(Counter(result.failed.values()))} if result.failed else {}),
    }
    reasons = {int(units[place]): reason for place, reason in result.reasons.items()}
    return CellScores(cell, name, stored, values, matrix, summary, result.blocks, reasons)


def _plain(value: float) -> float | None:
    return None if math.isnan(value) else float(value)
