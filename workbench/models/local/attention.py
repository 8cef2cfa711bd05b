"""Attention over what rows share and over what each has of its own, as one softmax.

The shared keys and values are read from memory once for all their rows, as one matrix product, and
the two parts are put together by their largest scores and sums (the softmax's usual running form:
Milakov and Gimelshein 2018; for shared beginnings: Juravsky et al. 2024, "Hydragen").
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from workbench.models.local.key_values import LayerPair
from workbench.models.local.running_keys import Group

NAME = "shared_beginnings"
CHANGES_SCORES = ("position_bias", "softcap", "s_aux", "sliding_window")
"""What some models ask their attention for beyond the plain product; none of it is done here."""


class CannotShare(Exception):
    """The model's attention does something that cannot be split into a shared and an own part."""


@dataclass(frozen=True, eq=False)
class Shared:
    """Keys and values that some rows of the batch share."""

    layers: list[LayerPair]
    """For every layer, each of shape (1, key-value heads, columns, width)."""
    rows: Tensor | None
    """Which rows, on the model's device; None: all."""


@dataclass(eq=False)
class Sharing:
    """What the rows of one forward pass share, and which layers have taken it into account."""

    parts: list[Shared]
    groups: list[Group] = field(default_factory=list)
    """Where the rows' own keys stand, if not row by row from the first on."""
    layers_seen: set[int] = field(default_factory=set)

    def __bool__(self) -> bool:
        return bool(self.parts or self.groups)


def register() -> str:
    """Makes the attention known to transformers and gives the name that selects it."""
    from transformers import AttentionInterface, AttentionMaskInterface
    from transformers.masking_utils import sdpa_mask

    AttentionInterface.register(NAME, attend)
    AttentionMaskInterface.register(NAME, sdpa_mask)
    return NAME


def attend(
    module: Any,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    scaling: float | None = None,
    sharing: Sharing | None = None,
    **others: Any,
) -> tuple[Tensor, None]:
    """Attention as transformers calls it; `sharing` comes through the model's keyword arguments.

    Args:
        query: shape (rows, heads, new tokens, width).
        key, value: shape (rows, key-value heads, columns, width): what each row has of its own.
        attention_mask: boolean, shape (rows, 1, new tokens, columns), True where a token may look.

    Raises CannotShare where the model wants more of its attention than is done here.
    """
    if sharing is None or attention_mask is None:
        return _usual(module, query, key, value, attention_mask, scaling=scaling, **others)
    if any(others.get(name) is not None for name in CHANGES_SCORES):
        raise CannotShare
    sharing.layers_seen.add(module.layer_idx)
    whole = Group(slice(None), slice(None), key.shape[2])
    owns = [
        (
            query[group.rows],
            key[group.places, :, : group.width],
            value[group.places, :, : group.width],
            attention_mask[group.rows, :, :, : group.width],
        )
        for group in sharing.groups or [whole]
    ]
    if not sharing.parts:
        found = [_usual(module, *own, scaling=scaling, **others)[0] for own in owns]
        return torch.cat(found), None
    rows, heads, new, width = query.shape
    scale = scaling if scaling is not None else width**-0.5
    # query heads that look at the same keys are rows of one product
    asked = (query * scale).reshape(rows, key.shape[1], -1, width)
    weighed = [
        _own(asked[group.rows], *own[1:]) for group, own in zip(sharing.groups or [whole], owns, strict=True)
    ]
    top, total, found = (torch.cat(sides) for sides in zip(*weighed, strict=True))
    for part in sharing.parts:
        _add(part, module.layer_idx, asked, top, total, found)
    found = (found / total).to(query.dtype)
    return found.view(rows, heads, new, -1).transpose(1, 2).contiguous(), None


def _usual(*arguments: Any, **settings: Any) -> tuple[Tensor, None]:
    from transformers.integrations.sdpa_attention import sdpa_attention_forward

    return sdpa_attention_forward(*arguments, **settings)


def _own(asked: Tensor, key: Tensor, value: Tensor, mask: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """What rows find in their own keys and values, as `_weighed` gives it."""
    scores = torch.matmul(asked, key.transpose(2, 3)).float()
    rows, held, _, columns = scores.shape
    new = mask.shape[2]
    hidden = ~mask if new == 1 else ~mask[:, :, None]
    shaped = scores if new == 1 else scores.view(rows, held, -1, new, columns)
    shaped.masked_fill_(hidden, -torch.inf)
    return _weighed(scores, value)


def _add(part: Shared, layer: int, asked: Tensor, top: Tensor, total: Tensor, found: Tensor) -> None:
    """Adds what some rows share to their own part, in place."""
    keys, values = (side[0] for side in part.layers[layer])
    some = asked if part.rows is None else asked[part.rows]
    count, held, many, width = some.shape
    flat = some.transpose(0, 1).reshape(held, count * many, width)
    scores = torch.matmul(flat, keys.transpose(1, 2)).float()
    pieces = [piece.view(held, count, many, -1).transpose(0, 1) for piece in _weighed(scores, values)]
    own = [whole if part.rows is None else whole[part.rows] for whole in (top, total, found)]
    highest = torch.maximum(pieces[0], own[0])
    theirs, mine = (pieces[0] - highest).exp_(), (own[0] - highest).exp_()
    merged = (highest, own[1] * mine + pieces[1] * theirs, own[2] * mine + pieces[2] * theirs)
    for whole, new in zip((top, total, found), merged, strict=True):
        if part.rows is None:
            whole.copy_(new)
        else:
            whole[part.rows] = new


def _weighed(scores: Tensor, values: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Largest score, sum of the weights relative to it, and values weighed so. Uses up `scores`."""
    top = scores.amax(-1, keepdim=True)
    weights = scores.sub_(top).exp_()
    return top, weights.sum(-1, keepdim=True), torch.matmul(weights.to(values.dtype), values).float()
