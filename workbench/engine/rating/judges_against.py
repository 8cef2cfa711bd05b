"""A judge against people: agreement, bias, order and length, and what its many labels add to people's few.

    JudgeAgainst("quality", "likert", "helpful", kappa=0.44, bias=+0.60 [0.35, 0.85], flip_rate=None, …)

A judge's scores are put on the people's scale by its own range: a 1-to-10 judge's 10 is a 5 of 5 stars.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from math import isfinite
from typing import Any

import numpy as np

from workbench.core.rating import Mode
from workbench.core.run import Cell, MetricEstimate
from workbench.engine.plan import baseline_cell
from workbench.engine.rating.given import FloatArray, Given
from workbench.engine.rating.people import (
    Judged,
    Preferred,
    by_pair,
    drawn,
    of_majority,
    preferences_of,
    quality_of,
)
from workbench.engine.records import experiment_of
from workbench.engine.reporting import cell_json, number
from workbench.engine.workspace import Workspace
from workbench.metrics.judge import Judge, flip_rate
from workbench.statistics import (
    Coefficient,
    Estimate,
    PredictionPowered,
    bootstrap_mean,
    cohen_kappa,
    prediction_powered_mean,
    spearman,
)
from workbench.statistics.partial import partial_spearman
from workbench.storage import RunRecord
from workbench.storage.scores import CellScores

NOT_KNOWN = Estimate(float("nan"), float("nan"), float("nan"), 0)


@dataclass(frozen=True, slots=True)
class CorrectedCell:
    """A cell's quality from people's few labels and the judge's many, beside what each says alone.

    `against`: of pairs, the baseline; the estimate is then how often the cell is preferred to it.
    """

    cell: Cell
    against: Cell | None
    estimate: PredictionPowered


@dataclass(frozen=True, slots=True)
class JudgeAgainst:
    """One judge against one thing that people rated.

    Attributes:
        kappa: Cohen's, of the judge and the majority of people; quadratically weighted for Likert ratings.
        bias: the judge less the people on the same outputs, in the people's unit; of pairs the judge's
            preference for a cell over the baseline less the people's. Not known (NaN) where the two
            are on no common scale.
        flip_rate: of a judge of pairs, how often its verdict changed with the order; None otherwise.
        length: rank correlation of the judge's score with the length of the output.
        length_beyond_people: the same with what people said held fixed.
        corrected: an estimate for each cell that people rated.
        top: the highest value of the people's scale.
    """

    metric: str
    mode: Mode
    criterion: str
    kappa: Coefficient
    bias: MetricEstimate
    flip_rate: float | None
    length: Coefficient
    length_beyond_people: Coefficient
    corrected: tuple[CorrectedCell, ...]
    top: float

    @property
    def name(self) -> str:
        """What people rated, as they call it."""
        return self.criterion or {"pairwise": "pairs", "thumbs": "thumbs"}[self.mode]


@dataclass(frozen=True)
class Case:
    """What is held against what: a judge's scores as (cells, rows, repeats), and what people rated."""

    given: Given
    metric: str
    mode: Mode
    criterion: str
    table: FloatArray


@dataclass(frozen=True)
class _Court:
    """A judge's scores as (cells, rows, repeats), and what is needed to hold them against people."""

    table: FloatArray
    lengths: FloatArray
    of_pairs: bool
    low: float
    high: float
    cells: tuple[Cell, ...]
    baseline: Cell
    confidence: float


def judge_against(
    workspace: Workspace,
    record: RunRecord,
    case: Case,
    judge: Judge,
    scores: Mapping[tuple[int, str], CellScores],
) -> JudgeAgainst:
    """Holds a judge against one thing that people rated."""
    found, name, mode, criterion, table = case.given, case.metric, case.mode, case.criterion, case.table
    experiment = experiment_of(record)
    said = [
        reason for (_, metric), one in scores.items() if metric == name for reason in one.reasons.values()
    ]
    flips = flip_rate(said)
    court = _Court(
        table=table,
        lengths=_lengths(workspace, record, table),
        of_pairs=flips is not None,
        low=judge.range[0],
        high=judge.range[1],
        cells=found.cells,
        baseline=baseline_cell(experiment, found.cells),
        confidence=experiment.confidence,
    )
    if mode == "pairwise":
        line = _of_pairs(court, by_pair(preferences_of(found, mode)))
    else:
        line = _of_outputs(court, quality_of(found, mode, criterion))
    kept = ~np.isnan(table) & ~np.isnan(court.lengths)
    row = np.broadcast_to(np.arange(table.shape[1])[None, :, None], table.shape)
    places = drawn(kept.reshape(-1))
    length = spearman(
        table.reshape(-1)[places],
        court.lengths.reshape(-1)[places],
        row.reshape(-1)[places],
        confidence=court.confidence,
    )
    return JudgeAgainst(metric=name, mode=mode, criterion=criterion, flip_rate=flips, length=length, **line)


def corrected_json(one: CorrectedCell) -> dict[str, Any]:
    """A corrected estimate as JSON, beside the judge's and the people's own."""
    found = one.estimate
    return {
        **cell_json(one.cell),
        **({"against": cell_json(one.against)} if one.against else {}),
        "mean": number(found.value),
        "low": number(found.low),
        "high": number(found.high),
        "judge": number(found.judge),
        "people": {
            "mean": number(found.human),
            "low": number(found.human_low),
            "high": number(found.human_high),
            "n": found.n,
        },
        "judged": found.judged,
        "trust": number(found.trust),
    }


