"""What a probe found: per cell, the share of answers that changed, and what that did to the metric.

step-by-step · small   150 rows   18 % of answers changed [13, 25]   exact_match -0.04 [-0.09, +0.01]
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from workbench.core.prompt import Ensemble, Prompt
from workbench.core.run import Cell, Verdict
from workbench.datasets.transforms import build_transform
from workbench.datasets.transforms.swap import Swap
from workbench.engine.comparing import check_scored
from workbench.engine.plan import Plan, load_plan
from workbench.engine.probe_pairing import Answers, Flip, ProbePairing
from workbench.engine.records import experiment_of, get_run
from workbench.engine.reporting import cell_json, difference_json, number
from workbench.engine.score import chosen_metric, score_run
from workbench.engine.workspace import Workspace
from workbench.errors import UsageError
from workbench.metrics import Metric, Scores
from workbench.statistics import Estimate, PairedComparison, holm, verdict


@dataclass(frozen=True, slots=True)
class ProbeLine:
    """One cell under a probe."""

    cell: Cell
    changed: Estimate
    """Share of answers that are another one after the change."""
    noise: Estimate | None
    """The same share between two repeats of an unchanged row; None where rows were not repeated."""
    before: float
    after: float
    difference: float
    low: float
    high: float
    p: float
    p_adjusted: float
    verdict: Verdict
    sides: PairedComparison | None
    """For swapped pairs: the metric with a row's second terms minus that with its first terms."""
    flips: tuple[Flip, ...]


@dataclass(frozen=True, slots=True)
class ProbeReport:
    """A probe's result. `rows` were changed, of `of_rows` that the probed run has."""

    run: str
    of: str
    kind: str
    metric: str
    rows: int
    of_rows: int
    lines: tuple[ProbeLine, ...]
    notes: tuple[str, ...]


def probe_report(workspace: Workspace, probe: str, metric: str | None = None) -> ProbeReport:
    """Each cell before and after the change, over the rows that both runs answered.

    Args:
        metric: one of the experiment's metrics; default: its first.

    Raises UsageError for a run that is no probe, UnknownName where the probed run is gone.
    """
    record = get_run(workspace, probe)
    facts = record.definition.get("probe")
    if facts is None:
        raise UsageError(f"Run '{probe}' is no probe.")
    source = get_run(workspace, facts["of"])
    experiment = experiment_of(record)
    name, measure = chosen_metric(experiment, metric)
    before, after = load_plan(workspace, source), load_plan(workspace, record)
    pairing = ProbePairing(before, after)
    scored = score_run(workspace, source.id), score_run(workspace, record.id)
    swap = _swap(facts)
    measured = []
    for cell, twin in zip(after.cells, before.cells, strict=True):
        if facts["kind"] == "examples" and cell.version == twin.version:
            continue
        check_scored(scored[0], (cell,), name)
        check_scored(scored[1], (cell,), name)
        pair = pairing.scores(scored[0][cell.index, name], scored[1][cell.index, name])
        compared = measure.compare(*pair, pairing.clusters, experiment.confidence)
        measured.append((cell, pair, compared))
    adjusted = holm([compared.p for _, _, compared in measured])
    lines = []
    for (cell, pair, compared), p_adjusted in zip(measured, adjusted, strict=True):
        old, new = (_answers(workspace, run.id, cell.index) for run in (source, record))
        changed, flips = pairing.changed(old, new)
        lines.append(
            ProbeLine(
                cell=cell,
                changed=changed,
                noise=pairing.noise(old),
                before=_value(measure, pair[0], pair[1]),
                after=_value(measure, pair[1], pair[0]),
                difference=compared.difference,
                low=compared.low,
                high=compared.high,
                p=compared.p,
                p_adjusted=p_adjusted,
                verdict=verdict(
                    compared, p_adjusted, experiment.margin, experiment.confidence, measure.direction
                ),
                sides=None if swap is None else pairing.sides(swap, measure, *pair),
                flips=flips,
            )
        )
    return ProbeReport(
        probe,
        source.id,
        facts["kind"],
        name,
        len(after.dataset.rows),
        len(before.dataset.rows),
        tuple(lines),
        _notes(after, lines),
    )


def probe_json(found: ProbeReport) -> dict[str, Any]:
    """The report as `workbench probe --json` prints it."""
    return {
        "run": found.run,
        "of": found.of,
        "kind": found.kind,
        "metric": found.metric,
        "rows": found.rows,
        "of_rows": found.of_rows,
        "cells": [
            {
                **cell_json(line.cell),
                "changed": _estimate(line.changed),
                "noise": None if line.noise is None else _estimate(line.noise),
                "before": number(line.before),
                "after": number(line.after),
                **difference_json(line),
                "verdict": line.verdict,
                "sides": None
                if line.sides is None
                else {k: number(v) for k, v in asdict(line.sides).items()},
                "flips": [asdict(flip) for flip in line.flips],
            }
            for line in found.lines
        ],
        "notes": list(found.notes),
    }


def _value(metric: Metric, scores: Scores, other: Scores) -> float:
    """The metric over the rows that both sides scored."""
    return metric.value(scores.at(~(np.isnan(scores.values) | np.isnan(other.values))))


def _swap(facts: dict[str, Any]) -> Swap | None:
    if len(facts["transforms"]) != 1:
        return None
    built = build_transform(facts["transforms"][0])
    return built if isinstance(built, Swap) else None


def _answers(workspace: Workspace, run: str, cell: int) -> Answers:
    return {
        (row, repeat): answer
        for _, repeat, answer, failed, row in workspace.store.outputs.answers(run, cell)
        if not failed
    }


def _notes(plan: Plan, lines: list[ProbeLine]) -> tuple[str, ...]:
    notes = []
    stated = [prompt.sampling for prompt in plan.prompts.values() if isinstance(prompt, Prompt)]
    for prompt in plan.prompts.values():
        if isinstance(prompt, Ensemble):
            stated += [member.sampling for member in prompt.members]
    warm = any(sampling.temperature for sampling in [*plan.sampling, *stated])
    if warm and plan.experiment.repeats == 1:
        notes.append(
            "Answers are sampled at a temperature above 0, so some change by themselves; "
            "repeat the rows in the experiment to see how many."
        )
    if lines and max(line.changed.n for line in lines) < 30:
        notes.append("Few rows are changed by this probe: the intervals are wide.")
    return tuple(notes)


def _estimate(found: Estimate) -> dict[str, Any]:
    return {key: number(value) for key, value in asdict(found).items()}
