"""Is a candidate not worse than a reference by more than a margin? One-sided, paired over rows.

    >>> non_inferiority([0, 0, -1, 1, 0] * 40, margin=0.1)
    NonInferiority(shortfall=0.0, shortfall_high=0.073..., n=200, accepted=True, rows_needed=None)

A difference is candidate - reference with higher being better; the shortfall is what is missing.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, nan

import numpy as np
import numpy.typing as npt

from workbench.statistics.paired import PairedComparison, paired_bootstrap, tango
from workbench.statistics.quantiles import normal_quantile
from workbench.statistics.resampling import FloatArray, unit_sums


@dataclass(frozen=True)
class NonInferiority:
    """How much lower the candidate is, at most how much with the asked confidence, and the decision.

    `n` values were compared. With none, both shortfalls are NaN and nothing is accepted.
    `rows_needed`: about how many rows in all would decide it, were the observed differences typical;
    None where it is accepted already, or where the shortfall itself reaches the margin.
    """

    shortfall: float
    shortfall_high: float
    n: int
    accepted: bool
    rows_needed: int | None = None


NOTHING_COMPARED = NonInferiority(nan, nan, 0, False)


def non_inferiority(
    differences: npt.ArrayLike,
    margin: float,
    confidence: float = 0.95,
    clusters: npt.ArrayLike | None = None,
    *,
    resamples: int | None = None,
    seed: int = 0,
) -> NonInferiority:
    """Accept the candidate when the upper bound of its shortfall stays under `margin`.

    The bound is the one-sided limit at `confidence`, which is one end of a two-sided interval at
    2 confidence - 1. Where every difference is -1, 0 or 1 and no row was repeated it is Tango's
    score interval, which keeps its level for few rows and has a width even where no row differs;
    otherwise the paired bootstrap over rows (whole `clusters`). NaN differences are left out.
    Rejecting "worse by the margin or more" this way errs with probability 1 - confidence at most,
    up to the small-sample error of the interval.

    Raises ValueError for a margin that is not above 0 or a confidence not between 0.5 and 1.
    Source: Tango, Statistics in Medicine 17, 1998; Piaggio et al., "Reporting of Noninferiority and
    Equivalence Randomized Trials", JAMA 308, 2012, for the decision by the interval.
    """
    _check(margin, confidence)
    column = np.asarray(differences, dtype=np.float64).reshape(-1)
    kept = ~np.isnan(column)
    column, ids = column[kept], None if clusters is None else np.asarray(clusters)[kept]
    if len(column) == 0:
        return NOTHING_COMPARED
    if not np.isfinite(column).all():
        return NonInferiority(nan, nan, len(column), False)  # an infinite difference bounds nothing
    if ids is not None and len(np.unique(ids)) == len(ids):
        ids = None
    two_sided = 2 * confidence - 1
    units = unit_sums(np.column_stack([column, np.ones(len(column))]), ids)
    whole = bool(np.isin(column, (-1, 0, 1)).all()) and ids is None
    if whole:
        worse, better = int((column < 0).sum()), int((column > 0).sum())
        low = tango(worse, better, len(column), two_sided).low
    elif not column.any():
        low = tango(0, 0, len(units), two_sided).low  # no row differs: a bootstrap would be certain
    else:
        low = paired_bootstrap(column, ids, two_sided, resamples, seed).low
    shortfall, high = -float(column.mean()), -low
    accepted = high < margin
    needed = None if accepted else rows_for_margin(units[:, 0] / units[:, 1], margin, confidence)
    return NonInferiority(shortfall + 0.0, high, len(column), accepted, needed)


def non_inferiority_of(comparison: PairedComparison, margin: float) -> NonInferiority:
    """The same decision from a comparison of corpus scores, candidate - reference.

    Its interval must be two-sided at 2 c - 1 for a one-sided confidence of c.
    """
    if comparison.n == 0:
        return NOTHING_COMPARED
    high = -comparison.low
    return NonInferiority(-comparison.difference + 0.0, high, comparison.n, high < margin)


def rows_for_margin(
    row_differences: npt.ArrayLike, margin: float, confidence: float = 0.95, power: float = 0.8
) -> int | None:
    """Rows in all that would show the candidate to be within the margin, with this power.

    n = ((z_confidence + z_power) s / (margin - shortfall))², with s the standard deviation of a
    row's difference; and never fewer than z² (1 - margin) / margin, which Tango's bound takes even
    where no row differs. None where the shortfall reaches the margin: more rows will not help.
    Source: Blackwelder, "Proving the null hypothesis in clinical trials", Controlled Clinical Trials
    3, 1982, for paired differences.
    """
    _check(margin, confidence)
    column: FloatArray = np.asarray(row_differences, dtype=np.float64).reshape(-1)
    column = column[~np.isnan(column)]
    if len(column) == 0:
        return None
    room = margin + float(column.mean())
    if room <= 1e-12:
        return None
    z = normal_quantile(confidence)
    by_spread = ((z + normal_quantile(power)) * float(column.std()) / room) ** 2
    at_least = z**2 * (1 - margin) / margin if margin < 1 else 1.0
    return ceil(max(by_spread, at_least))


def _check(margin: float, confidence: float) -> None:
    if not margin > 0:
        raise ValueError(f"margin is a number above 0, not {margin}")
    if not 0.5 < confidence < 1:
        raise ValueError(f"confidence is a number between 0.5 and 1, not {confidence}")
