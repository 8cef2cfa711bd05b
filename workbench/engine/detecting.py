"""Before a run: which differences its rows will show, from what is known of how often cells disagree.

    With 200 rows you will see differences of 9 points and more, if two cells disagree on 20 % of rows …

Known is what the newest completed run of the same experiment had; without one, a usual share is taken
and said.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import median

import numpy as np
import numpy.typing as npt

from workbench.core.experiment import Experiment
from workbench.engine.plan import Plan, baseline_cell, load_plan, stored_cells
from workbench.engine.records import experiment_of, get_run, race_of
from workbench.engine.score import clusters_of, metrics_of, score_run
from workbench.engine.workspace import Workspace
from workbench.errors import WorkbenchError
from workbench.metrics import Metric
from workbench.statistics import LARGEST_DISCORDANCE, USUAL_DISCORDANCE, detectable_difference
from workbench.storage import RunRecord

FloatArray = npt.NDArray[np.float64]

FEWEST_ROWS = 20
"""An earlier run with fewer rows says too little of how often cells disagree."""


@dataclass(frozen=True, slots=True)
class Detectable:
    """The smallest true difference that a plan's rows show four times out of five; None if none is."""

    metric: str
    rows: int
    difference: float | None
    sentence: str
    run: str | None = None
    """The earlier run that it was reckoned from."""


def detectable(workspace: Workspace, plan: Plan) -> Detectable | None:
    """What a plan's rows will show by its first metric; None where there is nothing to compare or to go by.

    With k comparisons the first of Holm's steps is taken: confidence 1 - (1 - confidence) / k.
    """
    comparisons = len(plan.cells) - 1
    name, metric = next(iter(metrics_of(plan.experiment).items()))
    if comparisons < 1:
        return None
    rows = len(plan.dataset.rows)
    confidence = 1 - (1 - plan.experiment.confidence) / comparisons
    known = _known(workspace, plan.experiment, name)
    if known is not None:
        run, share, deviation = known
        if metric.kind == "proportion":
            found = detectable_difference(rows, confidence, discordance=share)
            seen = f"two cells disagree on {_percent(share)} of rows, as in run {run}"
        else:
            found = detectable_difference(rows, confidence, deviation=deviation)
            seen = f"the difference of a row varies as in run {run}"
        return Detectable(name, rows, found, _sentence(rows, found, metric, seen), run)
    if metric.kind != "proportion":
        return None
    found = detectable_difference(rows, confidence)
    worst = detectable_difference(rows, confidence, discordance=LARGEST_DISCORDANCE)
    seen = f"two cells disagree on {_percent(USUAL_DISCORDANCE)} of rows"
    if worst is not None:
        seen += f" ({_amount(worst, metric)} if on {_percent(LARGEST_DISCORDANCE)})"
    return Detectable(name, rows, found, _sentence(rows, found, metric, seen))


def detectable_of_run(workspace: Workspace, run: str) -> Detectable | None:
    """The same of a run that was planned and has not started."""
    return detectable(workspace, load_plan(workspace, get_run(workspace, run)))


def _known(workspace: Workspace, experiment: Experiment, metric: str) -> tuple[str, float, float] | None:
    """The newest completed run; the median share of differing rows, and deviation, of its cells."""
    for record in workspace.store.runs.newest(limit=20, experiment=experiment.name):
        if record.status != "completed" or "probe" in record.definition or race_of(record) is not None:
            continue
        try:
            found = _observed(workspace, record, experiment, metric)
        except WorkbenchError:
            continue  # an older run whose metrics or models are gone
        if found is not None:
            return record.id, *found
    return None


def _observed(
    workspace: Workspace, record: RunRecord, experiment: Experiment, metric: str
) -> tuple[float, float] | None:
    earlier = experiment_of(record)
    if earlier.dataset.name != experiment.dataset.name or metric not in metrics_of(earlier):
        return None
    cells = stored_cells(record)
    base = baseline_cell(earlier, cells)
    scores = score_run(workspace, record.id)
    shares, deviations = [], []
    for cell in cells:
        if cell == base or (cell.index, metric) not in scores or (base.index, metric) not in scores:
            continue
        apart = scores[cell.index, metric].values - scores[base.index, metric].values
        means = _row_means(apart, clusters_of(earlier.repeats, len(apart)))
        if len(means) >= FEWEST_ROWS and means.any():
            shares.append(float((means**2).mean()))
            deviations.append(float(means.std(ddof=1)))
    return (median(shares), median(deviations)) if shares else None


def _row_means(apart: FloatArray, rows: np.ndarray | None) -> FloatArray:
    kept = np.isfinite(apart)
    if rows is None:
        return apart[kept]
    sums, counts = np.bincount(rows[kept], weights=apart[kept]), np.bincount(rows[kept])
    return np.asarray(sums[counts > 0] / counts[counts > 0], dtype=np.float64)


def _sentence(rows: int, found: float | None, metric: Metric, seen: str) -> str:
    some = f"{rows:,} row" if rows == 1 else f"{rows:,} rows"
    if found is None:
        return f"With {some} no difference can be shown, if {seen}: take more rows."
    return f"With {some} you will see differences of {_amount(found, metric)} and more, if {seen}."


def _amount(difference: float, metric: Metric) -> str:
    if metric.kind == "proportion":
        points = max(1, math.ceil(100 * difference - 0.5))
        return f"{points} point" if points == 1 else f"{points} points"
    return f"{difference:.2g}"


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %" if share >= 0.01 else f"{100 * share:.1g} %"
