"""How good each output of a run is, by a metric, by ratings or by pairwise wins, and which are good enough.

merits(workspace, source, Pick(by="metric", metric="exact_match", at_least=1))
Merits(name="exact_match", higher=True, least=1.0, most=None, values={0: array([1., 0., nan]), …}, …)
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from workbench.core.rating import Rating
from workbench.core.tuning import Pick
from workbench.engine.rating.given import given
from workbench.engine.score import metrics_of, score_run
from workbench.engine.workspace import Workspace
from workbench.errors import CollectionError, UnknownName
from workbench.storage.scores import CellScores
from workbench.tuning.collecting.sources import Source

FloatArray = npt.NDArray[np.float64]
Unit = tuple[int, int, int]
"""Cell, position, repeat."""


@dataclass(frozen=True)
class Merits:
    """What the outputs of one run are picked by.

    Attributes:
        name: of what it is, such as `exact_match`, `rating`, `wins`.
        higher: whether more is better.
        least, most: the bar; None where there is none.
        values: by cell, float (units,), NaN where nothing is known; unit u is row u // repeats.
        scores: by cell, every metric's values, laid out alike.
        raters: by (cell, position, repeat), who judged that output.
    """

    name: str
    higher: bool
    least: float | None
    most: float | None
    values: Mapping[int, FloatArray]
    scores: Mapping[int, Mapping[str, FloatArray]] = field(default_factory=dict)
    raters: Mapping[Unit, tuple[str, ...]] = field(default_factory=dict)

    @property
    def has_bar(self) -> bool:
        """Whether some outputs may be too bad, instead of only worse than others."""
        return self.least is not None or self.most is not None

    def passes(self, values: FloatArray) -> npt.NDArray[np.bool_]:
        """Which values are good enough; NaN never is."""
        good = ~np.isnan(values)
        if self.least is not None:
            good &= values >= self.least
        if self.most is not None:
            good &= values <= self.most
        return good

    @property
    def bar(self) -> str:
        """What is asked of an output, in words."""
        asked = [
            f"{word} {number:g}"
            for word, number in (("at least", self.least), ("at most", self.most))
            if number is not None
        ]
        return f"{self.name} of {' and '.join(asked)}" if asked else f"the best {self.name} of its row"

    @property
    def best(self) -> float | None:
        """The best value of any output; None where there is none."""
        seen = [column[~np.isnan(column)] for column in self.values.values()]
        every = np.concatenate(seen) if seen else np.empty(0)
        return float(every.max() if self.higher else every.min()) if len(every) else None


def merits(workspace: Workspace, source: Source, pick: Pick) -> Merits:
    """What `pick` says of each output of a run. Raises CollectionError, UnknownName, MetricError.

    Without a bar of its own a pick takes what is right where scores are right or wrong, what most raters
    put a thumb up for, what is above the middle of the Likert scale, and what wins more than it loses.
    """
    scores = score_run(workspace, source.run)
    if pick.by == "metric":
        return _by_metric(source, pick, scores)
    found = given(workspace, source.run).ratings
    if pick.by == "wins":
        name, judged, least = "wins", _wins(found), 0.5
        lacking = "pairwise rating"
    else:
        name, (judged, least) = "rating", _ratings(found)
        lacking = "rating by thumbs or on a Likert scale"
    if not judged:
        raise CollectionError(
            f"Run '{source.run}' has no {lacking}; rate it first (`workbench rate {source.run}`), or "
            "pick by a metric."
        )
    values = {cell.index: np.full(_units(source), np.nan) for cell in source.plan.cells}
    repeats = source.plan.experiment.repeats
    for (cell, position, repeat), (value, _) in judged.items():
        values[cell][position * repeats + repeat] = value
    bar = (pick.at_least, pick.at_most)
    if bar == (None, None):
        bar = (float(np.nextafter(least, np.inf)), None)
    raters = {unit: who for unit, (_, who) in judged.items()}
    shown = {cell.index: values[cell.index] for cell in source.cells}
    return Merits(name, True, *bar, shown, _scores(source, scores), raters)


def only_scores(workspace: Workspace, source: Source) -> Merits:
    """What metrics say of each output of a run, where nothing is picked by it."""
    return Merits("preference", True, None, None, {}, _scores(source, score_run(workspace, source.run)))


def _by_metric(source: Source, pick: Pick, scores: Mapping[tuple[int, str], CellScores]) -> Merits:
    metrics = metrics_of(source.plan.experiment)
    name = pick.metric or next(iter(metrics))
    if name not in metrics:
        problem = UnknownName(f"metric in run {source.run}", name, metrics)
        raise CollectionError(
            f"{problem} Measure it by `workbench runs score {source.run} --metrics {name}`."
        )
    values = {cell.index: _values(source, scores.get((cell.index, name))) for cell in source.cells}
    if all(np.isnan(column).all() for column in values.values()):
        raise CollectionError(
            f"Metric '{name}' gives no output of run '{source.run}' a score of its own, so that none can "
            "be picked by it; pick by another metric, or by ratings."
        )
    higher = metrics[name].direction == "higher"
    least, most = pick.at_least, pick.at_most
    if (least, most) == (None, None) and _is_right_or_wrong(values.values()):
        least, most = (1.0, None) if higher else (None, 0.0)
    return Merits(name, higher, least, most, values, _scores(source, scores))


def _is_right_or_wrong(values: Iterable[FloatArray]) -> bool:
    return all(bool(np.isin(column[~np.isnan(column)], (0.0, 1.0)).all()) for column in values)


def _scores(source: Source, scores: Mapping[tuple[int, str], CellScores]) -> dict[int, dict[str, FloatArray]]:
    of_cells: dict[int, dict[str, FloatArray]] = {cell.index: {} for cell in source.cells}
    for (cell, name), found in scores.items():
        if cell in of_cells:
            of_cells[cell][name] = found.values
    return of_cells


def _values(source: Source, found: CellScores | None) -> FloatArray:
    return np.full(_units(source), np.nan) if found is None else found.values


def _units(source: Source) -> int:
    return len(source.plan.dataset.rows) * source.plan.experiment.repeats


Judged = dict[Unit, tuple[float, tuple[str, ...]]]
"""By output, what was made of it and by whom."""


def _wins(ratings: Iterable[Rating]) -> Judged:
    """The share of its comparisons that each output won, a tie counting half."""
    said: dict[Unit, list[tuple[float, str]]] = defaultdict(list)
    for one in ratings:
        if one.mode == "pairwise" and one.other is not None and one.value is not None:
            said[one.cell, one.position, one.repeat].append((one.value, one.rater))
            said[one.other, one.position, one.repeat].append((1 - one.value, one.rater))
    return _means(said)


def _ratings(ratings: tuple[Rating, ...]) -> tuple[Judged, float]:
    """Each output's mean on the Likert scale, or its share of thumbs up where nobody used one; the middle."""
    likert = [one for one in ratings if one.mode == "likert"]
    said: dict[Unit, list[tuple[float, str]]] = defaultdict(list)
    for one in likert or [one for one in ratings if one.mode == "thumbs"]:
        if one.value is not None:
            said[one.cell, one.position, one.repeat].append((one.value, one.rater))
    scale = max((one.scale or 5 for one in likert), default=0)
    return _means(said), (1 + scale) / 2 if likert else 0.5


def _means(said: Mapping[Unit, list[tuple[float, str]]]) -> Judged:
    return {
        unit: (sum(value for value, _ in several) / len(several), tuple(sorted({who for _, who in several})))
        for unit, several in said.items()
    }
