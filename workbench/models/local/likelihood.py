"""How likely a local model finds texts, in batched forward passes between the steps of its running batch.

"The answer is 42."  ->  tokens 12 87 9 31 4  ->  (-7.31, 4): the first token is read, the others are scored
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from math import isfinite
from operator import methodcaller
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from workbench.models.local.chat import ChatTokenizer
from workbench.models.local.key_values import LayerPair, ReadKeys
from workbench.models.local.rows import NO_NUMBERS, Ids

if TYPE_CHECKING:
    from workbench.models.local.resident import Resident

PASS_TOKENS = 2048
"""Tokens of one forward pass, padding included, at most: the running batch waits for it."""
PASS_LOGITS = 2**24
"""Logits of one pass at most, 64 MB and as much again twice: a large vocabulary makes passes shorter."""
FEWEST_TOKENS = 16
CHARACTERS_PER_TOKEN = 16
"""A text of more than this a token of the context is not even cut into tokens."""


async def log_likelihoods(
    resident: Resident, texts: Sequence[str], context: int, name: str
) -> list[tuple[float, int] | str]:
    """Each text's sum of log-probabilities (nats) and the tokens counted, or why they cannot be told.

    Args:
        resident: the loaded model, kept in memory by the caller.
        context: tokens of the longest text that can be read.
        name: the model's name in reasons.

    Raises ModelUnavailable where a pass fails.
    """
    read = await asyncio.to_thread(lambda: [_read(resident.chat, text, context, name) for text in texts])
    found: list[tuple[float, int] | str] = [one if isinstance(one, str) else (0.0, 0) for one in read]
    sequences = {place: ids for place, ids in enumerate(read) if not isinstance(ids, str) and len(ids) > 1}
    tokens = pass_tokens(resident.vocabulary)
    for places in passes(sequences, tokens):
        ids = [sequences[place] for place in places]
        sums = await resident.batcher.between_steps(methodcaller("log_likelihoods", ids, tokens))
        for place, value in zip(places, sums, strict=True):
            counted = len(sequences[place]) - 1
            found[place] = (
                (value, counted) if isfinite(value) else f"Model '{name}' cannot tell: {NO_NUMBERS}"
            )
    return found


def _read(chat: ChatTokenizer, text: str, context: int, name: str) -> Ids | str:
    if len(text) > context * CHARACTERS_PER_TOKEN:
        held = f"{len(text):,} characters"
    else:
        ids = chat.encode_text(text)
        if len(ids) <= context:
            return ids
        held = f"{len(ids):,} tokens"
    return f"It is too long for model '{name}': {held}, and the model reads {context:,} tokens at most."


def pass_tokens(vocabulary: int) -> int:
    """Tokens of one forward pass of a model with that many different tokens."""
    return max(FEWEST_TOKENS, min(PASS_TOKENS, PASS_LOGITS // max(1, vocabulary)))


def passes(sequences: Mapping[int, Ids], tokens: int) -> Iterator[list[int]]:
    """Keys of sequences that are read together: of like length, so that few are padding."""
    batch: list[int] = []
    for key in sorted(sequences, key=lambda key: len(sequences[key])):
        if batch and (len(batch) + 1) * len(sequences[key]) > tokens:
            yield batch
            batch = []
        batch.append(key)
    if batch:
        yield batch


@torch.inference_mode()
def sums_of_log_probabilities(
    network: Any, sequences: Sequence[Ids], tokens: int, before: Sequence[LayerPair] = ()
) -> list[float]:
    """Of each sequence, the sum over its tokens but the first; NaN where the network gives no numbers.

    Args:
        network: a causal language model of transformers.
        sequences: token ids, at least two each.
        tokens: of one forward pass at most; a longer sequence is read in portions, by itself.
        before: keys and values of virtual tokens that stand before every sequence.
    """
    if len(sequences) == 1:
        return [_of_one(network, sequences[0], tokens, before)]
    width = max(map(len, sequences))
    device = next(network.parameters()).device
    # filled up on the right, where no token that counts looks at: the model's own causal mask will do
    ids = torch.zeros(len(sequences), width, dtype=torch.long)
    real = torch.zeros(len(sequences), width, dtype=torch.bool)
    for row, sequence in enumerate(sequences):
        ids[row, : len(sequence)] = torch.tensor(sequence)
        real[row, : len(sequence)] = True
    ids = ids.to(device)
    past = _past(before, len(sequences))
    logits = network(input_ids=ids, past_key_values=past, use_cache=past is not None).logits
    found = _log_probabilities(logits[:, :-1], ids[:, 1:]).cpu()
    # what is filled up may be no number, and would stay none when multiplied by zero
    return [float(row) for row in torch.where(real[:, 1:], found, 0.0).double().sum(1)]


def _past(before: Sequence[LayerPair], rows: int) -> Any:
    return ReadKeys.of_rows([before] * rows, [0] * rows).cache if before else None


def _of_one(network: Any, sequence: Ids, tokens: int, before: Sequence[LayerPair]) -> float:
    ids = torch.tensor([sequence], device=next(network.parameters()).device)
    total, keys = 0.0, _past(before, 1)
    for start in range(0, len(sequence) - 1, tokens):
        end = min(start + tokens, len(sequence) - 1)
        cached = keys is not None or len(sequence) > tokens
        out = network(input_ids=ids[:, start:end], past_key_values=keys, use_cache=cached)
        keys = out.past_key_values
        total += float(_log_probabilities(out.logits, ids[:, start + 1 : end + 1]).double().sum())
    return total


def _log_probabilities(logits: Tensor, ids: Tensor) -> Tensor:
    """Of each token that came, shape (rows, tokens), fp32."""
    wide = logits.float()
    return wide.gather(-1, ids[..., None])[..., 0] - wide.logsumexp(-1)
