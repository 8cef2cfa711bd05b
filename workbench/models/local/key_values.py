"""The attention cache of a running batch: rows join and leave, and nothing is copied for one more token.

columns   0 1 2 3 4 5 6      a row's tokens end at the last column; what stands left of them is
row 0     · · · a b c d      masked. A row that is done leaves its place to the next one, and
row 1     e f g h i j k      columns that no row uses any more are no longer looked at.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from transformers.cache_utils import Cache, DynamicLayer

SPARE_COLUMNS = 64

LayerPair = tuple[Tensor, Tensor]
"""Keys and values of one layer, each of shape (rows, heads, columns, width)."""


class _Layer(DynamicLayer):
    """One layer's keys and values in buffers that have room for tokens to come."""

    def __init__(self, keys: Tensor | None = None, values: Tensor | None = None, length: int = 0) -> None:
        super().__init__()
        self.start, self.length = 0, length
        if keys is not None and values is not None:
            self.keys, self.values = keys, values
            self.dtype, self.device, self.is_initialized = keys.dtype, keys.device, True

    def update(
        self, key_states: Tensor, value_states: Tensor, *args: Any, **kwargs: Any
    ) -> tuple[Tensor, Tensor]:
        """Writes the new tokens behind the others; returns views of all that are in use."""
        added = key_states.shape[2]
        if not self.is_initialized:
            self.dtype, self.device, self.is_initialized = key_states.dtype, key_states.device, True
            self.keys, self.values = _room(key_states, added), _room(value_states, added)
        elif self.length + added > self.keys.shape[2]:
            self.keys = _moved(self.used_keys, 0, _room(self.keys, self.get_seq_length() + added))
            self.values = _moved(self.used_values, 0, _room(self.values, self.get_seq_length() + added))
            self.start, self.length = 0, self.get_seq_length()
        end = self.length + added
        self.keys[:, :, self.length : end] = key_states
        self.values[:, :, self.length : end] = value_states
        self.length = end
        return self.used_keys, self.used_values

    @property
    def used_keys(self) -> Tensor:
        """A view of the keys in use."""
        return self.keys[:, :, self.start : self.length]

    @property
    def used_values(self) -> Tensor:
        """A view of the values in use."""
        return self.values[:, :, self.start : self.length]

    def get_seq_length(self) -> int:
        """Columns in use."""
        return self.length - self.start


