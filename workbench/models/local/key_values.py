"""The attention cache: of prompts while they are read, and of the running batch.

read    0 1 2 3 4 5 6       running   0 1 2 3 4 5 6       While prompts are read together their last
row 0   · · · a b c d       row 0     a b c d e · ·       tokens stand side by side; in the running batch
row 1   e f g h i j k       row 1     e f g h i j k l     each row begins at the first column and grows.

So a row joins or leaves the running batch without moving the others.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from transformers.cache_utils import Cache, DynamicLayer

SPARE_COLUMNS = 64
SPARE_ROWS = 8
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


class _Places:
    """Where the next token of every row of the running batch goes."""

    def __init__(self) -> None:
        self.rows = self.columns = torch.zeros(0, dtype=torch.long)
        self.width = 0


class _RunningLayer(DynamicLayer):
    """One layer of the running batch, in buffers with room for rows and tokens to come."""

    def __init__(self, places: _Places, like: LayerPair, rows: int, columns: int) -> None:
        super().__init__()
        self._places = places
        self.keys, self.values = (
            side.new_zeros(rows, side.shape[1], columns, side.shape[3]) for side in like
        )
        self.dtype, self.device, self.is_initialized = self.keys.dtype, self.keys.device, True

    def update(
        self, key_states: Tensor, value_states: Tensor, *args: Any, **kwargs: Any
    ) -> tuple[Tensor, Tensor]:
        """Writes each row's new token behind its others; returns views of all columns in use."""
        places, count = self._places, len(key_states)
        self.keys[places.rows, :, places.columns] = key_states[:, :, 0]
        self.values[places.rows, :, places.columns] = value_states[:, :, 0]
        return self.keys[:count, :, : places.width], self.values[:count, :, : places.width]

    def get_seq_length(self) -> int:
        """Columns in use before the step."""
        return max(self._places.width - 1, 0)


class RunningKeys:
    """Keys and values of the running batch: row by row, each from the first column on."""

    def __init__(self) -> None:
        self.lengths: list[int] = []
        """Tokens that each row holds for itself."""
        self.expected_rows = 0
        """As many rows are about to come: room is made once for all of them."""
        self.cache = Cache(layer_class_to_replicate=DynamicLayer)
        self._places = _Places()

    @property
    def room(self) -> tuple[int, int]:
        """Rows and columns that the buffers have memory for."""
        layers = self._layers
        return (layers[0].keys.shape[0], layers[0].keys.shape[2]) if layers else (0, 0)

    def add(self, read: ReadKeys, places: Tensor) -> None:
        """Adds rows behind the others: for each of `places`, what that row of `read` holds."""
        found = read.positions[places] != NOWHERE
        lengths = found.sum(1)
        # a row's columns in order, then whatever is left; that is not looked at
        order = (~found).long().sort(dim=1, stable=True).indices[:, : int(lengths.max())]
        before = len(self.lengths)
        self.lengths.extend(lengths.tolist())
        self._make_room(max(self.lengths), read)
        for layer, pair in zip(self._layers, read.pairs, strict=True):
            rows, columns = places.to(pair[0].device)[:, None], order.to(pair[0].device)
            for room, side in zip((layer.keys, layer.values), pair, strict=True):
                taken = side[rows, :, columns].transpose(1, 2)
                room[before : len(self.lengths), :, : taken.shape[2]] = taken

    def remove(self, leaving: Sequence[int]) -> list[int]:
        """Takes rows out. The last ones move into their places: gives the old place of every row."""
        gone = set(leaving)
        order = list(range(len(self.lengths)))
        end = len(order) - len(gone)
        holes = [place for place in leaving if place < end]
        moving = [place for place in range(end, len(order)) if place not in gone]
        for hole, place in zip(holes, moving, strict=True):
            order[hole] = place
        del order[end:]
        if not order:
            self.lengths = []
            self.cache = Cache(layer_class_to_replicate=DynamicLayer)
            return order
        if holes:
            width = max(self.lengths[place] for place in moving)
            for layer in self._layers:
                for room in (layer.keys, layer.values):
                    room[holes, :, :width] = room[moving, :, :width]
        self.lengths = [self.lengths[place] for place in order]
        rows, columns = self.room
        longest = max(self.lengths)
        if len(order) * 2 + SPARE_ROWS < rows or longest * 2 + SPARE_COLUMNS < columns:
            self._move(len(order), longest + SPARE_COLUMNS)
        return order

    def next_token(self, device: torch.device) -> Tensor:
        """Gives every row a column for its next token; the positions of all columns, NOWHERE where none."""
        lengths = torch.tensor(self.lengths)
        self.lengths = [length + 1 for length in self.lengths]
        width = max(self.lengths)
        if width > self.room[1]:
            self._move(self.room[0], width + SPARE_COLUMNS)
        self._places.width = width
        self._places.rows = torch.arange(len(lengths), device=device)
        self._places.columns = lengths.to(device)
        columns = torch.arange(width).expand(len(lengths), -1)
        return columns.masked_fill(columns > lengths[:, None], NOWHERE)

    def of_row(self, row: int, first: int, last: int) -> list[LayerPair]:
        """A row's own keys and values from its column `first` up to `last`, as views."""
        return [
            (layer.keys[row : row + 1, :, first:last], layer.values[row : row + 1, :, first:last])
            for layer in self._layers
        ]

    def _make_room(self, longest: int, like: ReadKeys) -> None:
        rows, columns = self.room
        if len(self.lengths) <= rows and longest <= columns:
            return
        wanted = max(self.expected_rows, -(-len(self.lengths) // SPARE_ROWS) * SPARE_ROWS)
        if not self._layers:
            layers = [
                _RunningLayer(self._places, pair, wanted, longest + SPARE_COLUMNS) for pair in like.pairs
            ]
            self.cache = Cache(layers=layers)
        else:
            self._move(max(rows, wanted), columns if longest <= columns else longest + SPARE_COLUMNS)

    def _move(self, rows: int, columns: int) -> None:
        """Into buffers of another size, one at a time, so that there are never two of all."""
        for layer in self._layers:
            layer.keys = _moved(layer.keys, rows, columns)
            layer.values = _moved(layer.values, rows, columns)

    @property
    def _layers(self) -> list[_RunningLayer]:
        return self.cache.layers  # type: ignore[return-value]


def _moved(held: Tensor, rows: int, columns: int) -> Tensor:
    room = held.new_zeros(rows, held.shape[1], columns, held.shape[3])
    both = min(rows, held.shape[0]), min(columns, held.shape[2])
    room[: both[0], :, : both[1]] = held[: both[0], :, : both[1]]
    return room
