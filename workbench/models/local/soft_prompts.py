"""Adapters that are virtual tokens before every prompt: prefix tuning, prompt tuning and P-tuning.

prompt_embeddings  (16, 128)     prompt tuning and P-tuning: 16 embeddings, read by the base once
prompt_embeddings  (16, 1024)    prefix tuning: keys and values of 16 tokens, of every layer side by side

Either way what the model needs is keys and values of some tokens, which no vocabulary has. They are held
once, as the beginning that all rows of the running batch share.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.models.local.tensors import Tensor, read_tensors, weight_files

if TYPE_CHECKING:
    from workbench.models.local.key_values import LayerPair
    from workbench.models.local.memory import Widths

PREFIX = "PREFIX_TUNING"
SOFT_KINDS = {PREFIX: "prefix tuning", "PROMPT_TUNING": "prompt tuning", "P_TUNING": "P-tuning"}
SOFT_TENSOR = "prompt_embeddings"


def virtual_tokens(adapter: Path) -> int:
    """How many virtual tokens an adapter stands for; 0 for one that changes weights. Reads no weights.

    Raises ModelUnavailable for a file that is not whole.
    """
    shapes = [tensor.shape for tensor in read_tensors(adapter) if tensor.name == SOFT_TENSOR]
    return shapes[0][0] if shapes and len(shapes[0]) == 2 else 0


def soft_difference(kind: str, trained: Sequence[Tensor], widths: Widths) -> str | None:
    """Why virtual tokens do not fit a base of these widths; None where they do.

    Args:
        kind: one of SOFT_KINDS.
        trained: the adapter's tensors.
        widths: the base's sizes.
    """
    found = next((tensor for tensor in trained if tensor.name == SOFT_TENSOR), None)
    if found is None or len(found.shape) != 2 or 0 in found.shape:
        return f"it has no '{SOFT_TENSOR}' that are a table with a row for each virtual token"
    needed = widths.cache_numbers if kind == PREFIX else widths.hidden
    if found.shape[1] == needed:
        return None
    what = "keys and values of all layers are" if kind == PREFIX else "embeddings are"
    return f"a token's {what} {needed:,} numbers in the base and {found.shape[1]:,} in the adapter"


def virtual_keys(network: Any, adapter: Path, kind: str, widths: Widths) -> list[LayerPair]:
    """Keys and values of the virtual tokens, layer by layer, on the network's device.

    Args:
        network: the base, loaded and held as it will be used.
        adapter: folder of an adapter that fits the base.
        kind: one of SOFT_KINDS.
        widths: the base's sizes.
    """
    import torch
    from safetensors.torch import load_file

    from workbench.models.local.key_values import ReadKeys

    embedding = network.get_input_embeddings().weight
    numbers = load_file(weight_files(adapter)[0])[SOFT_TENSOR].to(embedding.device, embedding.dtype)
    if kind == PREFIX:
        sides = numbers.view(len(numbers), widths.layers, 2, widths.key_value_heads, widths.head_width)
        keys, values = sides.permute(2, 1, 3, 0, 4)[:, :, None].contiguous()
        return list(zip(keys, values, strict=True))
    read = ReadKeys()
    with torch.inference_mode():
        network(inputs_embeds=numbers[None], past_key_values=read.cache, use_cache=True)
    return read.pairs
