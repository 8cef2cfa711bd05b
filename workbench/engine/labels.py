"""A cell's mistakes where a run is a classification: its confusion matrix and its labels one by one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from workbench.core.run import Cell
from workbench.engine.plan import cell_at, load_plan
from workbench.engine.records import get_run
from workbench.engine.reporting import cell_json, number
from workbench.engine.score import cell_outputs
from workbench.engine.workspace import Workspace
from workbench.errors import MetricError, RunError
from workbench.metrics.confusion import Confusion, confusion, no_labels
from workbench.statistics import Estimate


@dataclass(frozen=True, slots=True)
class LabelReport:
    """One cell of a run with its confusion matrix and table of labels.

    `reference` is the dataset's column that the right labels come from.
    """

    run: str
    cell: Cell
    found: Confusion
    reference: str | None


def label_report(workspace: Workspace, run: str, cell: int) -> LabelReport:
    """Which labels a cell mistakes for which, from what is stored; no model is called.

    Outputs with errors, and rows without a reference, are left out. Raises RunError for a cell that is not
    there or has no outputs, MetricError where the references are no labels.
    """
    record = get_run(workspace, run)
    plan = load_plan(workspace, record)
    chosen = cell_at(plan.cells, cell)
    outputs, _ = cell_outputs(workspace, record, plan, chosen, whole=False)
    if not len(outputs):
        raise RunError(f"There are no outputs of {chosen.label} yet.")
    reason = no_labels(outputs.references)
    if reason is not None:
        raise MetricError(f"{reason} A confusion matrix is for classification.")
    clusters = outputs.group if plan.experiment.repeats > 1 else None
    found = confusion(outputs.answers, outputs.references, clusters, plan.experiment.confidence)
    return LabelReport(record.id, chosen, found, plan.dataset.reference)


def label_report_json(shown: LabelReport) -> dict[str, Any]:
    """The matrix and the table of one cell, ready for JSON."""
    found = shown.found
    return {
        **cell_json(shown.cell),
        "unscored": found.unscored,
        "labels": [
            {
                "label": line.label,
                "precision": _estimate(line.precision),
                "recall": _estimate(line.recall),
                "f1": _estimate(line.f1),
                "support": line.support,
                "given": line.given,
            }
            for line in found.lines
        ],
        "confusion": {
            "actual": list(found.labels),
            "given": list(found.columns),
            "counts": found.counts.tolist(),
        },
    }


def _estimate(estimate: Estimate) -> dict[str, Any]:
    return {
        "mean": number(estimate.mean),
        "low": number(estimate.low),
        "high": number(estimate.high),
        "n": estimate.n,
    }
