"""The attention cache of the running batch: each row begins at the first column and grows.

running   0 1 2 3 4 5 6
row 0     a b c d e · ·
row 1     e f g h i j k l

So a row joins or leaves without moving the others.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from transformers.cache_utils import Cache, DynamicLayer

from workbench.models.local.key_values import NOWHERE, LayerPair, ReadKeys

SPARE_COLUMNS = 64
SPARE_ROWS = 8
SHORT_SHARE = 0.6
"""Of the longest row's reach: a row that will hold no more than that counts as short."""


@dataclass(frozen=True, slots=True)
class Group:
    """Neighbouring rows of the running batch that look at columns of one width."""

    rows: slice
    """Of the batch."""
    places: slice
    """Of the buffers."""
    width: int


class _Places:
    """Where the next token of every row of the running batch goes."""

    def __init__(self) -> None:
        self.rows = self.columns = torch.zeros(0, dtype=torch.long)
        self.shown = slice(0)
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
        places = self._places
        self.keys[places.rows, :, places.columns] = key_states[:, :, 0]
        self.values[places.rows, :, places.columns] = value_states[:, :, 0]
        return self.keys[places.shown, :, : places.width], self.values[places.shown, :, : places.width]

    def get_seq_length(self) -> int:
        """Columns in use before the step."""
        return max(self._places.width - 1, 0)


