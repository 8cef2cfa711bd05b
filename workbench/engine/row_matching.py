"""The rows that a query asks for, as places in the run's rows: arrays over all outputs, no loop over them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from workbench.core.experiment import Experiment
from workbench.engine.plan import stored_cells, twin_in
from workbench.engine.records import experiment_of, get_run
from workbench.engine.row_query import Only, RowQuery, ScoreRange
from workbench.engine.score import metrics_of, score_run
from workbench.engine.workspace import Workspace
from workbench.errors import RunError, UnknownName, UsageError
from workbench.metrics import Metric
from workbench.storage import RunRecord
from workbench.storage.row_facts import FAILED, MISSING, UNANSWERED, text_of
from workbench.storage.scores import CellScores

RunScores = Mapping[tuple[int, str], CellScores]
Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]
Places = npt.NDArray[np.int64]


class RowMatcher:
    """One query over one run. What several of its filters need is read once.

    Raises UsageError, RunError or UnknownName where the query names what the run does not have.
    """

    def __init__(
        self, workspace: Workspace, record: RunRecord, cells: list[int], query: RowQuery, scores: RunScores
    ) -> None:
        self._workspace, self._record, self._cells = workspace, record, cells
        self._query, self._scores = query, scores
        self._facts = workspace.store.row_facts
        self._experiment = experiment_of(record)
        self._rows = workspace.store.runs.count_rows(record.row_set)
        if not 0 <= query.repeat < self._experiment.repeats:
            raise UsageError(f"There is no repeat {query.repeat}; the run has {self._experiment.repeats}.")

    @cached_property
    def metrics(self) -> dict[str, Metric]:
        """The experiment's metrics by shown name."""
        return metrics_of(self._experiment)

    @cached_property
    def metric(self) -> str:
        """The metric that right and wrong go by."""
        name = self._query.metric or next(iter(self.metrics))
        return self._known(name)

    def places(self) -> Places:
        """The rows' places under the query, in its order."""
        query = self._query
        kept = np.ones(self._rows, dtype=np.bool_)
        for name in query.only:
            kept &= _ONLY[name](self)
        for bounds in query.scores:
            kept &= self._scored_within(bounds)
        if query.column is not None:
            values = self._facts.column(self._record.row_set, query.column)
            kept &= np.array([text_of(value) == query.value for value in values], dtype=np.bool_)
        if query.tag:
            tagged = self._workspace.store.row_tags.rows_with(self._record.dataset, query.tag)
            kept &= np.array([row_id in tagged for row_id in self.row_ids], dtype=np.bool_)
        if query.contains:
            found = self._facts.positions_with(
                self._record.id, self._record.row_set, self._cells, query.repeat, query.contains
            )
            kept &= np.isin(np.arange(self._rows), list(found))
        return self._sorted(np.flatnonzero(kept))

    def right(self, cell: int, position: int) -> bool | None:
        """Whether one output is right by the metric: it has the best score; None between best and worst."""
        values = self._values(cell, self.metric)
        best, worst = self._ends(self.metric)
        if values[position] == best:
            return True
        return False if values[position] == worst else None

    @cached_property
    def row_ids(self) -> list[str]:
        """Every row's id, by place."""
        return self._facts.row_ids(self._record.row_set)

    # --- what filters and orders are made of; arrays are (rows,) or (cells, rows)

    @cached_property
    def _states(self) -> npt.NDArray[np.int8]:
        return self._facts.states(self._record.id, self._cells, self._query.repeat, self._rows)

    @cached_property
    def _answers(self) -> Places:
        return self._facts.answers(self._record.id, self._cells, self._query.repeat, self._rows)

    @cached_property
    def _table(self) -> Floats:
        lines = [self._values(cell, self.metric) for cell in self._cells]
        return np.array(lines).reshape(len(self._cells), self._rows)

    def _values(self, cell: int, metric: str) -> Floats:
        return _at_repeat(self._scores.get((cell, metric)), self._query.repeat, self._experiment, self._rows)

    def _ends(self, name: str) -> tuple[float, float]:
        """(best, worst) possible score."""
        low, high = self.metrics[name].range
        return (high, low) if self.metrics[name].direction == "higher" else (low, high)

    def _known(self, metric: str) -> str:
        if metric not in self.metrics:
            raise UnknownName("metric in this run", metric, self.metrics)
        return metric

    def _fails(self) -> Mask:
        """(cells, rows): scored below the best, or an error."""
        best, _ = self._ends(self.metric)
        below: Mask = np.isfinite(self._table) & (self._table != best) | (self._states == FAILED)
        return below

    def _one_right(self) -> Mask:
        best, _ = self._ends(self.metric)
        once: Mask = (self._table == best).sum(axis=0) == 1
        return once

    def _unscored(self) -> Mask:
        there = (self._states != FAILED) & (self._states != MISSING)
        lost: Mask = (there & np.isnan(self._table)).any(axis=0)
        return lost

    def _scored_within(self, bounds: ScoreRange) -> Mask:
        cells = self._cells if bounds.cell is None else [bounds.cell]
        if not set(cells) <= {cell.index for cell in stored_cells(self._record)}:
            raise RunError(f"There is no cell {bounds.cell} to filter scores of.")
        kept = np.zeros(self._rows, dtype=np.bool_)
        for cell in cells:
            values = self._values(cell, self._known(bounds.metric))
            fits = np.isfinite(values)
            if bounds.low is not None:
                fits &= values >= bounds.low
            if bounds.high is not None:
                fits &= values <= bounds.high
            kept |= fits
        return kept

    def _regressed(self) -> Mask:
        """Where a chosen cell scored better in the other run; an error here is as bad as the worst score."""
        other = get_run(self._workspace, self._query.against or "")
        experiment = experiment_of(other)
        if self.metric not in metrics_of(experiment):
            raise RunError(f"Run '{other.id}' has no metric '{self.metric}'; choose another run or metric.")
        scores = score_run(self._workspace, other.id)
        count = self._workspace.store.runs.count_rows(other.row_set)
        here = self._places_in(other)
        best, worst = self._ends(self.metric)
        sign = 1.0 if best > worst else -1.0
        repeat = min(self._query.repeat, experiment.repeats - 1)
        known = {cell.index: cell for cell in stored_cells(self._record)}
        twins = [(line, twin_in(other, known[cell])) for line, cell in enumerate(self._cells)]
        if all(twin is None for _, twin in twins):
            raise RunError(f"Run '{other.id}' has none of the chosen cells: no prompt and model in common.")
        kept = np.zeros(self._rows, dtype=np.bool_)
        for line, twin in twins:
            if twin is None:
                continue
            before = _at_repeat(scores.get((twin.index, self.metric)), repeat, experiment, count)
            paired = np.where(here >= 0, before[np.maximum(here, 0)], np.nan) if count else self._table[line]
            after = np.where(self._states[line] == FAILED, worst, self._table[line])
            kept |= sign * after < sign * paired
        return kept

    def _places_in(self, other: RunRecord) -> Places:
        """Per row: its place in another run's rows, by id; -1 where it is not there."""
        if other.row_set == self._record.row_set:
            return np.arange(self._rows)
        places = {row_id: place for place, row_id in enumerate(self._facts.row_ids(other.row_set))}
        return np.array([places.get(row_id, -1) for row_id in self.row_ids], dtype=np.int64)

    def _sorted(self, places: Places) -> Places:
        if self._query.sort == "row" or not len(places):
            return places
        key = self._key()[places]
        # a stable sort: rows that tie stay in the dataset's order, and NaN comes last
        return places[np.argsort(key, kind="stable")]

    def _key(self) -> Floats:
        """(rows,): small values come first."""
        query, sort = self._query, self._query.sort
        of = self._chosen(query.of, -1)
        if sort == "disagreement":
            return -self._answers.astype(np.float64)
        if sort in ("worst", "best", "gained", "lost"):
            best, worst = self._ends(self.metric)
            better = self._values(of, self.metric) * (1.0 if best > worst else -1.0)
            if sort in ("gained", "lost"):
                versus = self._values(self._chosen(query.versus, 0), self.metric)
                better = better - versus * (1.0 if best > worst else -1.0)
            return better if sort in ("worst", "lost") else -better
        measure: Any = {"slowest": "latency_s", "costliest": "cost_usd"}.get(sort, "length")
        taken = self._facts.measured(self._record.id, [of], query.repeat, self._rows, measure)
        return taken if sort == "shortest" else -taken

    def _chosen(self, cell: int | None, place: int) -> int:
        if cell is None:
            return self._cells[place] if self._cells else 0
        if not 0 <= cell < len(stored_cells(self._record)):
            raise RunError(f"There is no cell {cell} to sort by.")
        return cell


def _at_repeat(scores: CellScores | None, repeat: int, experiment: Experiment, rows: int) -> Floats:
    """(rows,): one repeat's scores, NaN where there are none."""
    if scores is None or len(scores.values) != rows * experiment.repeats:
        return np.full(rows, np.nan)
    return scores.values[repeat :: experiment.repeats]


_ONLY: dict[Only, Callable[[RowMatcher], Mask]] = {
    "different": lambda one: one._answers > 1,
    "wrong": lambda one: np.asarray(one._fails().any(axis=0)),
    "all_wrong": lambda one: np.asarray(one._fails().all(axis=0)),
    "one_right": lambda one: one._one_right(),
    "unanswered": lambda one: (one._states == UNANSWERED).any(axis=0),
    "errors": lambda one: (one._states == FAILED).any(axis=0),
    "unscored": lambda one: one._unscored(),
    "regressed": lambda one: one._regressed(),
}
