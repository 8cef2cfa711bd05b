"""Scores of a run: one row per cell and metric, its values as an array over the cell's units."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from sqlalchemy import delete, insert, select

from workbench.storage.database import Database
from workbench.storage.tables import scores


@dataclass(frozen=True)
class CellScores:
    """A metric over one cell.

    `values` is float (units,), NaN where unscored; unit u is row u // repeats, repeat u % repeats.
    `sufficient` is float (units, k) for corpus metrics, in named `blocks` where its width depends on the
    texts. `reasons` says by unit why it is unscored, or what a judge said. `outputs` counts what was scored.
    """

    cell: int
    metric: str
    outputs: int
    values: np.ndarray
    sufficient: np.ndarray | None
    estimate: dict[str, Any]
    blocks: tuple[str, ...] = ()
    reasons: Mapping[int, str] = field(default_factory=dict)

    def at(self, units: np.ndarray) -> CellScores:
        """The scores of these units alone, without reasons; `estimate` stays that of the whole cell."""
        matrix = None if self.sufficient is None else self.sufficient[units]
        return replace(self, values=self.values[units], sufficient=matrix, reasons={})


class CellScoresTable:
    """Reads and writes `scores`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def put(self, run: str, new: CellScores) -> None:
        """Stores a cell's scores in place of older ones."""
        with self._database.write() as connection:
            connection.execute(
                delete(scores).where(
                    scores.c.run == run, scores.c.cell == new.cell, scores.c.metric == new.metric
                )
            )
            connection.execute(insert(scores).values(score_values(run, new)))

    def of_run(self, run: str) -> dict[tuple[int, str], CellScores]:
        """Every stored score of a run by (cell, metric)."""
        query = select(
            scores.c.cell,
            scores.c.metric,
            scores.c.outputs,
            scores.c["values"],
            scores.c.sufficient,
            scores.c.width,
            scores.c.estimate,
            scores.c.blocks,
            scores.c.reasons,
        ).where(scores.c.run == run)
        found = {}
        with self._database.read() as connection:
            for row in connection.execute(query):
                cell, metric, count, values, sufficient, width, estimate, blocks, reasons = row
                found[cell, metric] = CellScores(
                    cell,
                    metric,
                    count,
                    np.frombuffer(values),
                    None if sufficient is None else np.frombuffer(sufficient).reshape(-1, width),
                    estimate,
                    tuple(json.loads(blocks)) if blocks else (),
                    {int(unit): reason for unit, reason in json.loads(reasons or "{}").items()},
                )
        return found

    def failed_calls(self, run: str) -> list[tuple[str, str, int]]:
        """What a metric's calls to a model ended in, where one did: (metric, error, outputs), by cell."""
        query = select(scores.c.metric, scores.c.estimate).where(scores.c.run == run).order_by(scores.c.cell)
        with self._database.read() as connection:
            return [
                (metric, error, int(count))
                for metric, estimate in connection.execute(query)
                for error, count in estimate.get("failed", {}).items()
            ]


def score_values(run: str, new: CellScores) -> dict[str, Any]:
    """A cell's scores as a row of `scores`."""
    matrix = new.sufficient
    return {
        "run": run,
        "cell": new.cell,
        "metric": new.metric,
        "outputs": new.outputs,
        "values": new.values.astype(np.float64).tobytes(),
        "sufficient": None if matrix is None else matrix.astype(np.float64).tobytes(),
        "width": 0 if matrix is None else matrix.shape[1],
        "blocks": json.dumps(new.blocks, ensure_ascii=False) if new.blocks else None,
        "reasons": json.dumps(dict(new.reasons), ensure_ascii=False) if new.reasons else None,
        "estimate": new.estimate,
    }
