"""Which two cells to rate next: for each pair, how much one more rating of it is expected to tell.

>>> most_uncertain_pairs(wins=[[0, 9, 5], [0, 0, 0], [4, 0, 0]])
UncertainPairs(first=array([1, 0, 0]), second=array([2, 1, 2]), gain=array([...]))
"""

from __future__ import annotations

from dataclasses import dataclass
from math import exp

import numpy as np
import numpy.typing as npt

from workbench.statistics.davidson import (
    SPREAD,
    IntArray,
    PairCounts,
    covariance,
    fit,
    information,
    variance_of_differences,
)
from workbench.statistics.resampling import FloatArray


@dataclass(frozen=True)
class UncertainPairs:
    """Every pair of cells, `first` < `second`, the one that tells most first; `gain` in nats."""

    first: IntArray
    second: IntArray
    gain: FloatArray


def most_uncertain_pairs(
    wins: npt.ArrayLike, ties: npt.ArrayLike | None = None, *, spread: float = SPREAD
) -> UncertainPairs:
    """Order all pairs of cells by the information that one more rating of them is expected to give.

    Args:
        wins: (cells, cells), how often the cell of the line was preferred to that of the column.
        ties: (cells, cells), how often the two tied; symmetric. None: never.
        spread: the prior's deviation on the log scale (module `davidson`).

    With d the difference of two strengths, V its posterior variance and I(d) the Fisher information of a
    rating, the gain is ½ log(1 + I(d) V): the expected fall of the entropy of d. It is large for cells
    that are seldom rated and nearly equal, and small for those that are known to be far apart.
    Raises ValueError for tables that are not square, of different size, negative, or ties that are
    not symmetric.
    Source: Lindley, The Annals of Mathematical Statistics 27, 1956, for the gain; linearised at the
    posterior mode.
    """
    won = np.asarray(wins, dtype=np.float64)
    tied = np.zeros_like(won) if ties is None else np.asarray(ties, dtype=np.float64)
    if won.ndim != 2 or won.shape[0] != won.shape[1] or tied.shape != won.shape:
        raise ValueError(f"wins and ties are tables (cells, cells), not {won.shape} and {tied.shape}")
    if not (np.isfinite(won).all() and np.isfinite(tied).all()) or (won < 0).any() or (tied < 0).any():
        raise ValueError("wins and ties are counts, 0 or more")
    if not np.array_equal(tied, tied.T):
        raise ValueError("ties are symmetric: the same number for (i, j) and (j, i)")
    first, second = (places.astype(np.int64) for places in np.triu_indices(len(won), 1))
    if not len(first):
        return UncertainPairs(first, second, np.empty(0))
    counts = np.stack([won[first, second], won[second, first], tied[first, second]])[:, :, None]
    pairs = PairCounts(len(won), first, second, counts)
    found = fit(pairs, spread)
    strength, tie = found.strength[0], exp(found.log_tie[0])
    variance = variance_of_differences(covariance(pairs, found, spread))[first, second]
    gain = 0.5 * np.log1p(information(strength[first] - strength[second], tie) * variance)
    order = np.argsort(-gain, kind="stable")
    return UncertainPairs(first[order], second[order], gain[order])
