"""The training text as batches: numbered chunks that are the same on every machine.

Chunk 17 is generated from the seed and the number 17, so a stopped training needs no stored data to
go on: it writes the chunk again and skips the batches it has seen.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

import numpy as np
import torch
from tokenizers import Tokenizer
from torch import Tensor

from workbench.models.embedded.generator import mixture
from workbench.models.embedded.generator.chat import Episode, segments

LONGEST = 704
PROMPT_SHARE = 0.25
PADDED_TO = 8


@dataclass(frozen=True)
class Encoded:
    """One episode as token ids, each with its loss weight, and the family it belongs to."""

    ids: np.ndarray
    weights: np.ndarray
    family: str


@dataclass(frozen=True)
class Batch:
    """Padded ids, and the flat positions whose next token counts."""

    ids: Tensor
    positions: Tensor
    targets: Tensor
    weights: Tensor
    families: list[str]


def encode(tokenizer: Tokenizer, episodes: list[tuple[str, Episode]]) -> list[Encoded]:
    """Token ids and weights of each episode, over-long ones left out."""
    cut = [segments(episode) for _, episode in episodes]
    encodings = iter(tokenizer.encode_batch([text for pieces in cut for text, _ in pieces]))
    encoded = []
    for (family, _), pieces in zip(episodes, cut, strict=True):
        ids: list[int] = []
        weights: list[float] = []
        for _, weight in pieces:
            piece = next(encodings).ids
            ids += piece
            weights += [weight] * len(piece)
        if len(ids) <= LONGEST:
            encoded.append(Encoded(np.array(ids, np.int64), np.array(weights, np.float32), family))
    return encoded


def chunk(
    tokenizer: Tokenizer, number: int, seed: int, phase: str, episodes: int, held_out: bool = False
) -> list[Encoded]:
    """Chunk `number` of a phase."""
    rng = random.Random(f"{seed}/{phase}/{number}/{held_out}")
    return encode(tokenizer, [mixture.episode(rng, phase, held_out) for _ in range(episodes)])


def batches(encoded: list[Encoded], tokens: int, seed: int) -> list[list[Encoded]]:
    """Groups of similar length with about `tokens` padded tokens each, in random order."""
    groups: list[list[Encoded]] = []
    current: list[Encoded] = []
    for item in sorted(encoded, key=lambda item: len(item.ids)):
        if current and _padded(len(item.ids)) * (len(current) + 1) > tokens:
            groups.append(current)
            current = []
        current.append(item)
    if current:
        groups.append(current)
    random.Random(seed).shuffle(groups)
    return groups


def collate(group: list[Encoded]) -> Batch:
    """Pads a group and lists the positions to learn from.

    Of the prompts' tokens only a quarter is scored, with four times the weight: the expectation is
    the same and the output layer, a fifth of a step's cost, has far fewer rows.
    """
    length = _padded(max(len(item.ids) for item in group))
    ids = np.zeros((len(group), length), np.int64)
    weights = np.zeros((len(group), length), np.float32)
    for row, item in enumerate(group):
        ids[row, : len(item.ids)] = item.ids
        weights[row, : len(item.ids)] = item.weights
    kept = np.random.default_rng(len(group) * length).random(weights.shape) < PROMPT_SHARE
    weights = np.where(weights < 1, weights * kept / PROMPT_SHARE, weights)
    next_weights = weights[:, 1:].astype(np.float32)
    rows, columns = np.nonzero(next_weights)
    return Batch(
        ids=torch.from_numpy(ids),
        positions=torch.from_numpy(rows * length + columns),
        targets=torch.from_numpy(ids[:, 1:][rows, columns]),
        weights=torch.from_numpy(next_weights[rows, columns]),
        families=[group[row].family for row in rows],
    )


def _padded(length: int) -> int:
    return -(-length // PADDED_TO) * PADDED_TO
