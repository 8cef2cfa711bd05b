"""The weights of a Llama in safetensors, one matrix at a time, under the names that GGUF has for them.

model.layers.0.self_attn.q_proj.weight  (2048, 2048) BF16   ->   blk.0.attn_q.weight
"""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.errors import ModelUnavailable
from workbench.models.local.tensors import LENGTH_BYTES, file_tensors, weight_files

if TYPE_CHECKING:
    import numpy

WHOLE = {
    "model.embed_tokens.weight": "token_embd.weight",
    "model.norm.weight": "output_norm.weight",
    "lm_head.weight": "output.weight",
}
OF_A_LAYER = {
    "input_layernorm": "attn_norm",
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "post_attention_layernorm": "ffn_norm",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
}
LAYER = re.compile(r"model\.layers\.(\d+)\.(.+)\.(weight|bias)")
NOT_WEIGHTS = re.compile(r"rotary_emb\.inv_freq$")
ITEM_TYPES = {"F32": "<f4", "F16": "<f2", "BF16": "<u2", "F64": "<f8"}


@dataclass(frozen=True, slots=True)
class StoredTensor:
    """Where one tensor lies in a file."""

    file: Path
    name: str
    kind: str
    """The type's name in safetensors, such as BF16."""
    shape: tuple[int, ...]
    offset: int
    """Bytes from the file's start."""

    def read(self) -> numpy.ndarray[Any, Any]:
        """The values as 32-bit floats, a copy in memory."""
        import numpy

        count = math.prod(self.shape)
        stored = numpy.fromfile(self.file, ITEM_TYPES[self.kind], count, offset=self.offset)
        if self.kind == "BF16":  # the upper half of a 32-bit float
            return (stored.astype("<u4") << 16).view("<f4").reshape(self.shape)
        return stored.astype("<f4").reshape(self.shape)


def gguf_tensors(folder: Path, model: str) -> dict[str, StoredTensor]:
    """Every tensor of the folder's safetensors files by its name in GGUF, in the model's order.

    Raises ModelUnavailable for a file that is cut off, or a tensor that a plain Llama does not have.
    """
    found: dict[str, StoredTensor] = {}
    for file in _files(folder, model):
        for tensor in _stored(file, model):
            if NOT_WEIGHTS.search(tensor.name):
                continue
            name = gguf_name(tensor.name)
            if name is None or tensor.kind not in ITEM_TYPES:
                raise ModelUnavailable(
                    f"it cannot be converted to GGUF: its tensor '{tensor.name}' ({tensor.kind}) is none "
                    "that a plain Llama has.",
                    model,
                )
            found[name] = tensor
    return dict(sorted(found.items(), key=lambda item: _place(item[0])))


def gguf_name(name: str) -> str | None:
    """What GGUF calls a tensor of a Llama; None where it has no name for it."""
    if name in WHOLE:
        return WHOLE[name]
    match = LAYER.fullmatch(name)
    part = OF_A_LAYER.get(match[2]) if match else None
    return f"blk.{match[1]}.{part}.{match[3]}" if match and part else None


def paired_rotary(matrix: numpy.ndarray[Any, Any], heads: int) -> numpy.ndarray[Any, Any]:
    """The rows of a query or key projection in llama.cpp's order.

    Rotary embedding turns pairs of features. In transformers the two of a pair stand half a head apart,
    in llama.cpp side by side.
    """
    half = matrix.shape[0] // heads // 2
    apart = matrix.reshape(heads, 2, half, *matrix.shape[1:])
    return apart.swapaxes(1, 2).reshape(matrix.shape)


def _files(folder: Path, model: str) -> list[Path]:
    try:
        return weight_files(folder)
    except ModelUnavailable as problem:
        raise ModelUnavailable(problem.problem, model) from None


def _stored(file: Path, model: str) -> list[StoredTensor]:
    """Where the tensors of one file lie: after 8 bytes of the table's length and the table, as JSON."""
    try:
        shapes = file_tensors(file)  # also makes sure that the file is whole
    except ModelUnavailable as problem:
        raise ModelUnavailable(problem.problem, model) from None
    with file.open("rb") as opened:
        length = int.from_bytes(opened.read(LENGTH_BYTES), "little")
        table = json.loads(opened.read(length))
    first = LENGTH_BYTES + length
    return [
        StoredTensor(file, one.name, one.dtype, one.shape, first + table[one.name]["data_offsets"][0])
        for one in shapes
    ]


def _place(name: str) -> tuple[int, int, str]:
    if name.startswith("blk."):
        return 1, int(name.split(".")[1]), name
    return (0, 0, name) if name.startswith("token_embd") else (2, 0, name)
