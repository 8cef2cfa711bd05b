"""What a model will take in memory, told from its files before anything is loaded, and what is free.

small, nf4, 8 rows of 1,024 tokens  ->  weights 3 MB, cache 25 MB, the rest 0.5 GB
"""

from __future__ import annotations

import contextlib
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workbench.errors import ModelUnavailable
from workbench.models.local.quantization import QUANTIZATIONS, Quantization, rest_dtype
from workbench.models.local.soft_prompts import virtual_tokens
from workbench.models.local.tensors import Tensor, read_tensors
from workbench.models.local.weights import stored_dtype

LIBRARIES_BYTES = 410 * 2**20
"""Python, torch, transformers and the workbench in a process, before any model."""
EXTENSION_BYTES = 45 * 2**20
"""What importing a package for quantization adds."""
STEP_TOKENS = 2048
"""Tokens of prompts that are read at once."""
PREFIX_BYTES = 2**28
"""Beginnings of prompts that are kept for later ones, at most."""
GROWING = 0.75
"""Of a batch's cache, what stands beside it while rows join: old and new buffers at once."""
CGROUPS = Path("/sys/fs/cgroup")
MEMBERSHIP = Path("/proc/self/cgroup")
WIDTHS = {"float32": 4, "bfloat16": 2, "float16": 2}
STORED = {"F32": "float32", "BF16": "bfloat16", "F16": "float16"}


@dataclass(frozen=True, slots=True)
class MemoryEstimate:
    """Bytes that a process with this one model holds at its peak."""

    weights_bytes: int
    cache_bytes: int
    """Keys and values of every token of every row, and of beginnings that are kept for later prompts."""
    overhead_bytes: int
    """Libraries, working memory of a step, and what loading needs for a moment where that is more."""
    total_bytes: int
    reclaimable_bytes: int = 0
    """Of the total, pages of the weights' file that the system takes back when memory runs short."""

    @property
    def needed_bytes(self) -> int:
        """What has to be free, in a process that has loaded no libraries yet."""
        return self.total_bytes - self.reclaimable_bytes


@dataclass(frozen=True, slots=True)
class Widths:
    """The sizes in config.json that decide about working memory."""

    layers: int
    hidden: int
    feed_forward: int
    heads: int
    key_value_heads: int
    head_width: int
    vocabulary: int
    tied: bool

    @property
    def cache_numbers(self) -> int:
        """Numbers that the attention cache holds for one token."""
        return 2 * self.layers * self.key_value_heads * self.head_width


def estimate_memory(
    folder: Path, quantization: str, context_tokens: int, rows: int, adapter: Path | None = None
) -> MemoryEstimate:
    """The memory that a model takes on a CPU with `rows` requests of `context_tokens` tokens at once.

    Reads config.json and the headers of the safetensors files. Beginnings that rows share are counted for
    each row, so that the figure holds for any requests. What config.json does not say counts as nothing.
    Raises ModelUnavailable where a file cannot be read.
    """
    kind, widths, tensors = _kind(quantization), read_widths(folder), read_tensors(folder)
    stored = stored_dtype(folder)
    rest = WIDTHS[rest_dtype(quantization, stored)]
    weights = _weights_bytes(tensors, widths, kind, rest)
    virtual = virtual_tokens(adapter) if adapter is not None else 0
    if adapter is not None and not virtual and kind.bits < 16 and kind.needs:  # else it is merged in
        weights += sum(tensor.parameters for tensor in read_tensors(adapter)) * rest
    batch = widths.cache_numbers * rest * context_tokens * rows
    cached = batch + prefix_bytes(batch) + widths.cache_numbers * rest * virtual
    libraries = LIBRARIES_BYTES + (EXTENSION_BYTES if kind.needs else 0)
    growing = int(GROWING * batch)
    running = libraries + weights + cached + growing + _step_bytes(widths, rest, context_tokens, rows)
    # weights that are read as they are stored are used where the file is mapped, without a copy
    read = stored if quantization == "int8" and stored == "bfloat16" else rest_dtype(quantization, stored)
    if any(STORED.get(tensor.dtype) != read for tensor in tensors):
        copied = sum(tensor.parameters for tensor in tensors) * WIDTHS[read]
    else:
        copied = weights if kind.bits < 16 else 0
    mapped = sum(tensor.size_bytes for tensor in tensors)
    total = max(running, libraries + mapped + copied)
    return MemoryEstimate(
        weights_bytes=weights,
        cache_bytes=cached,
        overhead_bytes=total - weights - cached,
        total_bytes=total,
        reclaimable_bytes=total - max(running, libraries + copied),
    )


def prefix_bytes(batch_bytes: int) -> int:
    """Bytes for beginnings that are kept for later prompts, beside a batch's cache of that size."""
    return min(PREFIX_BYTES, batch_bytes)


def cache_bytes_per_token(folder: Path, quantization: str) -> int:
    """Bytes of keys and values of one token of one row. Raises ModelUnavailable."""
    rest = WIDTHS[rest_dtype(_kind(quantization).name, stored_dtype(folder))]
    return read_widths(folder).cache_numbers * rest


