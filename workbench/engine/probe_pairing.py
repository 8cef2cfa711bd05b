"""An unchanged run and its probe, unit by unit: which answers changed, and how many do so by themselves.

pairing.changed(before, after)  ->  Estimate(mean=0.18, …), (Flip("row-7", …, before="42", after="41"), …)
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np

from workbench.datasets.transforms.swap import Swap
from workbench.engine.plan import Plan
from workbench.engine.score import metric_scores
from workbench.metrics import Metric, Scores
from workbench.metrics.scores import aligned
from workbench.metrics.text import normalised
from workbench.statistics import Estimate, PairedComparison, proportion
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


class ProbePairing:
    """Which unit of the probed run each unit of the probe is the changed twin of.

    `clusters` (units,) is the row of each unit, None where each row is one unit.
    """

    def __init__(self, before: Plan, after: Plan) -> None:
        self.confidence = after.experiment.confidence
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

    def changed(self, before: Answers, after: Answers) -> tuple[Estimate, tuple[Flip, ...]]:
        """The share of answers that are another one after the change, and a few of them."""
        other = np.full(len(self.keys), np.nan)
        flips: list[Flip] = []
        for place, key in enumerate(self.keys):
            if key not in before or key not in after:
                continue
            other[place] = _differs(before[key], after[key])
            if other[place] and len(flips) < EXAMPLES_SHOWN:
                row = key[0]
                names = self.changed_columns(row)
                old = {name: str(self.before[row].get(name)) for name in names}
                new = {name: str(self.after[row][name]) for name in names}
                flips.append(Flip(row, old, new, before[key], after[key]))
        return proportion(other, self.clusters, self.confidence), tuple(flips)

    def noise(self, answers: Answers) -> Estimate | None:
        """How often two repeats of one unchanged row differ: what a change of nothing looks like."""
        if self.repeats == 1:
            return None
        pairs = list(combinations(range(self.repeats), 2))
        values, rows = [], []
        for place, row in enumerate(self.after):
            for one, other in pairs:
                if (row, one) in answers and (row, other) in answers:
                    values.append(float(_differs(answers[row, one], answers[row, other])))
                    rows.append(place)
        return proportion(values, rows, self.confidence)

    def sides(self, swap: Swap, metric: Metric, before: Scores, after: Scores) -> PairedComparison:
        """The metric on the second terms' side minus the first's, over rows whose terms stand on one side."""
        sides = []
        for row, _ in self.keys:
            texts = [str(self.before[row].get(name)) for name in self.changed_columns(row)]
            found = {side for text in texts if (side := swap.side(text))}
            sides.append(found.pop() if len(found) == 1 else 0)
        stands = np.array(sides)
        first = _either(before, after, stands == -1, stands == 0)
        second = _either(before, after, stands == 1, stands == 0)
        return metric.compare(first, second, self.clusters, self.confidence)


def _either(before: Scores, after: Scores, take_before: np.ndarray, none: np.ndarray) -> Scores:
    values = np.where(take_before, before.values, after.values)
    values[none] = np.nan
    matrix = None
    if before.sufficient is not None and after.sufficient is not None:
        matrix = np.where(take_before[:, None], before.sufficient, after.sufficient)
        matrix[none] = np.nan
    return Scores(values, matrix, before.blocks)


def _differs(one: str | None, other: str | None) -> bool:
    if one is None or other is None:
        return one is not other
    return normalised(one) != normalised(other)
