"""Whether a model fits into memory beside what is there, and if not, what would.

Model 'big': it needs about 5.2 GB of memory for 8 requests of 2,048 tokens at once (weights 4.4 GB), and
1.9 GB are free; these would fit: 'big@nf4' (1.6 GB), or model 'small' (0.5 GB).
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from workbench.errors import ModelUnavailable
from workbench.models.local.memory import (
    LIBRARIES_BYTES,
    MemoryEstimate,
    estimate_memory,
)
from workbench.models.local.quantization import available
from workbench.models.local.weights import context_tokens

SHARE = 0.95  # estimates err by some percent, and other programs breathe
SHORTEST_CONTEXT = 256
STARTING_CONTEXT = 4096
"""Tokens of one request that are enough to start a model with whose row says nothing of its context."""
NAMED = 2


@dataclass(frozen=True, slots=True)
class Demand:
    """A model that is to be loaded, and how it will be used."""

    folder: Path
    quantization: str
    name: str
    context_tokens: int
    rows: int
    """Requests of the whole context at once."""
    adapter: Path | None = None
    device: str = "cpu"

    def estimate(self) -> MemoryEstimate:
        """See `estimate_memory`."""
        return estimate_memory(
            self.folder, self.quantization, self.context_tokens, self.rows, adapter=self.adapter
        )

    def needed_bytes(self) -> int:
        """What has to be free now: libraries that are loaded already are paid for."""
        needed = self.estimate().needed_bytes
        loaded = "torch" in sys.modules and "transformers" in sys.modules
        # on another device than the CPU, libraries take no room beside the model
        return max(0, needed - LIBRARIES_BYTES) if loaded or self.device != "cpu" else needed


class DoesNotFit(ModelUnavailable):
    """A model that needs more memory than is free; `needed_bytes` and `free_bytes` say how much."""

    def __init__(self, problem: str, demand: Demand, needed_bytes: int, free_bytes: int) -> None:
        super().__init__(problem, demand.name, "transformers")
        self.needed_bytes, self.free_bytes = needed_bytes, free_bytes


def check_fit(demand: Demand, free_bytes: int, candidates: Iterable[tuple[str, Path]] = ()) -> MemoryEstimate:
    """The estimate of a model that fits.

    Args:
        demand: what is to be loaded.
        free_bytes: see `free_memory`.
        candidates: names and folders of other models that could be used instead.

    Raises DoesNotFit with two things that would fit, worked out by the same estimate.
    """
    needed = demand.needed_bytes()
    if needed <= free_bytes * SHARE:
        return demand.estimate()
    remedies = list(_some(would_fit(demand, free_bytes, candidates)))
    if remedies:
        advice = f"{'these' if len(remedies) > 1 else 'this'} would fit: {', or '.join(remedies)}"
    else:
        advice = "close other programs, or use a smaller model"
    raise DoesNotFit(
        f"it needs about {gigabytes(needed)} of memory for {_use(demand)} "
        f"(weights {gigabytes(demand.estimate().weights_bytes)}), and {gigabytes(free_bytes)} are free; "
        f"{advice}.",
        demand,
        needed,
        free_bytes,
    )


def would_fit(demand: Demand, free_bytes: int, candidates: Iterable[tuple[str, Path]] = ()) -> Iterator[str]:
    """Changes after which the model, or another one, fits: the least change first."""
    base = demand.name.rpartition("@")[0] or demand.name
    others = [one for one in available(demand.device) if one.name != demand.quantization]
    for kind in sorted(others, key=lambda one: -one.bits):
        changed = replace(demand, quantization=kind.name, name=f"{base}@{kind.name}")
        if _fits(changed, free_bytes):
            yield f"'{changed.name}' ({gigabytes(changed.needed_bytes())})"
            break
    rows = _most_rows(demand, free_bytes)
    if rows:
        fewer = replace(demand, rows=rows)
        yield f"{_use(fewer)} (`concurrency: {rows}`, {gigabytes(fewer.needed_bytes())})"
    else:
        shorter = replace(demand, rows=1)
        while shorter.context_tokens > SHORTEST_CONTEXT:
            shorter = replace(shorter, context_tokens=max(SHORTEST_CONTEXT, shorter.context_tokens // 2))
            if _fits(shorter, free_bytes):
                length = shorter.context_tokens
                yield f"a context of {length:,} tokens (`context: {length}`, `concurrency: 1`)"
                break
    for name, folder in candidates:
        context = min(demand.context_tokens, context_tokens(folder) or demand.context_tokens)
        other = replace(demand, folder=folder, name=name, context_tokens=context, adapter=None)
        if folder.resolve() != demand.folder.resolve() and _fits(other, free_bytes):
            yield f"model '{name}' ({gigabytes(other.needed_bytes())})"


def shortened(demand: Demand, free_bytes: int) -> Demand:
    """The demand with the longest context that fits, but no less than is enough to start."""
    least = min(demand.context_tokens, STARTING_CONTEXT)
    while demand.context_tokens > least and not _fits(demand, free_bytes):
        demand = replace(demand, context_tokens=max(least, demand.context_tokens // 2))
    return demand


def cache_tokens(demand: Demand, free_bytes: int) -> int:
    """Tokens of attention cache that there is memory for: at most what is asked, at least one row."""
    rows = demand.rows if _fits(demand, free_bytes) else max(1, _most_rows(demand, free_bytes))
    return rows * demand.context_tokens


def gigabytes(count: int) -> str:
    """`80 MB`, `0.5 GB`, `12 GB`."""
    value = count / 1e9
    if value < 0.1:
        return f"{count / 1e6:.0f} MB"
    return f"{value:.0f} GB" if value >= 10 else f"{value:.1f} GB"


def _fits(demand: Demand, free_bytes: int) -> bool:
    try:
        return demand.needed_bytes() <= free_bytes * SHARE
    except ModelUnavailable:  # a candidate whose files cannot be read
        return False


def _most_rows(demand: Demand, free_bytes: int) -> int:
    """The most requests at once that fit, fewer than asked; 0 if not even one."""
    low, high = 0, demand.rows - 1
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if _fits(replace(demand, rows=middle), free_bytes) else (low, middle - 1)
    return low


def _use(demand: Demand) -> str:
    requests = "1 request" if demand.rows == 1 else f"{demand.rows} requests"
    return f"{requests} of {demand.context_tokens:,} tokens{' at once' if demand.rows > 1 else ''}"


def _some(remedies: Iterator[str]) -> Iterator[str]:
    for _, remedy in zip(range(NAMED), remedies, strict=False):
        yield remedy