def _of_outputs(court: _Court, judged: Judged) -> dict[str, Any]:
    """Thumbs or a criterion: the judge's scores on the people's scale against their means."""
    scored = judged.at(court.table)
    kept = ~np.isnan(scored)
    row, people, raw = judged.row[kept], judged.value[kept], scored[kept]
    lengths = judged.at(court.lengths)[kept]
    places = drawn(np.ones(len(row), dtype=bool))
    beyond = partial_spearman(
        raw[places], lengths[places], people[places], row[places], confidence=court.confidence
    )
    kappa, bias = cohen_kappa([], []), NOT_KNOWN
    common = not court.of_pairs and isfinite(court.low) and isfinite(court.high)
    table = _on_scale(court, judged) if common else court.table
    if common:
        mapped = judged.at(table)[kept]
        steps = judged.high - judged.low
        bias = bootstrap_mean(mapped - people, row, court.confidence, bounds=(-steps, steps))
        if judged.high > 1:
            nearest = [np.floor(column + 0.5) for column in (mapped, people)]
            kappa = cohen_kappa(nearest[0], nearest[1], "quadratic", confidence=court.confidence)
        else:
            decided = people != 0.5
            kappa = cohen_kappa(
                (mapped >= 0.5)[decided], (people > 0.5)[decided], confidence=court.confidence
            )
    corrected = []
    for cell in court.cells:
        mine = judged.cell == cell.index
        if mine.any():
            labels = np.full(court.table.shape[1:], np.nan)
            labels[judged.row[mine], judged.repeat[mine]] = judged.value[mine]
            estimate = _corrected(labels, table[cell.index], court, judged.low, judged.high)
            corrected.append(CorrectedCell(cell, None, estimate))
    return {
        "kappa": kappa,
        "bias": MetricEstimate(**asdict(bias)),
        "length_beyond_people": beyond,
        "corrected": tuple(corrected),
        "top": judged.high,
    }


def _of_pairs(court: _Court, pairs: Preferred) -> dict[str, Any]:
    """Pairs: which of two outputs the judge's scores prefer against which most people do."""
    one, two = pairs.of(court.table)
    prefers = _preference(one, two)
    kept = ~np.isnan(prefers)
    kappa = cohen_kappa(prefers[kept], of_majority(pairs.value[kept]), confidence=court.confidence)
    left, right = pairs.of(court.lengths)
    apart, longer, liked = one - two, left - right, pairs.value - 0.5
    places = drawn(~np.isnan(apart + longer))
    both_ways = [np.concatenate([column[places], -column[places]]) for column in (apart, longer, liked)]
    rows_twice = np.concatenate([pairs.row[places], pairs.row[places]])
    beyond = partial_spearman(
        both_ways[0], both_ways[1], both_ways[2], rows_twice, confidence=court.confidence
    )
    base = court.baseline
    corrected, differences, rows = [], [], []
    for cell in court.cells:
        mine = pairs.against(cell.index, base.index)
        if cell == base or not len(mine):
            continue
        labels = np.full(court.table.shape[1:], np.nan)
        labels[mine.row, mine.repeat] = mine.value
        said = _preference(court.table[cell.index], court.table[base.index])
        corrected.append(CorrectedCell(cell, base, _corrected(labels, said, court, 0.0, 1.0)))
        differences.append(said[mine.row, mine.repeat] - mine.value)
        rows.append(mine.row)
    bias = NOT_KNOWN
    if differences:
        bias = bootstrap_mean(
            np.concatenate(differences), np.concatenate(rows), court.confidence, bounds=(-1.0, 1.0)
        )
    return {
        "kappa": kappa,
        "bias": MetricEstimate(**asdict(bias)),
        "length_beyond_people": replace(beyond, n=beyond.n // 2),
        "corrected": tuple(corrected),
        "top": 1.0,
    }


def _corrected(
    labels: FloatArray, judge: FloatArray, court: _Court, low: float, high: float
) -> PredictionPowered:
    """From tables (rows, repeats): one value a row, so that its repeats count as the one row they are."""
    found = prediction_powered_mean(_row_means(labels), _row_means(judge), confidence=court.confidence)

    def held(value: float) -> float:
        return float(np.clip(value, low, high))

    return replace(
        found,
        value=held(found.value),
        low=held(found.low),
        high=held(found.high),
        human_low=held(found.human_low),
        human_high=held(found.human_high),
    )


def _row_means(table: FloatArray) -> FloatArray:
    there = ~np.isnan(table)
    count = there.sum(axis=1)
    sums = np.where(there, table, 0.0).sum(axis=1)
    return np.where(count > 0, sums / np.maximum(count, 1), np.nan)


def _on_scale(court: _Court, judged: Judged) -> FloatArray:
    share = (court.table - court.low) / (court.high - court.low)
    return judged.low + share * (judged.high - judged.low)


def _preference(one: FloatArray, two: FloatArray) -> FloatArray:
    """1 where the first is higher, 0 where the second is, 0.5 where they are equal; NaN where unscored."""
    found = np.where(one == two, 0.5, (one > two).astype(np.float64))
    return np.where(np.isnan(one) | np.isnan(two), np.nan, found)


def _lengths(workspace: Workspace, record: RunRecord, table: FloatArray) -> FloatArray:
    """Characters of each output, NaN where there is none."""
    lengths = np.full(table.shape, np.nan)
    facts = workspace.store.row_facts
    for cell in range(table.shape[0]):
        for repeat in range(table.shape[2]):
            lengths[cell, :, repeat] = facts.measured(record.id, [cell], repeat, table.shape[1], "length")
    return lengths
