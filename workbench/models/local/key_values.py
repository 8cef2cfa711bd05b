"""The attention cache of prompts while they are read together: their last tokens stand side by side.

read    0 1 2 3 4 5 6
row 0   · · · a b c d
row 1   e f g h i j k

Once read, a row moves to the running batch (`running_keys.py`), where it grows.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from transformers.cache_utils import Cache, DynamicLayer

NOWHERE = -1
"""The position of padding."""

LayerPair = tuple[Tensor, Tensor]
"""Keys and values of one layer, each of shape (rows, heads, columns, width)."""


class ReadKeys:
    """Keys and values of prompts that are read together; columns only ever come on the right."""

    def __init__(self, pairs: Sequence[LayerPair] = (), positions: Tensor | None = None) -> None:
        self.cache = (
            Cache(layers=[_read_layer(pair) for pair in pairs])
            if pairs
            else Cache(layer_class_to_replicate=DynamicLayer)
        )
        self.positions = torch.zeros(0, 0, dtype=torch.long) if positions is None else positions
        """Shape (rows, columns): each token's place in its prompt, NOWHERE for padding; on the CPU."""

    @classmethod
    def of_rows(cls, rows: Sequence[Sequence[LayerPair]], starts: Sequence[int]) -> ReadKeys:
        """Rows that each bring keys and values from their position `starts` on; an empty sequence is none."""
        lengths = [row[0][0].shape[2] if row else 0 for row in rows]
        columns = max(lengths)
        if columns == 0:
            return cls()
        pairs = []
        for depth, pair in enumerate(next(row for row in rows if row)):
            sides = []
            for side, like in enumerate(pair):
                # a masked column still enters a product, and zero times whatever stood there may be NaN
                room = like.new_zeros(len(rows), like.shape[1], columns, like.shape[3])
                for index, row in enumerate(rows):
                    if row:
                        room[index : index + 1, :, columns - lengths[index] :] = row[depth][side]
                sides.append(room)
            pairs.append((sides[0], sides[1]))
        positions = torch.full((len(rows), columns), NOWHERE)
        for index, (start, length) in enumerate(zip(starts, lengths, strict=True)):
            positions[index, columns - length :] = torch.arange(start, start + length)
        return cls(pairs, positions)

    def extend(self, positions: Tensor) -> None:
        """Adds the columns that the next forward pass fills."""
        self.positions = torch.cat([self.positions, positions], 1) if self.positions.numel() else positions

    @property
    def pairs(self) -> list[LayerPair]:
        """Every layer's keys and values."""
        return [(layer.keys, layer.values) for layer in self.cache.layers]  # type: ignore[attr-defined]

    def of_row(self, row: int, first: int, last: int) -> list[LayerPair]:
        """A row's keys and values at the positions from `first` up to `last`."""
        columns = ((self.positions[row] >= first) & (self.positions[row] < last)).nonzero()[:, 0]
        return [_at(pair, row, columns) for pair in self.pairs]


def _read_layer(pair: LayerPair) -> DynamicLayer:
    layer = DynamicLayer()
    layer.keys, layer.values = pair
    layer.dtype, layer.device, layer.is_initialized = pair[0].dtype, pair[0].device, True
    return layer


def _at(pair: LayerPair, row: int, columns: Tensor) -> LayerPair:
    start, end = int(columns[0]), int(columns[-1]) + 1
    if end - start == len(columns):  # side by side: a view will do
        return pair[0][row : row + 1, :, start:end], pair[1][row : row + 1, :, start:end]
    there = columns.to(pair[0].device)
    return pair[0][row : row + 1, :, there], pair[1][row : row + 1, :, there]
