"""Evidence that may be looked at after every row: who is beaten, and intervals that hold at any time.

    evidence = PairwiseEvidence(3)
    evidence.add([[1, 0, 1], [1, 0, 0], [1, 0, 1]])     # rows × cells, from 0 to 1, more is better
    evidence.against()                                  # array([1., 3.02, 1.])

An e-value is what bets against a hypothesis have made of a stake of 1. While the hypothesis holds no
strategy gains on average, so that the stake ever grows to E with a probability of at most 1 / E
(Ville's inequality): one may look after each row and stop when one likes, which a p-value forbids.

The rows, in the order in which they come, are taken as independent draws, as everywhere else here:
what is tested is the mean over all the rows that one could have drawn, not over those of one file.
Sources: Waudby-Smith & Ramdas, "Estimating means of bounded random variables by betting", JRSS B 86,
2024; Ramdas, Grünwald, Vovk & Shafer, "Game-theoretic statistics and safe anytime-valid inference",
Statistical Science 38, 2023.
"""

from __future__ import annotations

from math import exp, log, nan

import numpy as np
import numpy.typing as npt

from workbench.statistics.intervals import Interval
from workbench.statistics.resampling import FloatArray

BETS: FloatArray = np.arange(1, 20) / 20
"""Shares of the capital that are bet; the stake is split among them evenly. Of the mixtures and the
adaptive bets that were tried, this one needed the fewest rows (see `bench.racing`)."""
_LARGEST = 700.0  # exp of more is no float


class PairwiseEvidence:
    """For each of several cells, the evidence that it is not the best, row by row.

    The bets that cell j is at least as good as cell i multiply their stake by 1 + b (x_i - x_j) at
    each row, for b in `BETS`; their mean is the pair's e-value. The mean over the rivals i is an
    e-value against "j is the best": where j is the best, all of its pairs are fair at most.
    A row that lacks a score (NaN) for a cell says nothing of that cell's pairs.
    """

    def __init__(self, cells: int) -> None:
        if cells < 2:
            raise ValueError("a comparison needs two cells or more")
        self._logs: FloatArray = np.zeros((cells, cells, len(BETS)))  # [i, j]: that i is better than j
        self._peaks: FloatArray = np.zeros(cells)
        self.rows = 0

    def add(self, scores: npt.ArrayLike) -> None:
        """Takes in rows: (rows, cells) scores between 0 and 1, NaN where there is none.

        Raises ValueError for scores of another shape or out of that range.
        """
        table: FloatArray = np.atleast_2d(np.asarray(scores, dtype=np.float64))
        if table.ndim != 2 or table.shape[1] != len(self._peaks):
            raise ValueError(f"scores of shape {table.shape} are not rows of {len(self._peaks)} cells")
        if ((table < -1e-9) | (table > 1 + 1e-9)).any():
            raise ValueError("scores have to lie between 0 and 1")
        self.rows += len(table)
        live = np.flatnonzero(~np.isnan(table).all(axis=0))
        if len(live) < 2:
            return
        pairs = np.ix_(live, live)
        seen = table[:, live]
        gaps = np.nan_to_num(np.clip(seen[:, :, None] - seen[:, None, :], -1, 1), nan=0.0)
        logs = self._logs[pairs] + np.cumsum(np.log1p(gaps[..., None] * BETS), axis=0)
        others = np.setdiff1d(np.arange(len(self._peaks)), live)
        resting = _log_mean(self._logs[np.ix_(others, live)])
        rivals = [_log_mean(logs), np.broadcast_to(resting, (len(table), *resting.shape))]
        against = np.concatenate(rivals, axis=1)
        against[:, np.arange(len(live)), np.arange(len(live))] = -np.inf  # no cell is its own rival
        mean = np.logaddexp.reduce(against, axis=1) - log(len(self._peaks) - 1)
        self._peaks[live] = np.maximum(self._peaks[live], mean.max(axis=0))
        self._logs[pairs] = logs[-1]

    def against(self) -> FloatArray:
        """(cells,) the greatest e-value so far against each cell's being the best; 1 to begin with.

        Whatever the number of rows, the best cell's reaches E with a probability of at most 1 / E.
        """
        return np.exp(np.minimum(self._peaks, _LARGEST))

    def e_values(self) -> FloatArray:
        """(cells, cells) the e-value now that the first is better than the second; 1 on the diagonal."""
        return np.exp(np.minimum(_log_mean(self._logs), _LARGEST))

    def strongest_rival(self, cell: int) -> int:
        """The cell for whose being better than `cell` there is the most evidence now."""
        found = _log_mean(self._logs[:, cell])
        found[cell] = -np.inf
        return int(found.argmax())


def anytime_interval(
    values: npt.ArrayLike, lowest: float, highest: float, confidence: float = 0.95
) -> Interval:
    """An interval of a mean that holds however the moment to stop was chosen (a confidence sequence).

    Args:
        values: in the order in which they were drawn, each from `lowest` to `highest`; NaN is left out.

    A mean m is left out once bets on "the mean is above m" (or below) have made 2 / (1 - confidence)
    of their stake; the bets that fall in m are exactly the multiples b (x / m - 1), so the bound is
    found by bisection. Wider than an interval for a number of rows that was fixed beforehand. Without
    values both bounds are NaN.
    Source: the hedged capital process of Waudby-Smith & Ramdas, 2024, section 4.4, with `BETS` mixed.
    """
    if not 0 < confidence < 1:
        raise ValueError(f"confidence is a number between 0 and 1, not {confidence}")
    if not lowest < highest:
        raise ValueError(f"there is no range from {lowest} to {highest}")
    column: FloatArray = np.asarray(values, dtype=np.float64).reshape(-1)
    column = column[~np.isnan(column)]
    if len(column) == 0:
        return Interval(nan, nan)
    shares = (column - lowest) / (highest - lowest)
    if ((shares < -1e-9) | (shares > 1 + 1e-9)).any():
        raise ValueError(f"values have to lie between {lowest} and {highest}")
    shares = np.clip(shares, 0.0, 1.0)
    enough = log(2 / (1 - confidence))
    mean = float(shares.mean())
    low = min(mean, _least_mean(shares, enough))
    high = max(mean, 1 - _least_mean(1 - shares, enough))
    width = highest - lowest
    return Interval(lowest + width * low, lowest + width * high)


def _least_mean(shares: FloatArray, enough: float) -> float:
    """The smallest mean that bets on more than it have not brought to exp(`enough`)."""
    if not shares.any():
        return 0.0
    low, high = exp(-30), 1.0
    for _ in range(50):
        middle = (low + high) / 2
        steps = np.log1p(BETS * (shares[:, None] / middle - 1))
        if _log_mean(np.cumsum(steps, axis=0)).max() >= enough:
            low = middle
        else:
            high = middle
    return low if low > exp(-30) else 0.0


def _log_mean(logs: FloatArray) -> FloatArray:
    """The log of the mean over the last axis, from logs."""
    if not logs.size:
        return np.empty(logs.shape[:-1])
    most = logs.max(axis=-1)
    return np.asarray(most + np.log(np.exp(logs - most[..., None]).mean(axis=-1)))
