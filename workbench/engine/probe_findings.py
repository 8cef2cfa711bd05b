"""What a probe found: per cell, the share of answers that changed, and what that did to the metric.

step-by-step · small   150 rows   18 % of answers changed [13, 25]   exact_match -0.04 [-0.09, +0.01]
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from itertools import combinations
from typing import Any

import numpy as np

from workbench.core.experiment import Experiment
from workbench.core.prompt import Ensemble, Prompt
from workbench.core.run import Cell, Verdict
from workbench.datasets.transforms import build_transform
from workbench.datasets.transforms.swap import Swap
from workbench.engine.comparing import check_scored
from workbench.engine.plan import Plan, load_plan
from workbench.engine.records import experiment_of, get_run
from workbench.engine.reporting import cell_json, difference_json, number
from workbench.engine.score import chosen_metric, metric_scores, score_run
from workbench.engine.workspace import Workspace
from workbench.errors import UsageError
from workbench.metrics import Metric, Scores
from workbench.metrics.scores import aligned
from workbench.metrics.text import normalised
from workbench.statistics import Estimate, PairedComparison, holm, proportion, verdict
from workbench.storage.scores import CellScores

EXAMPLES_SHOWN = 5
Answers = dict[tuple[str, int], str | None]
"""A cell's answers by (row id, repeat), those with errors left out."""


@dataclass(frozen=True, slots=True)
class Flip:
    """One row whose answer changed: what was asked, and answered, before and after."""

    row_id: str
    before_row: dict[str, str]
    after_row: dict[str, str]
    before: str | None
    after: str | None


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
    pairing = _Pairing(before, after)
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
        answers = _answers(workspace, source.id, cell.index), _answers(workspace, record.id, cell.index)
        changed, flips = _changed(answers, pairing, experiment.confidence)
        lines.append(
            ProbeLine(
                cell=cell,
                changed=changed,
                noise=_noise(answers[0], pairing, experiment.confidence),
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
                sides=None if swap is None else _sides(swap, pair, measure, pairing, experiment),
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


class _Pairing:
    """Which unit of the probed run each unit of the probe is the changed twin of."""

    def __init__(self, before: Plan, after: Plan) -> None:
        self.before = {str(row["id"]): row for row in before.dataset.rows}
        self.after = {str(row["id"]): row for row in after.dataset.rows}
        self.repeats = after.experiment.repeats
        places = {row: place for place, row in enumerate(self.before)}
        self.keys = [(row, repeat) for row in self.after for repeat in range(self.repeats)]
        self.order = np.array(
            [places[row] * self.repeats + repeat for row, repeat in self.keys], dtype=np.int64
        )
        self.clusters = None if self.repeats == 1 else np.arange(len(self.order)) // self.repeats

    def scores(self, before: CellScores, after: CellScores) -> tuple[Scores, Scores]:
        """Both in the probe's order of units."""
        return aligned(metric_scores(before.at(self.order)), metric_scores(after))

    def changed_columns(self, row: str) -> list[str]:
        """The columns of a row that the probe changed."""
        old, new = self.before[row], self.after[row]
        return [name for name in new if new[name] != old.get(name)]


def _changed(
    answers: tuple[Answers, Answers], pairing: _Pairing, confidence: float
) -> tuple[Estimate, tuple[Flip, ...]]:
    before, after = answers
    other = np.full(len(pairing.keys), np.nan)
    flips: list[Flip] = []
    for place, key in enumerate(pairing.keys):
        if key not in before or key not in after:
            continue
        other[place] = _differs(before[key], after[key])
        if other[place] and len(flips) < EXAMPLES_SHOWN:
            row = key[0]
            names = pairing.changed_columns(row)
            old = {name: str(pairing.before[row].get(name)) for name in names}
            new = {name: str(pairing.after[row][name]) for name in names}
            flips.append(Flip(row, old, new, before[key], after[key]))
    return proportion(other, pairing.clusters, confidence), tuple(flips)


def _noise(answers: Answers, pairing: _Pairing, confidence: float) -> Estimate | None:
    """How often two repeats of one unchanged row differ: what a change of nothing looks like."""
    if pairing.repeats == 1:
        return None
    pairs = list(combinations(range(pairing.repeats), 2))
    values, rows = [], []
    for place, row in enumerate(pairing.after):
        for one, other in pairs:
            if (row, one) in answers and (row, other) in answers:
                values.append(float(_differs(answers[row, one], answers[row, other])))
                rows.append(place)
    return proportion(values, rows, confidence)


def _sides(
    swap: Swap,
    pair: tuple[Scores, Scores],
    metric: Metric,
    pairing: _Pairing,
    experiment: Experiment,
) -> PairedComparison:
    """The metric on the second terms' side minus the first's, over rows whose terms stand on one side."""
    sides = []
    for row, _ in pairing.keys:
        texts = [str(pairing.before[row].get(name)) for name in pairing.changed_columns(row)]
        found = {side for text in texts if (side := swap.side(text))}
        sides.append(found.pop() if len(found) == 1 else 0)
    stands = np.array(sides)
    first = _either(pair[0], pair[1], stands == -1, stands == 0)
    second = _either(pair[0], pair[1], stands == 1, stands == 0)
    return metric.compare(first, second, pairing.clusters, experiment.confidence)


def _either(before: Scores, after: Scores, take_before: np.ndarray, none: np.ndarray) -> Scores:
    values = np.where(take_before, before.values, after.values)
    values[none] = np.nan
    matrix = None
    if before.sufficient is not None and after.sufficient is not None:
        matrix = np.where(take_before[:, None], before.sufficient, after.sufficient)
        matrix[none] = np.nan
    return Scores(values, matrix, before.blocks)


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


def _differs(one: str | None, other: str | None) -> bool:
    if one is None or other is None:
        return one is not other
    return normalised(one) != normalised(other)


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
