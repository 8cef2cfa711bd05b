"""Scores of rows, and what is done with them whatever the metric: taken apart, aligned, put together.

>>> exact = load_metric("exact_match")
>>> exact.score(["42", "7", None], ["42", "8", "9"]).values
array([1., 0., 0.])
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Scores:
    """One cell's scores on one metric, in the order of its rows.

    Attributes:
        values: (n,) floats, one a row; NaN is "not scored" (no reference), which is not 0.
        sufficient: (n, k) floats for a corpus metric, NaN rows where `values` is NaN; their column
            sums over any set of rows give that set's corpus score through `Metric.aggregate`.
        blocks: where the columns of `sufficient` depend on the texts (one block a label), the name of
            each block, k / len(blocks) columns wide; two cells are aligned by them. Else empty.
        reasons: by row, why it is unscored or what a judge said of it.
        failed: by row, the error of a call to a model that the metric asked about it.
    """

    values: FloatArray
    sufficient: FloatArray | None = None
    blocks: tuple[str, ...] = ()
    reasons: Mapping[int, str] = field(default_factory=dict)
    failed: Mapping[int, str] = field(default_factory=dict)

    def at(self, rows: npt.NDArray[Any]) -> Scores:
        """The scores of these rows alone (places, or a mask), without reasons."""
        matrix = None if self.sufficient is None else self.sufficient[rows]
        return Scores(self.values[rows], matrix, self.blocks)


def aligned(first: Scores, second: Scores) -> tuple[Scores, Scores]:
    """Two cells' scores with the same blocks of sufficient statistics, in the same order."""
    if first.blocks == second.blocks:
        return first, second
    blocks = tuple(sorted({*first.blocks, *second.blocks}))
    return with_blocks(first, blocks), with_blocks(second, blocks)


def with_blocks(scores: Scores, blocks: tuple[str, ...]) -> Scores:
    """The same scores with these blocks, zero where a block is new. Every old block must be among them."""
    matrix = scores.sufficient
    if matrix is None or scores.blocks == blocks:
        return scores
    width = matrix.shape[1] // max(1, len(scores.blocks))
    wide = np.zeros((len(matrix), len(blocks), width))
    if scores.blocks:
        places = [blocks.index(name) for name in scores.blocks]
        wide[:, places] = matrix.reshape(len(matrix), len(scores.blocks), width)
    wide[np.isnan(scores.values)] = np.nan
    return Scores(scores.values, wide.reshape(len(matrix), -1), blocks, scores.reasons)


def joined(parts: Sequence[Scores]) -> Scores:
    """Scores of consecutive rows put together, their blocks aligned."""
    blocks = tuple(sorted({name for part in parts for name in part.blocks}))
    parts = [with_blocks(part, blocks) for part in parts]
    values = np.concatenate([np.empty(0), *(part.values for part in parts)])
    starts = np.cumsum([0, *(len(part.values) for part in parts)]).tolist()
    reasons = {
        start + row: reason
        for start, part in zip(starts, parts, strict=False)
        for row, reason in part.reasons.items()
    }
    width = next((part.sufficient.shape[1] for part in parts if part.sufficient is not None), None)
    if width is None:
        return Scores(values, None, blocks, reasons)
    sufficient = np.full((len(values), width), np.nan)
    for start, part in zip(starts, parts, strict=False):
        if part.sufficient is not None:
            sufficient[start : start + len(part.values)] = part.sufficient
    return Scores(values, sufficient, blocks, reasons)
