"""Tuned against base in one run: each prompt, each slice of rows, wins row by row, and what both took."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from workbench.core.run import Cell
from workbench.engine.comparing import check_scored, family_of_gaps
from workbench.engine.plan import stored_cells
from workbench.engine.records import experiment_of, get_run
from workbench.engine.reporting import report
from workbench.engine.score import clusters_of, metric_scores, metrics_of, score_run
from workbench.engine.size_measures import measure_models, tokens_per_s
from workbench.engine.sliced_rows import sliced_rows, units_of
from workbench.engine.workspace import Workspace
from workbench.metrics import Metric
from workbench.statistics import compare_paired
from workbench.storage.scores import CellScores
from workbench.tuning.verdict.records import Level, ModelTakes, PromptVerdict, SliceVerdict, WinRate


class RunGaps:
    """A completed run of base and tuned, by one metric.

    Args:
        metric: one that the run has.
        base, tuned: the two models, as the run names them.
        margin: a gap this small counts as a tie.
    """

    def __init__(
        self, workspace: Workspace, run: str, metric: str, base: str, tuned: str, margin: float
    ) -> None:
        self._workspace, self._name = workspace, metric
        self._record = get_run(workspace, run)
        experiment = experiment_of(self._record)
        self.experiment = experiment.model_copy(update={"margin": margin})
        self.metric: Metric = metrics_of(self.experiment)[metric]
        self._scores = score_run(workspace, run)
        cells = stored_cells(self._record)
        check_scored(self._scores, cells, metric)
        self._models = {base: "base", tuned: "tuned"}
        self._base = [cell for cell in cells if cell.model == base]
        self._tuned = [cell for cell in cells if cell.model == tuned]
        units = len(next(iter(self._scores.values())).values)
        self.rows = units // self.experiment.repeats
        self._clusters = clusters_of(self.experiment.repeats, units)

    def prompts(self, teacher: str | None, headline: str) -> tuple[list[PromptVerdict], PromptVerdict | None]:
        """Every prompt, tuned against base, and the teacher's prompt (base) against the headline (tuned).

        Their p-values are Holm-adjusted together.
        """
        twins = self._twins()
        taught = None if teacher is None else self._cell(self._base, teacher)
        pairs = [self._pair(before, after) for before, after in twins]
        if taught is not None:
            pairs.append(self._pair(taught, self._cell(self._tuned, headline)))
        gaps = family_of_gaps(self.metric, self.experiment, pairs, [self._clusters] * len(pairs))
        found = [
            PromptVerdict(before.prompt, dict(before.sampling), self._level(before), self._level(after), gap)
            for (before, after), gap in zip(twins, gaps, strict=False)
        ]
        if taught is None:
            return found, None
        after = self._cell(self._tuned, headline)
        words = f"{headline} (tuned) against {teacher} (base)"
        return found, PromptVerdict(words, {}, self._level(taught), self._level(after), gaps[-1])

    def slices(self, by: str, headline: str) -> list[SliceVerdict]:
        """The headline prompt in each group of rows; Holm over them. Raises UsageError for none."""
        before, after = self._cell(self._base, headline), self._cell(self._tuned, headline)
        groups, _ = sliced_rows(self._workspace, self._record, by, before)
        repeats = self.experiment.repeats
        parts = [units_of(group, repeats) for group in groups]
        columns = [
            (self._of(before, units), self._of(after, units), None if repeats == 1 else units // repeats)
            for units in parts
        ]
        pairs = [(first, second) for first, second, _ in columns]
        gaps = family_of_gaps(self.metric, self.experiment, pairs, [ids for _, _, ids in columns])
        found = []
        for group, (first, second, ids), gap in zip(groups, columns, gaps, strict=True):
            levels = self._estimate(first, ids), self._estimate(second, ids)
            found.append(SliceVerdict(by, group.name, len(group.places), *levels, gap))
        return found

    def win_rate(self, headline: str) -> WinRate:
        """Row by row by the metric: is the tuned model's output the better one? p by the sign test."""
        first = self._scores[self._cell(self._base, headline).index, self._name].values
        second = self._scores[self._cell(self._tuned, headline).index, self._name].values
        gained = second - first if self.metric.direction == "higher" else first - second
        # a draw counts half, so the win rate is half a step from the share of rows won less the share lost
        lost, won = (np.where(np.isnan(gained), np.nan, sign * gained > 0) for sign in (-1, 1))
        found = compare_paired(lost, won, self._clusters, binary=True, confidence=self.experiment.confidence)
        better, worse = int((gained > 0).sum()), int((gained < 0).sum())
        equal = int((gained == 0).sum())
        rate, low, high = ((1 + share) / 2 for share in (found.difference, found.low, found.high))
        return WinRate(rate, low, high, found.p, better, worse, equal)

    def takes(self, headline: str) -> list[ModelTakes]:
        """Tokens, cost, time and memory of the headline prompt on both models."""
        shown = report(self._workspace, self._record.id)
        names = list(self._models)
        measured = measure_models(self._workspace, self._record.id, names)
        found = []
        for cell in (self._cell(self._base, headline), self._cell(self._tuned, headline)):
            line = next(one for one in shown.cells if one.cell.index == cell.index)
            use = measured[cell.model].use
            footprint = use.footprint if use is not None else None
            found.append(
                ModelTakes(
                    cell.model,
                    line.outputs,
                    line.errors,
                    line.unanswered,
                    line.prompt_tokens,
                    line.completion_tokens,
                    line.cost_usd,
                    line.latency_p50_s,
                    line.latency_p95_s,
                    tokens_per_s(use),
                    footprint.memory_bytes if footprint else None,
                    footprint.disk_bytes if footprint else None,
                )
            )
        return found

    def errors(self) -> list[tuple[str, str, int]]:
        """(cell, error, outputs) of what ended in errors, the most frequent first within a cell."""
        labels = {cell.index: cell.label for cell in (*self._base, *self._tuned)}
        found = self._workspace.store.outputs.errors(self._record.id)
        return [(labels[cell], error, count) for cell, error, count in found if cell in labels]

    def texts(self, headline: str) -> list[tuple[int, str, str]]:
        """(row, base's text, tuned model's text) for the headline prompt, where both gave an output."""
        store, run = self._workspace.store.outputs, self._record.id
        first = store.texts(run, self._cell(self._base, headline).index)
        second = store.texts(run, self._cell(self._tuned, headline).index)
        return [(unit[0], first[unit], second[unit]) for unit in sorted(first) if unit in second]

    def _twins(self) -> list[tuple[Cell, Cell]]:
        tuned = {(cell.prompt, str(cell.sampling)): cell for cell in self._tuned}
        return [(cell, tuned[cell.prompt, str(cell.sampling)]) for cell in self._base]

    def _cell(self, cells: Sequence[Cell], prompt: str) -> Cell:
        return next(cell for cell in cells if cell.prompt == prompt)

    def _pair(self, before: Cell, after: Cell) -> tuple[CellScores, CellScores]:
        return self._scores[before.index, self._name], self._scores[after.index, self._name]

    def _of(self, cell: Cell, units: np.ndarray) -> CellScores:
        return self._scores[cell.index, self._name].at(units)

    def _level(self, cell: Cell) -> Level:
        return self._estimate(self._scores[cell.index, self._name], self._clusters)

    def _estimate(self, scores: CellScores, clusters: np.ndarray | None) -> Level:
        found = self.metric.estimate(metric_scores(scores), clusters, self.experiment.confidence)
        return Level.of(found)
