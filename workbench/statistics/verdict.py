"""What a comparison lets one say: better, worse, tied, or undecided and how many rows it would take."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, sqrt
from typing import Literal

import numpy as np
import numpy.typing as npt

from workbench.statistics.paired import PairedComparison
from workbench.statistics.quantiles import normal_quantile, two_sided_z
from workbench.statistics.resampling import unit_sums

Verdict = Literal["better", "worse", "tied", "undecided"]
Direction = Literal["higher", "lower"]


def verdict(
    comparison: PairedComparison,
    p_adjusted: float,
    margin: float = 0.0,
    confidence: float = 0.95,
    direction: Direction = "higher",
) -> Verdict:
    """The verdict on a candidate, from its comparison and its p adjusted for the whole table.

    tied: the whole interval lies within ±margin (an equivalence test, stricter than two one-sided
    tests at the same level), or the two never differed on any row. A difference shown to be smaller
    than what the reader cares about is a tie even where it is also shown not to be zero.
    better, worse: p_adjusted < 1 - confidence, by the sign of the difference; for a metric whose
    `direction` is "lower" a fall is better.
    undecided: anything else, nothing compared included.
    """
    if comparison.n == 0:
        return "undecided"
    if margin > 0 and -margin <= comparison.low and comparison.high <= margin:
        return "tied"
    if comparison.differing == 0 and margin == 0:
        return "tied"
    if p_adjusted < 1 - confidence and comparison.difference != 0:
        gained = comparison.difference > 0
        return "better" if gained == (direction == "higher") else "worse"
    return "undecided"


def open_confidence(adjusted: Sequence[float], confidence: float = 0.95) -> float:
    """The confidence that each comparison still open has to reach: Holm's step over the undecided ones.

    `adjusted` are the family's p-values by `holm`; NaN, not compared, counts for nothing. What is
    shown already leaves the family, so k open ones share 1 - `confidence` among them.
    """
    still_open = sum(p >= 1 - confidence for p in adjusted)
    return confidence if still_open <= 1 else 1 - (1 - confidence) / still_open


def rows_needed(
    differences: npt.ArrayLike,
    clusters: npt.ArrayLike | None = None,
    confidence: float = 0.95,
    power: float = 0.8,
) -> int | None:
    """How many rows in all would show the observed effect, were it the true one, with this power.

    n = ceil( (z_a sqrt(E d²) + z_b sqrt(E d² - δ²))² / δ² ), with d a row's difference, δ their
    mean, z_a the two-sided normal quantile of `confidence` and z_b the quantile of `power`. E d² is
    the variance under the null of flipped signs, E d² - δ² the variance under the effect. With
    repeats d is a row's mean difference, so the answer counts distinct rows. None when the effect is
    zero or infinite, or nothing was scored. The rows still missing are n minus the rows at hand.
    Source: Connor, "Sample Size for Testing Differences in Proportions for the Paired-Sample
    Design", Biometrics 43, 1987, which this generalises from McNemar's test to any difference.
    """
    column = np.asarray(differences, dtype=np.float64).reshape(-1)
    keep = ~np.isnan(column)
    ids = None if clusters is None else np.asarray(clusters)[keep]
    units = unit_sums(np.column_stack([column[keep], np.ones(int(keep.sum()))]), ids)
    if len(units) == 0 or not np.isfinite(units).all():
        return None
    row_means = units[:, 0] / units[:, 1]
    effect = float(row_means.mean())
    square = float((row_means**2).mean())
    if effect == 0 or abs(effect) < 1e-12 * sqrt(square):
        return None
    under_null = two_sided_z(confidence) * sqrt(square)
    under_effect = normal_quantile(power) * sqrt(max(0.0, square - effect**2))
    return ceil(((under_null + under_effect) / effect) ** 2)
