"""Metrics against people: would this metric have picked what your raters picked, and what is a judge worth?

    against_people(workspace, run).metrics
    (MetricAgainst("exact_match", "pairwise", accuracy=0.83 [0.77, 0.88], spearman=0.58, kendall=0.51), …)

Ratings of pairs are held against the difference of two outputs' scores, thumbs and Likert ratings against the
scores themselves. A metric for which lower is better is turned round first.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from workbench.core.rating import Mode
from workbench.core.run import MetricEstimate
from workbench.engine.plan import stored_cells
from workbench.engine.rating.agreement import coefficient_json
from workbench.engine.rating.given import FloatArray, Given, given
from workbench.engine.rating.judges_against import Case, JudgeAgainst, corrected_json, judge_against
from workbench.engine.rating.people import by_pair, drawn, preferences_of, quality_of
from workbench.engine.records import experiment_of, get_run, repeats_of
from workbench.engine.reporting import estimate_json, number
from workbench.engine.score import metrics_of, score_run
from workbench.engine.workspace import Workspace
from workbench.metrics.judge import Judge
from workbench.statistics import Coefficient, kendall, pairwise_accuracy, spearman
from workbench.storage import RunRecord
from workbench.storage.scores import CellScores


@dataclass(frozen=True, slots=True)
class MetricAgainst:
    """One metric against one thing that people rated (pairs, thumbs, or a criterion).

    Attributes:
        accuracy: of the pairs of outputs that a rater told apart, the share in which the metric prefers the
            same one; its ties count half.
        spearman, kendall: rank correlation of scores and people's means, or of the difference of two
            scores and people's preference; positive where the metric goes with people.
    """

    metric: str
    mode: Mode
    criterion: str
    accuracy: MetricEstimate
    spearman: Coefficient
    kendall: Coefficient

    @property
    def name(self) -> str:
        """What people rated, as they call it."""
        return self.criterion or {"pairwise": "pairs", "thumbs": "thumbs"}[self.mode]


@dataclass(frozen=True, slots=True)
class AgainstPeople:
    """Every metric of a run against each thing rated, best accuracy first; judges in full.

    `unscored`: metrics that ask a model and have not been asked.
    """

    run: str
    metrics: tuple[MetricAgainst, ...]
    judges: tuple[JudgeAgainst, ...]
    unscored: tuple[str, ...]
    confidence: float


def against_people(workspace: Workspace, run: str) -> AgainstPeople:
    """Holds each metric of a run against what its raters said; no model is asked.

    Raises UnknownName for a run that is not there or deleted.
    """
    record = get_run(workspace, run)
    found = given(workspace, run)
    experiment = experiment_of(record)
    if not found.ratings:
        return AgainstPeople(run, (), (), (), experiment.confidence)
    scores = score_run(workspace, run)
    metrics = metrics_of(experiment)
    tables = {name: score_table(record, scores, name) for name in metrics}
    lines, judges = [], []
    for mode, criterion in rated_scales(found):
        for name, metric in metrics.items():
            table = tables[name]
            if table is None:
                continue
            better = -table if metric.direction == "lower" else table
            line = _against(found, name, mode, criterion, better, experiment.confidence)
            lines.append(line)
            if isinstance(metric, Judge):
                case = Case(found, name, mode, criterion, table)
                judges.append(judge_against(workspace, record, case, metric, scores))
    order = {scale: place for place, scale in enumerate(rated_scales(found))}
    lines.sort(key=lambda line: (order[line.mode, line.criterion], -_known(line.accuracy.mean)))
    return AgainstPeople(
        run=run,
        metrics=tuple(lines),
        judges=tuple(judges),
        unscored=tuple(name for name, table in tables.items() if table is None),
        confidence=experiment.confidence,
    )


def against_people_json(found: AgainstPeople) -> dict[str, Any]:
    """Metrics and judges against people, as JSON."""
    return {
        "run": found.run,
        "metrics": [
            {
                "metric": line.metric,
                "rated": line.name,
                "accuracy": {k: v for k, v in estimate_json(line.accuracy).items() if k != "unscored"},
                "spearman": coefficient_json(line.spearman),
                "kendall": coefficient_json(line.kendall),
            }
            for line in found.metrics
        ],
        "judges": [
            {
                "metric": one.metric,
                "rated": one.name,
                "kappa": coefficient_json(one.kappa),
                "bias": {k: v for k, v in estimate_json(one.bias).items() if k != "unscored"},
                "flip_rate": number(one.flip_rate),
                "length": coefficient_json(one.length),
                "length_beyond_people": coefficient_json(one.length_beyond_people),
                "cells": [corrected_json(cell) for cell in one.corrected],
            }
            for one in found.judges
        ],
        "unscored": list(found.unscored),
    }


def rated_scales(found: Given) -> list[tuple[Mode, str]]:
    """What was rated: ("pairwise", ""), ("thumbs", ""), and each criterion."""
    scales: list[tuple[Mode, str]] = []
    if found.of("pairwise"):
        scales.append(("pairwise", ""))
    if found.of("thumbs"):
        scales.append(("thumbs", ""))
    return scales + [("likert", criterion) for criterion in found.criteria]


def score_table(
    record: RunRecord, scores: Mapping[tuple[int, str], CellScores], metric: str
) -> FloatArray | None:
    """A metric as (cells, rows, repeats), NaN where unscored; None where no cell has been scored."""
    repeats = repeats_of(record)
    cells = stored_cells(record)
    columns = {cell.index: scores[cell.index, metric] for cell in cells if (cell.index, metric) in scores}
    if not columns:
        return None
    units = len(next(iter(columns.values())).values)
    table = np.full((max(cell.index for cell in cells) + 1, units // repeats, repeats), np.nan)
    for index, column in columns.items():
        table[index] = column.values.reshape(-1, repeats)
    return table


def _against(
    found: Given, name: str, mode: Mode, criterion: str, table: FloatArray, confidence: float
) -> MetricAgainst:
    preferred = preferences_of(found, mode, criterion)
    one, two = preferred.of(table)
    accuracy = pairwise_accuracy(one, two, preferred.value, preferred.row, confidence=confidence)
    if mode == "pairwise":
        pairs = by_pair(preferred)
        one, two = pairs.of(table)
        with np.errstate(invalid="ignore"):
            apart = one - two  # of two infinite scores there is no difference
        kept = drawn(~np.isnan(apart))
        apart, liked, row = apart[kept], pairs.value[kept] - 0.5, pairs.row[kept]
        # which of the two is called the first means nothing, so each stands there both ways
        apart, liked = np.concatenate([apart, -apart]), np.concatenate([liked, -liked])
        row = np.concatenate([row, row])
    else:
        judged = quality_of(found, mode, criterion)
        apart = judged.at(table)
        kept = drawn(~np.isnan(apart))
        apart, liked, row = apart[kept], judged.value[kept], judged.row[kept]
    found_rho, found_tau = (
        measure(apart, liked, row, confidence=confidence) for measure in (spearman, kendall)
    )
    if mode == "pairwise":
        found_rho, found_tau = (replace(one, n=one.n // 2) for one in (found_rho, found_tau))
    return MetricAgainst(name, mode, criterion, MetricEstimate(**asdict(accuracy)), found_rho, found_tau)


def _known(value: float) -> float:
    return -1.0 if np.isnan(value) else value