class KeyValues:
    """Keys and values of a batch, with which columns each row uses."""

    def __init__(self, layers: list[_Layer] | None = None, mask: Tensor | None = None) -> None:
        self.cache = Cache(layers=layers) if layers else Cache(layer_class_to_replicate=_Layer)
        self.mask = torch.zeros(0, 0, dtype=torch.bool) if mask is None else mask
        """Shape (rows, columns), True where a row has a token; on the CPU."""

    @property
    def columns(self) -> int:
        """Columns in use."""
        return int(self.mask.shape[1])

    def extend(self, mask: Tensor) -> Tensor:
        """Adds the columns that the next forward pass fills; returns the mask of all columns."""
        self.mask = torch.cat([self.mask, mask], 1) if self.columns else mask
        return self.mask

    @classmethod
    def of_rows(cls, rows: Sequence[Sequence[LayerPair]]) -> KeyValues:
        """A batch of rows that each bring keys and values of their own; an empty sequence is none."""
        lengths = [row[0][0].shape[2] if row else 0 for row in rows]
        columns = max(lengths)
        if columns == 0:
            return cls()
        model = next(row for row in rows if row)
        layers = []
        for depth, pair in enumerate(model):
            sides = [_room(like, columns, len(rows)) for like in pair]
            for side, room in enumerate(sides):
                room[:, :, :columns] = 0  # see _moved
                for index, row in enumerate(rows):
                    if row:
                        room[index : index + 1, :, columns - lengths[index] : columns] = row[depth][side]
            layers.append(_Layer(sides[0], sides[1], columns))
        mask = torch.zeros(len(rows), columns, dtype=torch.bool)
        for index, length in enumerate(lengths):
            mask[index, columns - length :] = True
        return cls(layers, mask)

    def of_row(self, row: int, first: int, last: int) -> list[LayerPair]:
        """A row's keys and values from its token `first` up to `last`, counted from its own first one.

        Views, where the tokens stand side by side.
        """
        columns = self.mask[row].nonzero()[:, 0][first:last]
        start, end = int(columns[0]), int(columns[-1]) + 1
        whole = end - start == len(columns)
        pairs = []
        for layer in self._layers:
            sides = (layer.used_keys[row : row + 1], layer.used_values[row : row + 1])
            if whole:
                pairs.append((sides[0][:, :, start:end], sides[1][:, :, start:end]))
            else:
                at = columns.to(sides[0].device)
                pairs.append((sides[0][:, :, at], sides[1][:, :, at]))
        return pairs

    def trim(self) -> None:
        """Looks no longer at columns on the left that no row uses."""
        start = int(self.mask.any(0).int().argmax()) if len(self.mask) else 0
        if start:
            self.mask = self.mask[:, start:]
            for layer in self._layers:
                layer.start += start

    def replace(self, places: Sequence[int], other: KeyValues) -> bool:
        """Puts the other batch's rows in the places of rows that are done, where its columns suffice."""
        if other.columns > self.columns:
            return False
        at = torch.tensor(list(places))
        columns = other.columns
        self.mask[at] = False
        self.mask[at, self.columns - columns :] = other.mask
        for mine, theirs in zip(self._layers, other._layers, strict=True):
            to = at.to(mine.keys.device)
            mine.keys[to, :, mine.length - columns : mine.length] = theirs.used_keys
            mine.values[to, :, mine.length - columns : mine.length] = theirs.used_values
        return True

    def selected(self, rows: Tensor) -> KeyValues:
        """The given rows, in that order. This batch is used up: its memory goes as the new one grows."""
        mask = self.mask[rows]
        start = int(mask.any(0).int().argmax()) if len(rows) else 0
        layers = []
        for layer in self._layers:
            index = rows.to(layer.keys.device)
            sides = []
            for side in (layer.used_keys, layer.used_values):
                length = side.shape[2] - start
                room = _room(side, length, len(rows))
                sides.append(_moved(side[:, :, start:][index], 0, room))
            layers.append(_Layer(sides[0], sides[1], self.columns - start))
            layer.keys = layer.values = layer.keys.new_empty(0)
        return KeyValues(layers, mask[:, start:])

    def joined(self, rows: Tensor, other: KeyValues) -> KeyValues:
        """The given rows of this batch and then all of the other's, their last columns side by side.

        Both are used up: their memory goes, layer by layer, as the new batch grows.
        """
        kept = self.mask[rows]
        start = int(kept.any(0).int().argmax())
        columns = max(self.columns - start, other.columns)
        layers = []
        for mine, theirs in zip(self._layers, other._layers, strict=True):
            index = rows.to(mine.keys.device)
            sides = []
            for above, below in (
                (mine.used_keys, theirs.used_keys),
                (mine.used_values, theirs.used_values),
            ):
                staying = above[:, :, start:][index]
                room = _room(above, columns, len(staying) + len(below))
                _moved(staying, columns - staying.shape[2], room[: len(staying)])
                _moved(below, columns - below.shape[2], room[len(staying) :])
                sides.append(room)
            layers.append(_Layer(sides[0], sides[1], columns))
            mine.keys = mine.values = mine.keys.new_empty(0)
            theirs.keys = theirs.values = theirs.keys.new_empty(0)
        masks = [
            torch.nn.functional.pad(mask, (columns - mask.shape[1], 0))
            for mask in (kept[:, start:], other.mask)
        ]
        return KeyValues(layers, torch.cat(masks))

    @property
    def _layers(self) -> list[_Layer]:
        return self.cache.layers  # type: ignore[return-value]


def _room(like: Tensor, columns: int, rows: int | None = None) -> Tensor:
    count, heads, _, width = like.shape
    return like.new_empty(rows if rows is not None else count, heads, columns + SPARE_COLUMNS, width)


def _moved(source: Tensor, start: int, room: Tensor) -> Tensor:
    """Copies the source's columns into `room` from column `start` on."""
    # a masked column still enters a product, and zero times whatever stood there may be NaN
    room[:, :, :start] = 0
    room[:, :, start : start + source.shape[2]] = source
    return room
