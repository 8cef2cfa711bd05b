"""Which rows a cell fails: scored worse than could be, ended in an error, or without an answer."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from workbench.engine.workspace import Workspace
from workbench.metrics import Metric
from workbench.storage import RunRecord
from workbench.storage.scores import CellScores

Mask = npt.NDArray[np.bool_]


def failing_rows(
    workspace: Workspace,
    record: RunRecord,
    metric: Metric,
    columns: Sequence[CellScores],
    repeats: int,
) -> tuple[Mask, Mask]:
    """(cells, rows): whether the cell fails the row, and whether that can be told.

    A row fails where the metric scores it worse than its best, where the output is an error, or where
    nothing could be read from it; with repeats, where at least half of those judged do. Where scores
    are other than 0 and 1, those worse than the median of all cells' fail. An output that is unscored
    for another reason tells nothing.
    """
    worse = _worse(metric, [column.values for column in columns])
    rows = len(columns[0].values) // repeats
    failed = np.zeros((len(columns), rows), dtype=np.bool_)
    judged = np.zeros((len(columns), rows), dtype=np.bool_)
    for place, column in enumerate(columns):
        bad = worse[place]
        known = np.isfinite(column.values)
        for position, repeat, answer, error, _ in workspace.store.outputs.answers(record.id, column.cell):
            unit = position * repeats + repeat
            if error or (answer is None and not known[unit]):
                bad[unit] = known[unit] = True
        counted = known.reshape(rows, repeats).sum(axis=1)
        judged[place] = counted > 0
        failed[place] = judged[place] & (2 * (bad & known).reshape(rows, repeats).sum(axis=1) >= counted)
    return failed, judged


def _worse(metric: Metric, columns: Sequence[npt.NDArray[np.float64]]) -> list[Mask]:
    """Per cell: which scores count as failing."""
    sign = 1.0 if metric.direction == "higher" else -1.0
    pooled = sign * np.concatenate(columns)
    pooled = pooled[np.isfinite(pooled)]
    best = max(sign * metric.range[0], sign * metric.range[1])
    bar = best
    if len(pooled) and not np.isin(pooled, (0.0, sign)).all():
        middle = float(np.median(pooled))
        bar = middle if (pooled < middle).any() else best
    return [np.isfinite(column) & (sign * column < bar) for column in columns]
