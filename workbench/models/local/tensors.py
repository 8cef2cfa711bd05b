"""What the safetensors files of a folder hold, read from their headers alone: no weights, no torch.

Tensor("model.layers.0.mlp.up_proj.weight", "F32", (384, 128), 196608)
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workbench.errors import ModelUnavailable

LENGTH_BYTES = 8
LARGEST_HEADER = 100_000_000  # the format's own limit
BITS = {
    "BOOL": 8,
    "U8": 8,
    "I8": 8,
    "F8_E5M2": 8,
    "F8_E4M3": 8,
    "U16": 16,
    "I16": 16,
    "F16": 16,
    "BF16": 16,
    "U32": 32,
    "I32": 32,
    "F32": 32,
    "U64": 64,
    "I64": 64,
    "F64": 64,
}


@dataclass(frozen=True, slots=True)
class Tensor:
    """One stored tensor, without its numbers."""

    name: str
    dtype: str
    """As its file says it, such as `BF16` or `Q8_0`."""
    shape: tuple[int, ...]
    size_bytes: int

    @property
    def parameters(self) -> int:
        """How many numbers it holds; a scalar holds one."""
        return math.prod(self.shape)


def weight_files(folder: Path) -> list[Path]:
    """The files that a loader would read: `model.safetensors`, or the shards that the index lists.

    Raises ModelUnavailable where there is none, or a listed one is missing.
    """
    for stem in ("model", "adapter_model"):
        if (folder / f"{stem}.safetensors").is_file():
            return [folder / f"{stem}.safetensors"]
    index = folder / "model.safetensors.index.json"
    if not index.is_file():
        found = sorted(folder.glob("*.safetensors"))
        if not found:
            raise ModelUnavailable(f"the folder '{folder}' has no safetensors weights.")
        return found
    try:
        names = sorted({str(name) for name in json.loads(index.read_text("utf-8"))["weight_map"].values()})
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise ModelUnavailable(f"'{index}' cannot be read as a list of weights; download it again.") from None
    # a name that leads elsewhere is not a shard of this folder
    missing = [name for name in names if Path(name).name != name or not (folder / name).is_file()]
    if missing or not names:
        which = f"{missing[0]!r} is not in the folder" if missing else "no file is listed"
        raise ModelUnavailable(f"'{index.name}' does not fit '{folder}' ({which}); download the model again.")
    return [folder / name for name in names]


def read_tensors(folder: Path) -> tuple[Tensor, ...]:
    """Every tensor of the folder's weights. Raises ModelUnavailable for a file that is not whole."""
    return tuple(tensor for file in weight_files(folder) for tensor in file_tensors(file))


def file_tensors(file: Path) -> tuple[Tensor, ...]:
    """The tensors of one file, in its order. Raises ModelUnavailable for a file that is not whole."""
    try:
        size = file.stat().st_size
        with file.open("rb") as opened:
            length = int.from_bytes(opened.read(LENGTH_BYTES), "little")
            held = size - LENGTH_BYTES - length
            if not 2 <= length <= LARGEST_HEADER or held < 0:
                raise _broken(file, "it is cut short, or is no safetensors file")
            header = json.loads(opened.read(length))
    except OSError as problem:
        raise ModelUnavailable(f"'{file}' cannot be read ({problem.strerror}).") from None
    except (ValueError, RecursionError):
        raise _broken(file, "its header is damaged") from None
    if not isinstance(header, dict):
        raise _broken(file, "its header is damaged")
    header.pop("__metadata__", None)
    tensors = tuple(_tensor(file, name, entry) for name, entry in header.items())
    stated = max((entry["data_offsets"][1] for entry in header.values()), default=0)
    if stated != held:
        raise _broken(file, f"its header speaks of {stated:,} bytes of weights, it holds {held:,}")
    return tensors


def _tensor(file: Path, name: str, entry: Any) -> Tensor:
    try:
        start, end = entry["data_offsets"]
        dtype, shape = entry["dtype"], entry["shape"]
        whole = all(type(number) is int and number >= 0 for number in [start, end, *shape])
    except (KeyError, TypeError, ValueError):
        raise _broken(file, f"its header says nothing usable about '{name}'") from None
    bits = BITS.get(dtype) if isinstance(dtype, str) else None
    if not whole or not isinstance(dtype, str) or (bits and math.prod(shape) * bits != (end - start) * 8):
        raise _broken(file, f"the size of '{name}' is not what its shape needs")
    return Tensor(name, dtype, tuple(shape), end - start)


def _broken(file: Path, why: str) -> ModelUnavailable:
    return ModelUnavailable(f"'{file}' is not whole: {why}; download or save it again.")
