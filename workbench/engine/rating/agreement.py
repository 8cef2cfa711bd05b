"""Agreement: do raters say the same of the same outputs, does each say the same twice, does the place matter.

    rating_agreement(workspace, run)
    helpful (likert): 120 items by 2 raters and more, α ordinal 0.61 [0.48, 0.72]; ada and bob: κ 0.58

An item is what raters can agree on: one output, or two of one row. What a rater said of an item once more
counts for the rater's own consistency only.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from workbench.core.rating import Mode, Rating
from workbench.core.run import MetricEstimate
from workbench.engine.rating.disagreeing import DisputedRow, disputed_rows
from workbench.engine.rating.given import Given, given, item_of, values_of
from workbench.engine.rating.steadiness import RaterSteadiness, steadiness
from workbench.engine.records import experiment_of, get_run
from workbench.engine.reporting import estimate_json, number
from workbench.engine.workspace import Workspace
from workbench.statistics import (
    Coefficient,
    cohen_kappa,
    fleiss_kappa,
    krippendorff_alpha,
    percent_agreement,
    rating_table,
)

MOST_RATER_PAIRS = 100
"""Pairs of raters that are told apart, those with the most items in common."""
MODES: tuple[Mode, ...] = ("pairwise", "thumbs", "likert")


@dataclass(frozen=True, slots=True)
class RaterPair:
    """How two raters agree on the items that both rated.

    `weighted_kappa` counts a disagreement by its square, so that 4 against 5 is less than 1 against 5;
    None but for Likert ratings.
    """

    first: str
    second: str
    percent: Coefficient
    kappa: Coefficient
    weighted_kappa: Coefficient | None

    @property
    def n(self) -> int:
        """Items that both rated."""
        return self.percent.n


@dataclass(frozen=True, slots=True)
class ScaleAgreement:
    """Agreement on one thing that is rated: pairs, thumbs, or a criterion.

    Attributes:
        items: rated by anyone; `shared` of them by at least two raters.
        alpha: Krippendorff's by level: nominal; of Likert ratings ordinal and interval too.
        pairs: of raters with an item in common, those with the most first; the first hundred.
        more_pairs: how many pairs of raters are left out of `pairs`.
    """

    mode: Mode
    criterion: str
    items: int
    shared: int
    raters: int
    percent: Coefficient
    fleiss: Coefficient
    alpha: Mapping[str, Coefficient]
    pairs: tuple[RaterPair, ...]
    more_pairs: int = 0

    @property
    def name(self) -> str:
        """What is rated, as people call it."""
        return self.criterion or {"pairwise": "pairs", "thumbs": "thumbs"}[self.mode]


@dataclass(frozen=True, slots=True)
class RatingAgreement:
    """All that is known of the raters of a run. `raters` begins with all of them together."""

    run: str
    scales: tuple[ScaleAgreement, ...]
    raters: tuple[RaterSteadiness, ...]
    disputed: tuple[DisputedRow, ...]
    confidence: float


def rating_agreement(workspace: Workspace, run: str) -> RatingAgreement:
    """How the raters of a run agree with each other and with themselves.

    Raises UnknownName for a run that is not there or deleted.
    """
    record = get_run(workspace, run)
    found = given(workspace, run)
    confidence = experiment_of(record).confidence
    row_ids = workspace.store.row_facts.row_ids(record.row_set) if found.ratings else []
    return RatingAgreement(
        run=run,
        scales=tuple(
            _scale(mode, criterion, ratings, confidence) for (mode, criterion), ratings in _scales(found)
        ),
        raters=steadiness(found, confidence),
        disputed=disputed_rows(found, row_ids),
        confidence=confidence,
    )


def agreement_json(found: RatingAgreement) -> dict[str, Any]:
    """The agreement as `rate RUN --agreement --json` prints it."""
    return {
        "run": found.run,
        "scales": [
            {
                "name": scale.name,
                "mode": scale.mode,
                "items": scale.items,
                "shared_items": scale.shared,
                "raters": scale.raters,
                "percent": coefficient_json(scale.percent),
                "fleiss_kappa": coefficient_json(scale.fleiss),
                "krippendorff_alpha": {
                    level: coefficient_json(value) for level, value in scale.alpha.items()
                },
                "rater_pairs": [_pair_json(pair) for pair in scale.pairs],
            }
            for scale in found.scales
        ],
        "raters": [
            {
                "rater": one.rater,
                "ratings": one.ratings,
                "same_again": _share_json(one.same),
                "first_shown_won": _share_json(one.first_won),
                "ties": number(one.ties),
                "seconds": one.seconds,
            }
            for one in found.raters
        ],
        "disputed_rows": [
            {
                "row": one.row_id,
                "disagreement": number(one.disagreement),
                "raters": len(one.raters),
                "cells": list(one.cells),
            }
            for one in found.disputed
        ],
    }


def coefficient_json(value: Coefficient) -> dict[str, Any]:
    """A coefficient with its interval; what is not defined is null."""
    return {key: number(part) for key, part in asdict(value).items()}


def _scales(found: Given) -> list[tuple[tuple[Mode, str], list[Rating]]]:
    scales: list[tuple[tuple[Mode, str], list[Rating]]] = []
    for mode in MODES:
        for criterion in found.criteria if mode == "likert" else [""]:
            ratings = found.of(mode, criterion)
            if ratings:
                scales.append(((mode, criterion), ratings))
    return scales


def _scale(mode: Mode, criterion: str, ratings: Sequence[Rating], confidence: float) -> ScaleAgreement:
    table, _, raters = _table(ratings)
    graded = mode == "likert"
    both = (~np.isnan(table)).astype(np.int64)
    common = both.T @ both
    pairs = [(i, j) for i, j in itertools.combinations(range(len(raters)), 2) if common[i, j]]
    pairs.sort(key=lambda pair: -common[pair])
    shared = table[both.sum(axis=1) >= 2]
    return ScaleAgreement(
        mode=mode,
        criterion=criterion,
        items=len(table),
        shared=len(shared),
        raters=len(raters),
        percent=percent_agreement(shared, confidence=confidence),
        fleiss=fleiss_kappa(shared, confidence=confidence),
        alpha={
            level: krippendorff_alpha(shared, level, confidence=confidence)
            for level in (("nominal", "ordinal", "interval") if graded else ("nominal",))
        },
        pairs=tuple(
            _rater_pair(str(raters[i]), str(raters[j]), table[:, [i, j]], graded, confidence)
            for i, j in pairs[:MOST_RATER_PAIRS]
        ),
        more_pairs=max(0, len(pairs) - MOST_RATER_PAIRS),
    )


def _rater_pair(first: str, second: str, table: np.ndarray, graded: bool, confidence: float) -> RaterPair:
    left, right = table.T
    return RaterPair(
        first=first,
        second=second,
        percent=percent_agreement(table, confidence=confidence),
        kappa=cohen_kappa(left, right, confidence=confidence),
        weighted_kappa=cohen_kappa(left, right, "quadratic", confidence=confidence) if graded else None,
    )


def _table(ratings: Sequence[Rating]) -> tuple[np.ndarray, Any, Any]:
    number_of: dict[tuple[Any, ...], int] = {}
    items = [number_of.setdefault(item_of(one), len(number_of)) for one in ratings]
    return rating_table(items, [one.rater for one in ratings], values_of(ratings))


def _pair_json(pair: RaterPair) -> dict[str, Any]:
    values = {
        "raters": [pair.first, pair.second],
        "items": pair.n,
        "percent": coefficient_json(pair.percent),
        "cohen_kappa": coefficient_json(pair.kappa),
    }
    if pair.weighted_kappa is not None:
        values["weighted_kappa"] = coefficient_json(pair.weighted_kappa)
    return values


def _share_json(estimate: MetricEstimate) -> dict[str, Any]:
    values = estimate_json(estimate)
    del values["unscored"]
    return values
