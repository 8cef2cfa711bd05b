"""The attention cache of a running batch: rows join and leave, and nothing is copied for one more token.

columns   0 1 2 3 4 5 6      a row's tokens end at the last column; what stands left of them is
row 0     · · · a b c d      masked, and columns that no row uses any more are cut off
row 1     e f g h i j k
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from transformers.cache_utils import Cache, DynamicLayer

SPARE_COLUMNS = 64


class _Layer(DynamicLayer):
    """One layer's keys and values in buffers that have room for tokens to come."""

    def __init__(self, keys: Tensor | None = None, values: Tensor | None = None, length: int = 0) -> None:
        super().__init__()
        self.length = length
        if keys is not None and values is not None:
            self.keys, self.values = keys, values
            self.dtype, self.device, self.is_initialized = keys.dtype, keys.device, True

    def update(
        self, key_states: Tensor, value_states: Tensor, *args: Any, **kwargs: Any
    ) -> tuple[Tensor, Tensor]:
        """Writes the new tokens behind the others; returns views of all of them."""
        end = self.length + key_states.shape[2]
        if not self.is_initialized:
            self.dtype, self.device, self.is_initialized = key_states.dtype, key_states.device, True
            self.keys, self.values = _room(key_states, end), _room(value_states, end)
        elif end > self.keys.shape[2]:
            self.keys = _moved(self.keys, 0, self.length, _room(self.keys, end))
            self.values = _moved(self.values, 0, self.length, _room(self.values, end))
        self.keys[:, :, self.length : end] = key_states
        self.values[:, :, self.length : end] = value_states
        self.length = end
        return self.keys[:, :, :end], self.values[:, :, :end]

    def get_seq_length(self) -> int:
        """Columns in use."""
        return self.length


class KeyValues:
    """Keys and values of a batch, with which columns each row uses."""

    def __init__(self, layers: list[_Layer] | None = None, mask: Tensor | None = None) -> None:
        self.cache = Cache(layers=layers) if layers else Cache(layer_class_to_replicate=_Layer)
        self.mask = torch.zeros(0, 0, dtype=torch.bool) if mask is None else mask
        """Shape (rows, columns), True where a row has a token."""

    @property
    def columns(self) -> int:
        """Columns in use."""
        return int(self.mask.shape[1])

    def extend(self, mask: Tensor) -> Tensor:
        """Adds the columns that the next forward pass fills; returns the mask that it needs."""
        self.mask = torch.cat([self.mask, mask], 1) if self.columns else mask
        return self.mask

    def repeated(self, rows: int) -> KeyValues:
        """A single row's cache as the cache of many rows."""
        return self.selected(torch.zeros(rows, dtype=torch.long))

    def first(self, columns: int) -> KeyValues:
        """Only the first columns. Shares memory: read it or repeat it, do not write to it."""
        layers = [
            _Layer(layer.keys[:, :, :columns], layer.values[:, :, :columns], columns)
            for layer in self._layers
        ]
        return KeyValues(layers, self.mask[:, :columns])

    def selected(self, rows: Tensor) -> KeyValues:
        """The given rows, in that order, without the columns that none of them uses."""
        mask = self.mask[rows]
        start = int(mask.any(0).int().argmax()) if len(rows) else 0
        layers = []
        for layer in self._layers:
            index = rows.to(layer.keys.device)
            keys, values = (side[:, :, start : layer.length] for side in (layer.keys, layer.values))
            length = layer.length - start
            layers.append(
                _Layer(
                    _moved(keys[index], 0, length, _room(keys, length, len(rows))),
                    _moved(values[index], 0, length, _room(values, length, len(rows))),
                    length,
                )
            )
        return KeyValues(layers, mask[:, start:])

    def joined(self, rows: Tensor, other: KeyValues) -> KeyValues:
        """The given rows of this batch and then all of the other's, their last columns side by side."""
        kept = self.mask[rows]
        start = int(kept.any(0).int().argmax())
        columns = max(self.columns - start, other.columns)
        layers = []
        for mine, theirs in zip(self._layers, other._layers, strict=True):
            sides = []
            for above, below in ((mine.keys, theirs.keys), (mine.values, theirs.values)):
                staying = above[:, :, start : mine.length][rows.to(above.device)]
                room = _room(above, columns, len(staying) + len(below))
                _moved(staying, columns - staying.shape[2], staying.shape[2], room[: len(staying)])
                _moved(below, columns - theirs.length, theirs.length, room[len(staying) :])
                sides.append(room)
            layers.append(_Layer(sides[0], sides[1], columns))
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


def _moved(source: Tensor, start: int, length: int, room: Tensor) -> Tensor:
    """Copies the source's first `length` columns into `room` from column `start` on."""
    # a masked column still enters a product, and zero times whatever stood there may be NaN
    room[:, :, :start] = 0
    room[:, :, start : start + length] = source[:, :, :length]
    return room
