"""Davidson's model of pairwise preferences: fitting strengths and the share of ties, many data sets at once.

With θ the strengths of two cells, d = θ_i - θ_j and ν >= 0 the weight of a tie,

    P(i preferred) = e^(d/2) / D,   P(j preferred) = e^(-d/2) / D,   P(tie) = ν / D,
    D = e^(d/2) + e^(-d/2) + ν,

which is Bradley and Terry's model where ν = 0. A rating tells I(d) = (1 + ν cosh(d/2) / 2) / D² about d.

The likelihood alone sends a cell that never lost to infinity, and says nothing of cells that no chain of
ratings connects. So each strength, and log ν, has a normal prior around 0 with deviation `spread`: at 3 a
prior odds of 1 to 360 is still likely, and it weighs less than half a rating (4 / spread² of one).

Sources: Bradley & Terry, Biometrika 39, 1952; Davidson, "On Extending the Bradley-Terry Model to
Accommodate Ties in Paired Comparison Experiments", JASA 65, 1970.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from workbench.statistics.resampling import FloatArray

IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

SPREAD = 3.0
_STEPS = 200
_LONGEST = 2.0  # a Newton step moves no parameter further: far from the maximum the curve misleads
_CLOSE = 1e-8
_FARTHEST = 600.0  # half differences are cut here, where exp still is a number


@dataclass(frozen=True)
class Fitted:
    """Strengths (data sets, cells) with mean zero, log ν (data sets), -inf where nothing was tied."""

    strength: FloatArray
    log_tie: FloatArray


@dataclass(frozen=True)
class PairCounts:
    """Ratings counted by pair: `first` < `second` (pairs); `counts` (3, pairs, data sets) are the
    ratings in which the first was preferred, the second was, and neither."""

    cells: int
    first: IntArray
    second: IntArray
    counts: FloatArray

    @property
    def tied(self) -> bool:
        """Whether any rating of any data set is a tie; without one ν is 0."""
        return bool(self.counts[2].any())


def fit(
    pairs: PairCounts, spread: float = SPREAD, start: Fitted | None = None, tied: bool | None = None
) -> Fitted:
    """The strengths and ν of highest posterior density for each data set, by Newton's method.

    The log density is concave, so that the maximum is the only one. `start` is a fit of one data set
    from which all begin; `tied`: whether ν is fitted (by itself: where something was tied).
    """
    tied = pairs.tied if tied is None else tied
    sets = pairs.counts.shape[2]
    parameters = np.zeros((pairs.cells + 1, sets))
    if start is not None:
        parameters[:-1] = start.strength[0][:, None]
        parameters[-1] = start.log_tie[0] if tied else 0.0
    moving = np.arange(sets)
    counts = pairs.counts
    for _ in range(_STEPS):
        slope, curve = _derivatives(pairs, counts, parameters[:, moving], spread, tied)
        step = np.linalg.solve(curve, slope.T[:, :, None])[:, :, 0].T
        longest = np.abs(step).max(axis=0)
        parameters[:, moving] += step * np.minimum(1.0, _LONGEST / np.maximum(longest, _CLOSE))
        on = longest > _CLOSE
        if not on.any():
            break
        if not on.all():
            moving, counts = moving[on], counts[:, :, on]
    strength = parameters[:-1].T
    strength = strength - strength.sum(axis=1, keepdims=True) / max(pairs.cells, 1)
    return Fitted(strength, parameters[-1] if tied else np.full(sets, -np.inf))


def covariance(pairs: PairCounts, fitted: Fitted, spread: float = SPREAD) -> FloatArray:
    """The posterior covariance (cells, cells) of the first data set's strengths, by Laplace's approximation.

    It is the inverse of the curvature at the maximum, for strengths whose mean is zero.
    """
    tied = bool(np.isfinite(fitted.log_tie[0]))
    parameters = np.append(fitted.strength[0], fitted.log_tie[0] if tied else 0.0)[:, None]
    _, curve = _derivatives(pairs, pairs.counts[:, :, :1], parameters, spread, tied)
    inverse = np.linalg.inv(curve[0])[:-1, :-1]
    centring = np.eye(pairs.cells) - 1 / max(pairs.cells, 1)
    return np.asarray(centring @ inverse @ centring, dtype=np.float64)


def information(difference: FloatArray, tie: float) -> FloatArray:
    """What one rating tells about a difference of strengths: the Fisher information I(d)."""
    cosh = np.cosh(np.clip(difference / 2, -_FARTHEST / 2, _FARTHEST / 2))
    return np.asarray((1 + tie * cosh / 2) / (2 * cosh + tie) ** 2, dtype=np.float64)


def expected_point(difference: FloatArray, tie: float) -> FloatArray:
    """The chance that the first of two is preferred plus half that of a tie."""
    half = np.clip(difference / 2, -_FARTHEST, _FARTHEST)
    up, down = np.exp(half), np.exp(-half)
    return np.asarray((up + tie / 2) / (up + down + tie), dtype=np.float64)


def variance_of_differences(spread_out: FloatArray) -> FloatArray:
    """Var(θ_i - θ_j) for each two cells, from their covariance."""
    own = np.diagonal(spread_out)
    return np.asarray(np.maximum(0.0, own[:, None] + own[None, :] - 2 * spread_out), dtype=np.float64)


def _derivatives(
    pairs: PairCounts, counts: FloatArray, parameters: FloatArray, spread: float, tied: bool
) -> tuple[FloatArray, FloatArray]:
    """The slope (cells + 1, sets) of the log density, and minus its second derivative, by data set."""
    cells, first, second = pairs.cells, pairs.first, pairs.second
    strength, log_tie = parameters[:-1], parameters[-1]
    rated = counts.sum(axis=0)
    side = np.zeros((cells, len(first)))
    place = np.arange(len(first))
    side[first, place], side[second, place] = 1.0, -1.0

    up = np.exp(np.clip((strength[first] - strength[second]) / 2, -_FARTHEST / 4, _FARTHEST / 4))
    cosh, sinh = (up + 1 / up) / 2, (up - 1 / up) / 2
    tie = np.exp(log_tie) if tied else np.zeros_like(log_tie)
    share = rated / (2 * cosh + tie)

    slope = np.zeros_like(parameters)
    slope[:-1] = side @ ((counts[0] - counts[1]) / 2 - share * sinh) - strength / spread**2
    told = share * (1 + tie * cosh / 2) / (2 * cosh + tie)
    curve = np.zeros((parameters.shape[1], cells + 1, cells + 1))
    curve[:, first, second] = curve[:, second, first] = -told.T
    diagonal = np.arange(cells)
    curve[:, diagonal, diagonal] = (np.abs(side) @ told).T + 1 / spread**2
    if not tied:
        curve[:, -1, -1] = 1.0
        return slope, curve
    slope[-1] = counts[2].sum(axis=0) - tie * share.sum(axis=0) - log_tie / spread**2
    both = -(side @ (tie * share * sinh / (2 * cosh + tie))).T
    curve[:, :-1, -1] = curve[:, -1, :-1] = both
    curve[:, -1, -1] = (tie * share * 2 * cosh / (2 * cosh + tie)).sum(axis=0) + 1 / spread**2
    return slope, curve
