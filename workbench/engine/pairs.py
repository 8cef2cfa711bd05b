"""Every pair: each two cells of a run compared over the rows that both have, one Holm family for all.

    compare_pairs(workspace, run) -> Pairs(lines=(PairLine(direct, step-by-step, +0.310, "better"), …))

A verdict is on the second cell of its pair, against the first. Cells that a race stopped are left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np

from workbench.core.run import Cell, Verdict
from workbench.engine.comparing import check_scored
from workbench.engine.plan import stored_cells
from workbench.engine.records import experiment_of, get_run, race_of
from workbench.engine.reporting import cell_json, difference_json
from workbench.engine.score import chosen_metric, clusters_of, metric_scores, score_run
from workbench.engine.workspace import Workspace
from workbench.metrics import Metric
from workbench.statistics import (
    PairedComparison,
    compare_all_pairs,
    holm,
    open_confidence,
    rows_needed,
    verdict,
)
from workbench.storage.scores import CellScores


@dataclass(frozen=True, slots=True)
class PairLine:
    """`second` - `first` by the metric, with its interval; p adjusted over all pairs of the run."""

    first: Cell
    second: Cell
    difference: float
    low: float
    high: float
    p: float
    p_adjusted: float
    n: int
    verdict: Verdict
    rows_needed: int | None


@dataclass(frozen=True, slots=True)
class Pairs:
    """Every pair of a run's whole cells by one metric."""

    run: str
    metric: str
    cells: tuple[Cell, ...]
    lines: tuple[PairLine, ...]
    stopped: tuple[Cell, ...] = ()
    """Cells that a race stopped before they had all rows; they are in no pair."""
    margin: float = 0.0
    confidence: float = 0.95
    higher_is_better: bool = True


def compare_pairs(workspace: Workspace, run: str, metric: str | None = None) -> Pairs:
    """Compares each pair of cells of a run, with the same resamples for all.

    `metric` is one of the experiment's; by itself its first. Raises UnknownName for another, and
    RunError where a metric that asks models has not been scored yet.
    """
    record = get_run(workspace, run)
    experiment = experiment_of(record)
    name, measure = chosen_metric(experiment, metric)
    scores = score_run(workspace, run)
    race = race_of(record)
    every = stored_cells(record)
    check_scored(scores, every, name)
    cells = tuple(cell for cell in every if race is None or cell.index not in race.stopped)
    columns = [scores[cell.index, name] for cell in cells]
    units = len(columns[0].values) if columns else 0
    clusters = clusters_of(experiment.repeats, units)
    found = _compared(measure, columns, clusters, experiment.confidence)
    adjusted = holm([one.p for one in found])
    asked = open_confidence(adjusted, experiment.confidence)
    lines = []
    for (i, j), one, p_adjusted in zip(combinations(range(len(cells)), 2), found, adjusted, strict=True):
        said = verdict(one, p_adjusted, experiment.margin, experiment.confidence, measure.direction)
        needed = None
        if said == "undecided":
            apart = columns[j].values - columns[i].values
            kept = np.isfinite(apart)
            needed = rows_needed(apart[kept], None if clusters is None else clusters[kept], asked)
        lines.append(
            PairLine(
                cells[i],
                cells[j],
                one.difference,
                one.low,
                one.high,
                one.p,
                p_adjusted,
                one.n,
                said,
                needed,
            )
        )
    left_out = tuple(cell for cell in every if cell not in cells)
    return Pairs(
        run,
        name,
        cells,
        tuple(lines),
        left_out,
        experiment.margin,
        experiment.confidence,
        measure.direction == "higher",
    )


def pairs_json(found: Pairs) -> dict[str, Any]:
    """Every pair as plain values, as docs/commands.md has it."""
    return {
        "run": found.run,
        "metric": found.metric,
        "margin": found.margin,
        "confidence": found.confidence,
        "pairs": [
            {
                "first": cell_json(line.first),
                "second": cell_json(line.second),
                **difference_json(line),
                "n": line.n,
                "verdict": line.verdict,
                "rows_needed": line.rows_needed,
            }
            for line in found.lines
        ],
        "stopped": [cell_json(cell) for cell in found.stopped],
    }


def _compared(
    metric: Metric, columns: Sequence[CellScores], clusters: np.ndarray | None, confidence: float
) -> list[PairedComparison]:
    own_way = type(metric).compare is not Metric.compare
    if own_way or any(column.sufficient is not None for column in columns):
        return [
            metric.compare(metric_scores(one), metric_scores(other), clusters, confidence)
            for one, other in combinations(columns, 2)
        ]
    table = np.array([column.values for column in columns])
    if len(table) < 2:
        return []
    found = compare_all_pairs(table, clusters, confidence=confidence, bounds=metric.range)
    return [
        PairedComparison(
            float(found.difference[k]),
            float(found.low[k]),
            float(found.high[k]),
            float(found.p[k]),
            int(found.n[k]),
            int(found.differing[k]),
        )
        for k in range(len(found.n))
    ]