class RunningKeys:
    """Keys and values of the running batch: row by row, each from the first column on.

    Rows that will stay short stand at the end of the buffers and of the batch, so that attention
    need not go over the columns of the long ones for them.

    Args:
        grouped: whether the model's attention takes groups; else all rows are one.
    """

    def __init__(self, grouped: bool = True) -> None:
        self.lengths: list[int] = []
        """Tokens that each row holds for itself."""
        self.cache = Cache(layer_class_to_replicate=DynamicLayer)
        self.expected_rows = 0
        """As many rows are about to come: room is made once for all of them."""
        self._grouped = grouped
        self._reaches: list[int] = []
        self._long = 0
        self._places = _Places()

    @property
    def room(self) -> tuple[int, int]:
        """Rows and columns that the buffers have memory for."""
        layers = self._layers
        return (layers[0].keys.shape[0], layers[0].keys.shape[2]) if layers else (0, 0)

    def add(self, read: ReadKeys, places: Tensor, reaches: Sequence[int]) -> list[int]:
        """Adds rows: for each of `places`, what that row of `read` holds.

        Args:
            reaches: how many tokens each new row may come to hold.

        Returns:
            The batch's new order, of the old rows and then the new ones.
        """
        found = read.positions[places] != NOWHERE
        lengths = found.sum(1)
        # a row's columns in order, then whatever is left; that is not looked at
        order = (~found).long().sort(dim=1, stable=True).indices[:, : int(lengths.max())]
        far = max((*reaches, *self._reaches))
        long = [at for at, reach in enumerate(reaches) if not self._grouped or reach > SHORT_SHARE * far]
        short = [at for at in range(len(reaches)) if at not in set(long)]
        before = len(self.lengths)
        merged = [
            *range(self._long),
            *(before + at for at in (*long, *short)),
            *range(self._long, before),
        ]
        new_lengths = lengths.tolist()
        self._make_room(before + len(reaches), max(self.lengths + new_lengths), read)
        end = self.room[0] - (before - self._long)
        targets = [*range(self._long, self._long + len(long)), *range(end - len(short), end)]
        chosen = torch.tensor([*long, *short])
        for layer, pair in zip(self._layers, read.pairs, strict=True):
            device = pair[0].device
            rows, columns = places[chosen].to(device)[:, None], order[chosen].to(device)
            for room, side in zip((layer.keys, layer.values), pair, strict=True):
                taken = side[rows, :, columns].transpose(1, 2)
                room[targets, :, : taken.shape[2]] = taken
        self.lengths = _picked(self.lengths + new_lengths, merged)
        self._reaches = _picked([*self._reaches, *reaches], merged)
        self._long += len(long)
        return merged

    def remove(self, leaving: Sequence[int]) -> list[int]:
        """Takes rows out; others of their group move into their places. Returns the order that is left."""
        gone, count, places = set(leaving), len(self.lengths), self._buffer_places()
        order = list(range(count))
        moves: list[tuple[int, int]] = []
        long_left = self._long - sum(row < self._long for row in gone)
        short_left = count - len(gone) - long_left
        # long rows close up towards the front, short ones towards the end
        for kept, others in (
            (range(long_left), range(long_left, self._long)),
            (range(count - short_left, count), range(self._long, count - short_left)),
        ):
            holes = [row for row in kept if row in gone]
            movers = [row for row in others if row not in gone]
            for hole, mover in zip(holes, movers, strict=True):
                moves.append((hole, mover))
                order[hole] = mover
        order = [*order[:long_left], *order[count - short_left :]]
        if not order:
            self.lengths, self._reaches, self._long = [], [], 0
            self.cache = Cache(layer_class_to_replicate=DynamicLayer)
            return order
        if moves:
            width = max(self.lengths[mover] for _, mover in moves)
            to, taken = ([places[pair[side]] for pair in moves] for side in (0, 1))
            for layer in self._layers:
                for room in (layer.keys, layer.values):
                    room[to, :, :width] = room[taken, :, :width]
        self.lengths, self._reaches = _picked(self.lengths, order), _picked(self._reaches, order)
        self._long = long_left
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
        places = self._places
        places.width = width
        places.rows = torch.tensor(self._buffer_places(), device=device)
        places.columns = lengths.to(device)
        groups = self.groups()
        places.shown = groups[0].places if len(groups) == 1 else slice(None)
        columns = torch.arange(width).expand(len(lengths), -1)
        return columns.masked_fill(columns > lengths[:, None], NOWHERE)

    def groups(self) -> list[Group]:
        """The long rows and the short ones; those that there are."""
        count, rows = len(self.lengths), self.room[0]
        parts = (
            (slice(0, self._long), slice(0, self._long)),
            (slice(self._long, count), slice(rows - (count - self._long), rows)),
        )
        return [
            Group(part, place, max(self.lengths[part])) for part, place in parts if part.stop > part.start
        ]

    def of_row(self, row: int, first: int, last: int) -> list[LayerPair]:
        """A row's own keys and values from its column `first` up to `last`, as views."""
        at = self._buffer_places()[row]
        return [
            (layer.keys[at : at + 1, :, first:last], layer.values[at : at + 1, :, first:last])
            for layer in self._layers
        ]

    def wipe(self, row: int) -> None:
        """Zeroes what a row holds: NaN would reach whoever takes its place, through masked columns."""
        for keys, values in self.of_row(row, 0, self.lengths[row]):
            keys.zero_()
            values.zero_()

    def _buffer_places(self) -> list[int]:
        count, rows = len(self.lengths), self.room[0]
        return [*range(self._long), *range(rows - (count - self._long), rows)]

    def _make_room(self, count: int, longest: int, like: ReadKeys) -> None:
        rows, columns = self.room
        if count <= rows and longest <= columns:
            return
        wanted = max(self.expected_rows, -(-count // SPARE_ROWS) * SPARE_ROWS)
        if not self._layers:
            layers = [
                _RunningLayer(self._places, pair, wanted, longest + SPARE_COLUMNS) for pair in like.pairs
            ]
            self.cache = Cache(layers=layers)
        else:
            self._move(max(rows, wanted), columns if longest <= columns else longest + SPARE_COLUMNS)

    def _move(self, rows: int, columns: int) -> None:
        """Into buffers of another size, one at a time, so that there are never two of all."""
        short = len(self.lengths) - self._long
        for layer in self._layers:
            layer.keys = _moved(layer.keys, rows, columns, self._long, short)
            layer.values = _moved(layer.values, rows, columns, self._long, short)

    @property
    def _layers(self) -> list[_RunningLayer]:
        return self.cache.layers  # type: ignore[return-value]


def _picked(values: Sequence[int], order: Sequence[int]) -> list[int]:
    return [values[at] for at in order]


def _moved(held: Tensor, rows: int, columns: int, long: int, short: int) -> Tensor:
    room = held.new_zeros(rows, held.shape[1], columns, held.shape[3])
    width = min(columns, held.shape[2])
    room[:long, :, :width] = held[:long, :, :width]
    room[rows - short :, :, :width] = held[held.shape[0] - short :, :, :width]
    return room
