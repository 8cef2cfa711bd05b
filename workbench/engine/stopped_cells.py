"""What may be said of cells that a race stopped: no p, and intervals that hold at any time.

    direct · small    -0.310 [-0.480, -0.120]   stopped after 60 rows

A stopped cell has the rows that it needed to be beaten, not all of them: a test for a number of rows
that was fixed beforehand does not hold for it, and it is never compared as if it were complete. Where
only the baseline was stopped, the cell is judged by the interval alone, widened for the comparisons made.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from workbench.core.experiment import Experiment
from workbench.core.race import Race
from workbench.core.run import Cell, CellComparison, MetricEstimate, Verdict
from workbench.engine.score import metric_scores
from workbench.metrics import Metric
from workbench.metrics.scores import aligned
from workbench.statistics import Interval, anytime_interval
from workbench.storage.scores import CellScores

if TYPE_CHECKING:
    from workbench.engine.comparing import Pair


def stopped_lines(
    metric: Metric, experiment: Experiment, pairs: Sequence[Pair], baseline: Cell, race: Race
) -> list[CellComparison]:
    """A line for each pair of the baseline's scores and a cell's, one of the two stopped by the race."""
    judged = sum(cell.index not in race.stopped for cell, _, _ in pairs)
    return [_line(metric, experiment, pair, baseline, race, judged) for pair in pairs]


def stopped_notes(cells: Sequence[Cell], race: Race | None, so: str) -> list[str]:
    """A sentence for each cell that the race stopped; `so` ends it, saying what follows."""
    stopped = {} if race is None else race.stopped
    return [
        f"A race stopped {cell.label} after {stopped[cell.index].rows:,} rows: {so}"
        for cell in cells
        if cell.index in stopped
    ]


def without_verdicts(
    lines: Sequence[CellComparison], baseline: Cell, race: Race | None
) -> tuple[CellComparison, ...]:
    """Lines of a part of the rows: where the race stopped one of the two cells, only the difference stays."""
    if race is None:
        return tuple(lines)
    nan = math.nan
    return tuple(
        replace(
            line,
            low=nan,
            high=nan,
            p=nan,
            p_adjusted=nan,
            verdict="stopped",
            rows_needed=None,
            stopped=stop.rows,
        )
        if (stop := race.stopped.get(line.cell.index) or race.stopped.get(baseline.index))
        else line
        for line in lines
    )


def estimate_at_any_time(
    found: MetricEstimate, values: np.ndarray, metric: Metric, race: Race, confidence: float
) -> MetricEstimate:
    """The estimate of a cell that has not all rows, with an interval that its early end does not spoil.

    `values` are its scores over all units, NaN where there is none. Without bounds there is no interval.
    """
    low, high = metric.range
    if metric.kind == "corpus" or not math.isfinite(high - low):
        return replace(found, low=math.nan, high=math.nan)
    in_order = np.asarray(values).reshape(race.of_rows, -1)[race.order()]
    rows = np.nanmean(in_order[np.isfinite(in_order).any(axis=1)], axis=1)
    return replace(found, **anytime_interval(np.clip(rows, low, high), low, high, confidence)._asdict())


def unpaired_line(cell: Cell, before: CellScores, after: CellScores, rows: int) -> CellComparison:
    """A line across runs where a race stopped the cell in one of them: its difference, and no verdict."""
    gained = after.values - before.values
    gained = gained[np.isfinite(gained)]
    difference = float(gained.mean()) if len(gained) else math.nan
    nan = math.nan
    return CellComparison(difference, nan, nan, nan, nan, len(gained), "stopped", cell=cell, stopped=rows)


def _line(
    metric: Metric, experiment: Experiment, pair: Pair, baseline: Cell, race: Race, judged: int
) -> CellComparison:
    cell, before, after = pair
    gained = (after.values - before.values).reshape(race.of_rows, experiment.repeats)
    in_order = gained[race.order()]
    scored = np.isfinite(in_order).any(axis=1)
    rows = np.nanmean(in_order[scored], axis=1)
    n = int(np.isfinite(gained).sum())
    width = metric.range[1] - metric.range[0]
    low, high = _interval(rows, width, metric, experiment.confidence)
    if cell.index in race.stopped:
        found: Verdict = "stopped"
    else:
        wide = 1 - (1 - experiment.confidence) / judged
        found = _verdict(_interval(rows, width, metric, wide), metric, experiment.margin)
    stop = race.stopped.get(cell.index) or race.stopped[baseline.index]
    mean = _corpus_gain(metric, before, after) if metric.kind == "corpus" else math.nan
    if len(rows) and metric.kind != "corpus":
        mean = float(rows.mean())
    return CellComparison(mean, low, high, math.nan, math.nan, n, found, cell=cell, stopped=stop.rows)


def _corpus_gain(metric: Metric, before: CellScores, after: CellScores) -> float:
    both = np.isfinite(before.values) & np.isfinite(after.values)
    first, second = aligned(metric_scores(before.at(both)), metric_scores(after.at(both)))
    return metric.value(second) - metric.value(first)


def _interval(rows: np.ndarray, width: float, metric: Metric, confidence: float) -> Interval:
    if metric.kind == "corpus" or not math.isfinite(width):
        return Interval(math.nan, math.nan)
    return anytime_interval(np.clip(rows, -width, width), -width, width, confidence)


def _verdict(interval: Interval, metric: Metric, margin: float) -> Verdict:
    if margin > 0 and -margin <= interval.low and interval.high <= margin:
        return "tied"
    if interval.low > 0 or interval.high < 0:
        return "better" if (interval.low > 0) == (metric.direction == "higher") else "worse"
    return "undecided"
