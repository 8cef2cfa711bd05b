"""Choosing the next token of every row, each by its own temperature, nucleus and seed.

A row draws one number a step from its own generator, so that what it samples depends on its request's
seed and not on the rows beside it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import torch
from torch import Tensor


class Drawing(Protocol):
    """How one row draws its tokens."""

    temperature: float
    top_p: float

    def draw(self) -> float:
        """The row's next number in [0, 1)."""


def choose(logits: Tensor, rows: Sequence[Drawing]) -> Tensor:
    """The next token of each row.

    Args:
        logits: shape (rows, vocabulary), fp32, on the CPU.
        rows: how each is drawn; temperature 0 takes the likeliest token.
    """
    chosen = logits.argmax(-1)
    drawn = [index for index, row in enumerate(rows) if row.temperature > 0]
    if not drawn:
        return chosen
    temperatures = torch.tensor([rows[index].temperature for index in drawn], dtype=torch.float64)
    numbers = torch.tensor([rows[index].draw() for index in drawn], dtype=torch.float64)
    # 64 bits: a running sum over 100,000 tokens must not lose the unlikely ones
    probabilities = (logits[drawn].double() / temperatures[:, None]).softmax(-1)
    chosen[drawn] = _at(probabilities, numbers)
    narrow = [place for place, index in enumerate(drawn) if rows[index].top_p < 1]
    if narrow:
        ranked, order = probabilities[narrow].sort(dim=-1, descending=True, stable=True)
        top_p = torch.tensor([rows[drawn[place]].top_p for place in narrow], dtype=torch.float64)
        before = ranked.cumsum(-1) - ranked
        nucleus = torch.where(before < top_p[:, None], ranked, 0.0)
        places = _at(nucleus, numbers[narrow])
        chosen[[drawn[place] for place in narrow]] = order.gather(-1, places[:, None])[:, 0]
    return chosen


def _at(weights: Tensor, numbers: Tensor) -> Tensor:
    """Where each number falls when the weights are laid end to end."""
    running = weights.cumsum(-1)
    targets = numbers[:, None] * running[:, -1:]
    places = torch.searchsorted(running, targets, right=True)[:, 0]
    # rounding may put a target at the very end, past the last token that has a weight
    last = (weights > 0).long().cumsum(-1).argmax(-1)
    return torch.minimum(places, last)


def alternatives(logits: Tensor, chosen: Tensor, counts: Sequence[int]) -> list[dict[int, float]]:
    """Log-probabilities of each row's `counts` likeliest tokens and of the chosen one, at temperature 1."""
    every = logits.log_softmax(-1)
    values, tokens = every.topk(min(max(counts), every.shape[-1]))
    picked = every.gather(-1, chosen[:, None])[:, 0]
    return [
        dict(zip(ids[:count], likely[:count], strict=True)) | {token: value}
        for ids, likely, count, token, value in zip(
            tokens.tolist(), values.tolist(), counts, chosen.tolist(), picked.tolist(), strict=True
        )
    ]


def log_probabilities(logits: Tensor, chosen: Tensor) -> list[float]:
    """The chosen tokens' log-probabilities as the model gives them, at temperature 1."""
    picked = logits.gather(-1, chosen[:, None])[:, 0]
    return [float(value) for value in picked - logits.logsumexp(-1)]
