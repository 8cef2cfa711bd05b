"""Drawing bootstrap resamples and sign flips: the random machinery under intervals and tests.

Everything works on *units*. A unit is one row, or one cluster of rows when rows were repeated; its
columns are sums (a score and a count, or the sufficient statistics of a corpus metric), so a
resample is described by the column sums of the units drawn into it.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]

MAX_RESAMPLES = 10_000
MIN_RESAMPLES = 2_000
_DRAWS = 20_000_000  # resamples × units that the automatic number of resamples aims at
_CHUNK = 200_000  # numbers held at once while drawing: what a processor's cache holds


def resample_count(units: int, resamples: int | None) -> int:
    """The number of resamples: as asked, or by itself 10,000, fewer when there are many units.

    Above 2,000 units the number falls so that resamples × units stays near 20 million, but never
    under 2,000, where the Monte-Carlo error of a 95 % bound is about 3 % of the half-width.
    """
    if resamples is not None:
        return resamples
    return int(min(MAX_RESAMPLES, max(MIN_RESAMPLES, _DRAWS // max(units, 1))))


def unit_sums(rows: FloatArray, clusters: npt.ArrayLike | None) -> FloatArray:
    """Sum the rows (n, k) of each cluster, giving units (m, k); without clusters, the rows."""
    if clusters is None:
        return rows
    _, unit = np.unique(np.asarray(clusters), return_inverse=True)
    size = int(unit.max()) + 1 if len(unit) else 0
    columns = [np.bincount(unit, weights=column, minlength=size) for column in rows.T]
    return np.stack(columns, axis=1).astype(np.float64)


def resampled_sums(units: FloatArray, resamples: int, rng: np.random.Generator) -> FloatArray:
    """Column sums of `resamples` bootstrap resamples of the units: (m, k) to (resamples, k).

    When few units differ, how often each distinct one is drawn is a multinomial: one small draw a
    resample in place of m. The distribution is exactly the same. Units are drawn in sorted order, so
    that the order they come in changes nothing.
    """
    size = len(units)
    distinct, counts = np.unique(units, axis=0, return_counts=True)
    if len(distinct) <= max(2, size // 30):
        drawn = rng.multinomial(size, counts / size, size=resamples)
        return np.asarray(drawn @ distinct, dtype=np.float64)
    units = np.repeat(distinct, counts, axis=0)
    sums = np.empty((resamples, units.shape[1]))
    varying = np.ptp(units, axis=0) > 0
    sums[:, ~varying] = units[0, ~varying] * size
    moving = units[:, varying]
    for start, stop in _chunks(resamples, size):
        sums[start:stop, varying] = drawn_counts(size, stop - start, rng) @ moving
    return sums


def drawn_counts(size: int, resamples: int, rng: np.random.Generator) -> FloatArray:
    """How often each of `size` units is drawn into each of `resamples` resamples: (resamples, size)."""
    drawn = rng.integers(0, size, (resamples, size))
    drawn += np.arange(resamples)[:, None] * size
    counts = np.bincount(drawn.reshape(-1), minlength=resamples * size)
    return counts.reshape(resamples, size).astype(np.float64)


def flipped_sums(units: FloatArray, permutations: int, rng: np.random.Generator) -> FloatArray:
    """Column sums over a random half of the units, (m, k) to (permutations, k).

    Each unit is in with probability one half, independently: what changes hands when the two
    systems' outputs are swapped at random.
    """
    size = len(units)
    sums = np.empty((permutations, units.shape[1]))
    for start, stop in _chunks(permutations, size):
        bits = rng.integers(0, 256, ((stop - start), -(-size // 8)), dtype=np.uint8)
        chosen = np.unpackbits(bits, axis=1, count=size)
        sums[start:stop] = chosen.astype(np.float64) @ units
    return sums


def every_subset_sum(units: FloatArray) -> FloatArray:
    """Column sums over each of the 2^m subsets of the units: (m, k) to (2^m, k)."""
    sums = np.zeros((1, units.shape[1]))
    for unit in units:
        sums = np.concatenate([sums, sums + unit])
    return sums


def tail_share(replicates: FloatArray, observed: float, *, exact: bool) -> float:
    """The share of replicates at least as far from 0 as what was observed; never 0 unless `exact`."""
    slack = 1e-9 * max(abs(observed), 1e-300)
    extreme = int(np.count_nonzero(np.abs(replicates) >= abs(observed) - slack))
    if exact:
        return extreme / len(replicates)
    return (1 + extreme) / (1 + len(replicates))


def _chunks(total: int, width: int) -> Iterator[tuple[int, int]]:
    step = max(1, _CHUNK // max(width, 1))
    for start in range(0, total, step):
        yield start, min(start + step, total)
