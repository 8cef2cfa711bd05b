"""Gives a fresh network heads that look things up, instead of waiting for them to form.

Reading an example's code needs two heads in a row: one that looks at the previous token, and one
that looks for the place whose previous token resembles the present one and repeats what stands
there. Left to chance, a network this small finds that pair only after tens of millions of tokens.
Here head 0 of every layer starts as the first kind, and head 1 of the layer above as the second;
everything else starts at random, and all of it is trained.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch
from torch import Tensor

if TYPE_CHECKING:
    from workbench.models.embedded.network import Block, Network

PREVIOUS_HEAD, MATCHING_HEAD = 0, 1
COMMON_SHARE = 0.7
WRITTEN = 0.12
MATCH_GAIN = 2.0
# How strongly each rotary frequency, the fastest first, pulls the first kind of head to offset 1.
OFFSET_PULL = (8.0, 4.0, 2.0, 2.0, 1.0, 1.0)


@torch.no_grad()
def start_looking_up(network: Network, theta: float) -> None:
    """Overwrites two heads of each pair of neighbouring layers, and adds what they rely on."""
    size = network.size
    if size.layers < 2 or size.heads < 2:
        return
    # A direction that all embeddings share: the only thing a head can see in every token alike.
    # The output layer is the same matrix, where it adds the same amount to every token's score.
    common = torch.nn.functional.normalize(torch.randn(size.width), dim=0)
    spread = float(network.embedding.weight.std())
    network.embedding.weight += COMMON_SHARE * spread * math.sqrt(size.width) * common
    head_width = size.width // size.heads
    for lower, upper in zip(network.blocks[:-1], network.blocks[1:], strict=True):
        read, written = _previous_token_head(lower, head_width, common, theta)
        _matching_head(upper, head_width, read, written)


def _rows(head: int, head_width: int) -> slice:
    return slice(head * head_width, (head + 1) * head_width)


def _thirds(block: Block) -> tuple[Tensor, Tensor, Tensor]:
    query, key, value = block.query_key_value.weight.chunk(3, 0)
    return query, key, value


def _previous_token_head(
    block: Block, head_width: int, common: Tensor, theta: float
) -> tuple[Tensor, Tensor]:
    """Returns the directions the head reads from the previous token and those it writes them to."""
    query, key, value = _thirds(block)
    own, half = _rows(PREVIOUS_HEAD, head_width), head_width // 2
    seen = math.sqrt(len(common)) * COMMON_SHARE / math.sqrt(1 + COMMON_SHARE**2)
    wanted_query, wanted_key = torch.zeros(head_width), torch.zeros(head_width)
    for index, pull in enumerate(OFFSET_PULL[:half]):
        frequency = theta ** (-index / half)
        strength = math.sqrt(pull * math.sqrt(head_width))
        wanted_key[index] = strength
        # Turned back by one position, so that query and key agree best at distance one.
        wanted_query[index] = strength * math.cos(frequency)
        wanted_query[index + half] = -strength * math.sin(frequency)
    query[own] = torch.outer(wanted_query, common) / seen
    key[own] = torch.outer(wanted_key, common) / seen
    directions = torch.linalg.qr(torch.randn(len(common), head_width)).Q
    block.attention_output.weight[:, own] = WRITTEN * directions
    return value[own].clone(), directions


def _matching_head(block: Block, head_width: int, read: Tensor, written: Tensor) -> None:
    """Compares the present token with what the layer below wrote about the previous one."""
    query, key, value = _thirds(block)
    own, half = _rows(MATCHING_HEAD, head_width), head_width // 2
    slow = torch.zeros(head_width)  # only slow rotary frequencies compare content over a distance
    first = half * 7 // 16
    slow[first:half] = slow[half + first :] = MATCH_GAIN
    query[own] = slow[:, None] * read
    key[own] = slow[:, None] * written.T
    directions = torch.linalg.qr(torch.randn(len(written), head_width)).Q
    value[own] = directions.T
    block.attention_output.weight[:, own] = WRITTEN * directions
