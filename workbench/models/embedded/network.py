"""A Llama that is cheap to train on a CPU: the same mathematics as `LlamaForCausalLM`, fewer operations.

Query, key and value are one matrix, gate and up another, and attention is written as two batched
products, whose backward pass in bf16 is several times faster here than the fused kernel's.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from workbench.models.embedded.initialisation import start_looking_up

EPSILON = 1e-5
ROPE_THETA = 10_000.0
EMBEDDING_STD = 0.1


@dataclass(frozen=True)
class Size:
    """The shape of a network."""

    vocabulary: int
    width: int
    layers: int
    heads: int
    feed_forward: int

    def as_dict(self) -> dict[str, int]:
        """Plain numbers, for checkpoints and the card."""
        return asdict(self)


class RMSNorm(nn.Module):
    """Root-mean-square normalisation with a learned scale."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))

    def forward(self, x: Tensor) -> Tensor:
        """Normalises the last dimension."""
        return functional.rms_norm(x, (x.shape[-1],), self.weight.to(x.dtype), EPSILON)


class Block(nn.Module):
    """Attention and a gated feed-forward layer, each added to its input."""

    def __init__(self, size: Size) -> None:
        super().__init__()
        width, inner = size.width, size.feed_forward
        self.heads = size.heads
        self.attention_norm = RMSNorm(width)
        self.feed_forward_norm = RMSNorm(width)
        self.query_key_value = nn.Linear(width, 3 * width, bias=False)
        self.attention_output = nn.Linear(width, width, bias=False)
        self.gate_up = nn.Linear(width, 2 * inner, bias=False)
        self.down = nn.Linear(inner, width, bias=False)

    def forward(self, x: Tensor, cosine: Tensor, sine: Tensor, mask: Tensor) -> Tensor:
        """x: (batch, tokens, width) -> the same shape."""
        batch, tokens, width = x.shape
        head_width = width // self.heads
        packed = self.query_key_value(self.attention_norm(x))
        packed = packed.view(batch, tokens, 3, self.heads, head_width).permute(2, 0, 3, 1, 4)
        query, key, value = packed.unbind(0)
        query = query * cosine + _rotated(query) * sine
        key = key * cosine + _rotated(key) * sine
        scaled = (query * head_width**-0.5).flatten(0, 1)
        weights = torch.baddbmm(mask, scaled, key.flatten(0, 1).transpose(1, 2)).softmax(-1)
        mixed = torch.bmm(weights, value.flatten(0, 1)).view(batch, self.heads, tokens, head_width)
        x = x + self.attention_output(mixed.transpose(1, 2).reshape(batch, tokens, width))
        gate, up = self.gate_up(self.feed_forward_norm(x)).chunk(2, -1)
        return x + self.down(functional.silu(gate) * up)


def _rotated(x: Tensor) -> Tensor:
    first, second = x.chunk(2, -1)
    return torch.cat([-second, first], -1)


def _rotary(tokens: int, head_width: int, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    frequencies = 1 / (ROPE_THETA ** (torch.arange(0, head_width, 2).float() / head_width))
    angles = torch.outer(torch.arange(tokens).float(), frequencies)
    both = torch.cat([angles, angles], -1)
    return both.cos().to(dtype), both.sin().to(dtype)


class Network(nn.Module):
    """Embedding, blocks, final norm; the output matrix is the embedding."""

    def __init__(self, size: Size) -> None:
        super().__init__()
        self.size = size
        self.embedding = nn.Embedding(size.vocabulary, size.width)
        self.blocks = nn.ModuleList(Block(size) for _ in range(size.layers))
        self.final_norm = RMSNorm(size.width)
        for name, parameter in self.named_parameters():
            if name.startswith("embedding"):
                nn.init.normal_(parameter, 0, EMBEDDING_STD)
            elif name.endswith(("attention_output.weight", "down.weight")):
                nn.init.zeros_(parameter)
            elif parameter.ndim == 2:
                nn.init.normal_(parameter, 0, 1 / math.sqrt(parameter.shape[1]))
        start_looking_up(self, ROPE_THETA)

    def hidden(self, ids: Tensor) -> Tensor:
        """(batch, tokens) -> final hidden states."""
        x = self.embedding(ids)
        tokens = ids.shape[1]
        cosine, sine = _rotary(tokens, self.size.width // self.size.heads, x.dtype)
        mask = torch.full((tokens, tokens), float("-inf"), dtype=x.dtype).triu(1)
        for block in self.blocks:
            x = block(x, cosine, sine, mask)
        return self.final_norm(x)

    def logits(self, hidden: Tensor) -> Tensor:
        """Scores over the vocabulary, in fp32."""
        return functional.linear(hidden, self.embedding.weight.to(hidden.dtype)).float()

    def matrices(self) -> list[nn.Parameter]:
        """The blocks' weight matrices, which Muon updates."""
        return [parameter for name, parameter in self.named_parameters() if _is_matrix(name, parameter)]

    def others(self) -> list[nn.Parameter]:
        """Embedding and norms, which AdamW updates."""
        return [parameter for name, parameter in self.named_parameters() if not _is_matrix(name, parameter)]


def _is_matrix(name: str, parameter: nn.Parameter) -> bool:
    return parameter.ndim == 2 and not name.startswith("embedding")
