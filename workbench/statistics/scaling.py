"""What a score gains when a model's size doubles: the slope over log2 of the sizes, with its interval.

>>> gain_per_doubling([[0, 0, 1, 0], [1, 0, 1, 1]], log2_sizes=[20, 22])
Estimate(mean=0.25, low=..., high=..., n=4)
"""

from __future__ import annotations

from math import nan

import numpy as np
import numpy.typing as npt

from workbench.statistics.intervals import Estimate, bootstrap_mean
from workbench.statistics.resampling import FloatArray


def gain_per_doubling(
    scores_by_size: npt.ArrayLike,
    log2_sizes: npt.ArrayLike,
    clusters: npt.ArrayLike | None = None,
    confidence: float = 0.95,
    resamples: int | None = None,
    seed: int = 0,
) -> Estimate:
    """The least-squares slope of the mean scores on log2 size, with a bootstrap interval over rows.

    Args:
        scores_by_size: (models, rows); a row that some model has no score for (NaN) is left out.
        log2_sizes: (models,), log2 of each model's parameters; the slope is then per doubling.
        clusters: one id a row, equal for repeats of the same dataset row.

    The slope is linear in the means: each row has a slope of its own, Σ w_m s_mr with
    w_m = (x_m - x̄) / Σ (x - x̄)², and the models' slope is the mean of the rows'. Resampling rows, the
    same for all sizes, is therefore resampling that one column. NaN with fewer than two sizes.
    Raises ValueError when the two do not fit each other.
    """
    scores: FloatArray = np.asarray(scores_by_size, dtype=np.float64)
    sizes: FloatArray = np.asarray(log2_sizes, dtype=np.float64).reshape(-1)
    if scores.ndim != 2 or len(scores) != len(sizes):
        raise ValueError(f"scores of shape {scores.shape} do not fit {len(sizes)} sizes")
    away = sizes - sizes.mean() if len(sizes) else sizes
    if len(sizes) < 2 or not away.any():
        return Estimate(nan, nan, nan, 0)
    weights = away / float((away**2).sum())
    with np.errstate(invalid="ignore"):
        slopes = weights @ scores
    return bootstrap_mean(slopes, clusters, confidence, resamples, seed)
