"""Scores of a run: one row per cell and metric, its values as an array over the cell's units."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from sqlalchemy import delete, insert, select

from workbench.storage.database import Database
from workbench.storage.tables import scores


@dataclass(frozen=True)
class CellScores:
    """A metric over one cell.

    `values` is float (units,), NaN where unscored; unit u is row u // repeats, repeat u % repeats.
    `sufficient` is float (units, k) for corpus metrics. `outputs` counts what was scored.
    """

    cell: int
    metric: str
    outputs: int
    values: np.ndarray
    sufficient: np.ndarray | None
    estimate: dict[str, Any]


class CellScoresTable:
    """Reads and writes `scores`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def put(self, run: str, new: CellScores) -> None:
        """Stores a cell's scores in place of older ones."""
        matrix = new.sufficient
        with self._database.write() as connection:
            connection.execute(
                delete(scores).where(
                    scores.c.run == run, scores.c.cell == new.cell, scores.c.metric == new.metric
                )
            )
            connection.execute(
                insert(scores).values(
                    run=run,
                    cell=new.cell,
                    metric=new.metric,
                    outputs=new.outputs,
                    values=new.values.astype(np.float64).tobytes(),
                    sufficient=None if matrix is None else matrix.astype(np.float64).tobytes(),
                    width=0 if matrix is None else matrix.shape[1],
                    estimate=new.estimate,
                )
            )

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
        ).where(scores.c.run == run)
        found = {}
        with self._database.read() as connection:
            for cell, metric, count, values, sufficient, width, estimate in connection.execute(query):
                matrix = None if sufficient is None else np.frombuffer(sufficient).reshape(-1, width)
                found[cell, metric] = CellScores(cell, metric, count, np.frombuffer(values), matrix, estimate)
        return found
