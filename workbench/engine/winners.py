"""The winner of a run, and its export: prompt YAML that carries its evidence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from workbench.core.document import dump
from workbench.core.figures import p_value, signed_with_interval, with_interval
from workbench.core.prompt import Ensemble
from workbench.core.run import Cell, CellComparison, CellReport, MetricEstimate, Report
from workbench.engine.comparing import compare
from workbench.engine.plan import load_plan, prompt_version
from workbench.engine.records import experiment_of, get_run, race_of
from workbench.engine.reporting import estimate_json, number, report
from workbench.engine.score import chosen_metric
from workbench.engine.workspace import Workspace
from workbench.errors import RunError


@dataclass(frozen=True, slots=True)
class Winner:
    """The cell to take, and why."""

    cell: Cell
    metric: str
    estimate: MetricEstimate
    comparison: CellComparison | None
    reason: str


def winner(workspace: Workspace, run: str, metric: str | None = None, shown: Report | None = None) -> Winner:
    """The cell with the best mean; where means are equal, the one that took fewer tokens.

    `shown`: the run's report, where it has been made already.

    A cell that a race stopped cannot win, by no metric. Raises RunError when nothing was scored.
    """
    experiment = experiment_of(get_run(workspace, run))
    name, measure = chosen_metric(experiment, metric)
    sign = 1 if measure.direction == "higher" else -1
    lines = [
        line
        for line in (shown or report(workspace, run)).cells
        if line.metrics.get(name, _NONE).n > 0 and line.stopped is None
    ]
    if not lines:
        raise RunError(f"Run '{run}' has no scored output yet, so it has no winner.")

    def order(line: CellReport) -> tuple[float, float, int]:
        tokens = line.prompt_tokens + line.completion_tokens
        return (-sign * line.metrics[name].mean, line.cost_usd, tokens)

    best = min(lines, key=order)
    return _as_winner(workspace, run, name, best)


def export_winner(
    workspace: Workspace, run: str, metric: str | None = None, cell: int | None = None
) -> tuple[str, str]:
    """(file name, YAML) of the winner, or of the cell asked for, with a `provenance` block.

    The YAML loads back to the same content hash: provenance is evidence, not content.
    """
    chosen = winner(workspace, run, metric)
    if cell is not None:
        lines = report(workspace, run).cells
        if not 0 <= cell < len(lines):
            raise RunError(f"There is no cell {cell}; the run has cells 0 to {len(lines) - 1}.")
        if chosen.metric not in lines[cell].metrics:
            raise RunError(f"Cell {cell} has no scored output yet.")
        chosen = _as_winner(workspace, run, chosen.metric, lines[cell])
    record = get_run(workspace, run)
    plan = load_plan(workspace, record)
    prompt = plan.prompts[chosen.cell.prompt]
    evidence: dict[str, Any] = {
        "run": run,
        "experiment": record.experiment,
        "version": chosen.cell.version,
        "model": chosen.cell.model,
        "sampling": chosen.cell.sampling,
        "dataset": {
            "name": plan.dataset.name,
            "split": plan.dataset.split,
            "rows": len(plan.dataset.rows),
            "hash": record.row_set,
        },
        "metric": {"name": chosen.metric, **estimate_json(chosen.estimate)},
        "reason": chosen.reason,
    }
    if (race := race_of(record)) is not None:
        evidence["race"] = {
            "metric": race.settings.metric,
            "confidence": race.settings.confidence,
            "won": race.winner == chosen.cell.index,
            "rows": race.rows_of(chosen.cell.index),
        }
    if chosen.comparison is not None:
        line = chosen.comparison
        evidence["verdict"] = {
            "against": plan.baseline.label,
            "verdict": line.verdict,
            "difference": number(line.difference),
            "low": number(line.low),
            "high": number(line.high),
            "p_adjusted": number(line.p_adjusted),
        }
    if isinstance(prompt, Ensemble):
        evidence["members"] = {name: prompt_version(plan.prompts, name) for name in prompt.mentioned()}
    text = dump(prompt, provenance=evidence)
    return f"{prompt.name}.yaml", text


def _as_winner(workspace: Workspace, run: str, name: str, line: CellReport) -> Winner:
    found = compare(workspace, run, name)
    comparison = next((c for c in found.comparisons if c.cell.index == line.cell.index), None)
    estimate = line.metrics[name]
    reason = f"{name} {with_interval(estimate.mean, estimate.low, estimate.high)} over {estimate.n} rows"
    race = race_of(get_run(workspace, run))
    if race is not None and race.winner == line.cell.index:
        reason += f"; won the race by {race.settings.metric} after {race.rows} of {race.of_rows} rows"
    if comparison is None:
        reason += "; it is the baseline"
    else:
        reason += f"; against {found.baseline.label}: {_against(comparison)}"
    return Winner(line.cell, name, estimate, comparison, reason)


def _against(line: CellComparison) -> str:
    said = f"{line.verdict} by" if line.verdict in ("better", "worse") else f"{line.verdict} at"
    said += f" {signed_with_interval(line.difference, line.low, line.high)}"
    if line.stopped is not None:
        return f"{said} over the {line.stopped} rows of both"
    return f"{said}, adjusted p {p_value(line.p_adjusted)}"


_NONE = MetricEstimate(0.0, 0.0, 0.0, 0)
