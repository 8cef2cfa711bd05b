"""The mean of ratings on a scale, when several raters rated the same rows.

    >>> likert_mean([4, 5, 3, 4], raters=["ada", "bo", "ada", "bo"], rows=[1, 1, 2, 2], bounds=(1, 5))
    Estimate(mean=4.0, low=1.51..., high=5, n=4)

Ratings of one row are alike because of the row, those of one rater because of the rater: a hundred ratings by
two people over fifty rows say less than a hundred independent ones.
"""

from __future__ import annotations

from math import nan, sqrt

import numpy as np
import numpy.typing as npt

from workbench.statistics.intervals import NOTHING_SCORED, Estimate
from workbench.statistics.quantiles import student_quantile, two_sided_z
from workbench.statistics.resampling import FloatArray
from workbench.statistics.studentized import Bounds, tied_bounds


def likert_mean(
    values: npt.ArrayLike,
    raters: npt.ArrayLike,
    rows: npt.ArrayLike,
    *,
    confidence: float = 0.95,
    bounds: Bounds | None = None,
) -> Estimate:
    """The mean with an interval clustered by rater and by row; it speaks of raters and rows like these.

    With e the residuals and G clusters, V = G / (G - 1) Σ (Σ e within a cluster)² / n² for raters, for
    rows, and for both crossed. Of Cameron, Gelbach & Miller's Var = V_rater + V_row - V_both each part is
    known as well as its clusters are many, so that each gets Student's t of its own (Banerjee):

        half² = t²(raters - 1) max(0, V_rater - V_both) + t²(rows - 1) max(0, V_row - V_both)
                + t²(the larger of both) V_both

    It is wide where few raters differ in level, and no wider than by rows where all rate alike. With a
    single rater it is clustered by rows alone and speaks of that rater only; with a single row by raters.

    NaN ratings are left out. `bounds`: the scale's ends; the interval stays within, and where all values
    are tied it still has a width. Raises ValueError for columns of different lengths
    and infinite ratings.
    Sources: Cameron, Gelbach & Miller, "Robust Inference With Multiway Clustering", Journal of Business &
    Economic Statistics 29, 2011; Banerjee, "Approximate Confidence Interval for Linear Functions of Means
    of k Populations When the Population Variances Are Not Equal", Sankhyā 22, 1960.
    """
    two_sided_z(confidence)
    value = np.asarray(values, dtype=np.float64).reshape(-1)
    rater_ids, row_ids = (np.asarray(column).reshape(-1) for column in (raters, rows))
    if not len(value) == len(rater_ids) == len(row_ids):
        raise ValueError("ratings, raters and rows are columns of the same length")
    if np.isinf(value).any():
        raise ValueError("a rating is a number or NaN, never infinite")
    keep = ~np.isnan(value)
    value = value[keep]
    if not len(value):
        return NOTHING_SCORED
    rater, row = (np.unique(ids[keep], return_inverse=True)[1].reshape(-1) for ids in (rater_ids, row_ids))
    n, mean = len(value), float(value.mean())
    by_rater, many_raters = _between(value - mean, rater)
    by_row, many_rows = _between(value - mean, row)
    if max(many_raters, many_rows) < 2:
        return Estimate(mean, nan, nan, n)
    if float(np.ptp(value)) == 0:
        return Estimate(mean, *tied_bounds(mean, max(many_rows, 2), confidence, bounds), n)
    by_both, _ = _between(value - mean, rater * many_rows + row)
    if min(many_raters, many_rows) < 2:
        by_both = 0.0
    parts = [
        (max(0.0, by_rater - by_both), many_raters),
        (max(0.0, by_row - by_both), many_rows),
        (by_both, max(many_raters, many_rows)),
    ]
    upper = (1 + confidence) / 2
    half = sqrt(sum(part * student_quantile(upper, many - 1) ** 2 for part, many in parts if many > 1))
    low, high = mean - half, mean + half
    if bounds is not None:
        low, high = max(low, bounds[0]), min(high, bounds[1])
    return Estimate(mean, min(low, mean), max(high, mean), n)


def _between(residuals: FloatArray, cluster: npt.NDArray[np.intp]) -> tuple[float, int]:
    """V of one way to cluster, and how many clusters there are; 0 for one."""
    _, place = np.unique(cluster, return_inverse=True)
    sums = np.bincount(place.reshape(-1), residuals)
    many = len(sums)
    if many < 2:
        return 0.0, many
    return float(sums @ sums) * many / (many - 1) / len(residuals) ** 2, many