def read_widths(folder: Path) -> Widths:
    """The sizes that config.json states; 0 for one that it does not. Raises ModelUnavailable."""
    try:
        stated = json.loads((folder / "config.json").read_text("utf-8"))
    except OSError:
        raise ModelUnavailable(f"the folder '{folder}' has no config.json that can be read.") from None
    except ValueError:
        stated = None
    if not isinstance(stated, dict):
        raise ModelUnavailable(f"'{folder / 'config.json'}' is not a JSON object; download it again.")
    inner = stated.get("text_config")
    config = inner if isinstance(inner, dict) else stated
    hidden = _number(config, "hidden_size", "n_embd", "d_model")
    heads = _number(config, "num_attention_heads", "n_head", "num_heads")
    return Widths(
        layers=_number(config, "num_hidden_layers", "n_layer", "num_layers"),
        hidden=hidden,
        feed_forward=_number(config, "intermediate_size", "n_inner", "ffn_dim", default=4 * hidden),
        heads=heads,
        key_value_heads=_number(config, "num_key_value_heads", default=heads),
        head_width=_number(config, "head_dim", default=hidden // max(1, heads)),
        vocabulary=_number(config, "vocab_size"),
        tied=bool(stated.get("tie_word_embeddings", config.get("tie_word_embeddings", False))),
    )


def _number(config: dict[str, Any], *names: str, default: int = 0) -> int:
    stated = [config[name] for name in names if type(config.get(name)) is int and config[name] > 0]
    return int(stated[0]) if stated else default


def _kind(quantization: str) -> Quantization:
    if quantization not in QUANTIZATIONS:
        raise ModelUnavailable(
            f"quantization '{quantization}' is not known; use {', '.join(QUANTIZATIONS)}.",
        )
    return QUANTIZATIONS[quantization]


def _is_linear(tensor: Tensor) -> bool:
    name = tensor.name.lower()
    apart = ("embed", "wte", "wpe", "norm", "lm_head", "experts")
    return len(tensor.shape) == 2 and not any(word in name for word in apart)


def _weights_bytes(tensors: tuple[Tensor, ...], widths: Widths, kind: Quantization, rest: int) -> int:
    linear = sum(tensor.parameters for tensor in tensors if _is_linear(tensor))
    heads = sum(tensor.parameters for tensor in tensors if "lm_head" in tensor.name)
    other = sum(tensor.parameters for tensor in tensors) - linear - heads
    if widths.tied or not heads:
        # one matrix for both ends; a quantized head is a second one
        other, heads = other + heads, widths.hidden * widths.vocabulary if kind.quantizes_head else 0
        if heads and other < heads:  # stored under the head's name only
            other = heads
    in_head = kind.bytes_per_weight if kind.quantizes_head else rest
    return int(linear * kind.bytes_per_weight + heads * in_head + other * rest)


def _step_bytes(widths: Widths, rest: int, context_tokens: int, rows: int) -> int:
    """Working memory of the largest step: reading the prompts that enter together."""
    tokens = min(STEP_TOKENS, rows * context_tokens)
    through = tokens * (4 * widths.hidden + 3 * widths.feed_forward) * rest
    # longer prompts are read in portions
    scores = tokens * min(context_tokens, STEP_TOKENS) * widths.heads * rest
    logits = 2 * rows * widths.vocabulary * 4
    return through + scores + logits


def free_memory(device: str = "cpu") -> int:
    """Bytes that can still be taken: on a GPU, or of the machine within the limit of this container."""
    if device.startswith("cuda"):
        torch = sys.modules.get("torch")
        if torch is not None and torch.cuda.is_available():
            return int(torch.cuda.mem_get_info(device)[0])
    import psutil

    limits = container_free()
    available = int(psutil.virtual_memory().available)
    return min(available, limits) if limits is not None else available


def container_free(cgroups: Path = CGROUPS, membership: Path = MEMBERSHIP) -> int | None:
    """Bytes left within the control groups' memory limits; None where no limit is set.

    File cache that the system can take back does not count as used.
    """
    with contextlib.suppress(OSError):
        lines = [line.split(":", 2) for line in membership.read_text("utf-8").splitlines()]
        left = [
            _group_free(folder, *names)
            for _, controllers, path in (line for line in lines if len(line) == 3)
            for base, names in _hierarchies(cgroups, controllers)
            for folder in _upwards(base, path)
        ]
        return min((found for found in left if found is not None), default=None)
    return None


_V2 = ("memory.max", "memory.current", "")
_V1 = ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_")


def _hierarchies(cgroups: Path, controllers: str) -> list[tuple[Path, tuple[str, str, str]]]:
    if controllers == "":
        return [(cgroups, _V2), (cgroups / "unified", _V2)]
    return [(cgroups / "memory", _V1)] if "memory" in controllers.split(",") else []


def _upwards(base: Path, path: str) -> list[Path]:
    """The group's folder and those above it; a container often sees its own group as the root."""
    parts = [part for part in path.split("/") if part not in ("", "..")]
    return [base.joinpath(*parts[:count]) for count in range(len(parts), -1, -1)]


def _group_free(folder: Path, limit_file: str, usage_file: str, prefix: str) -> int | None:
    try:
        limit = int((folder / limit_file).read_text("ascii"))
        used = int((folder / usage_file).read_text("ascii"))
        fields = dict(line.split() for line in (folder / "memory.stat").read_text("ascii").splitlines())
        cached = sum(int(fields.get(f"{prefix}{kind}_file", 0)) for kind in ("active", "inactive"))
    except (OSError, ValueError):  # no such group from here, or "max": no limit
        return None
    return max(0, limit - max(0, used - cached))
