"""What a GGUF file says about its model, read from its head: nothing of the weights is loaded.

"GGUF" 3  tensors 57  settings 24   general.architecture = "llama"   llama.context_length = 1024 …
          blk.0.attn_q.weight  (128, 128)  Q8_0  at byte 39,168
"""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, BinaryIO

from workbench.errors import ModelUnavailable

MAGIC = b"GGUF"
VERSIONS = (2, 3)
ALIGNMENT = 32  # bytes, unless the file states another
LARGEST_TEXT = 2**24  # bytes; a chat template is the longest text there is
LARGEST_RANK = 8

_NUMBERS = {
    0: "<B",
    1: "<b",
    2: "<H",
    3: "<h",
    4: "<I",
    5: "<i",
    6: "<f",
    7: "<?",
    10: "<Q",
    11: "<q",
    12: "<d",
}
_TEXT, _ARRAY = 8, 9

TYPES: dict[int, tuple[str, int, int]] = {
    # the format's number: name, weights in a block, bytes of a block
    0: ("F32", 1, 4),
    1: ("F16", 1, 2),
    2: ("Q4_0", 32, 18),
    3: ("Q4_1", 32, 20),
    6: ("Q5_0", 32, 22),
    7: ("Q5_1", 32, 24),
    8: ("Q8_0", 32, 34),
    10: ("Q2_K", 256, 84),
    11: ("Q3_K", 256, 110),
    12: ("Q4_K", 256, 144),
    13: ("Q5_K", 256, 176),
    14: ("Q6_K", 256, 210),
    16: ("IQ2_XXS", 256, 66),
    17: ("IQ2_XS", 256, 74),
    18: ("IQ3_XXS", 256, 98),
    19: ("IQ1_S", 256, 50),
    20: ("IQ4_NL", 32, 18),
    21: ("IQ3_S", 256, 110),
    22: ("IQ2_S", 256, 82),
    23: ("IQ4_XS", 256, 136),
    24: ("I8", 1, 1),
    25: ("I16", 1, 2),
    26: ("I32", 1, 4),
    27: ("I64", 1, 8),
    28: ("F64", 1, 8),
    29: ("IQ1_M", 256, 56),
    30: ("BF16", 1, 2),
    34: ("TQ1_0", 256, 54),
    35: ("TQ2_0", 256, 66),
    39: ("MXFP4", 32, 17),
}
CACHE_NUMBER_BYTES = 2  # llama.cpp keeps keys and values in 16 bits


@dataclass(frozen=True, slots=True)
class GgufTensor:
    """One tensor's place in the file."""

    name: str
    shape: tuple[int, ...]
    """Rows first, as other formats have it."""
    kind: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class GgufHeader:
    """A file's settings and table of tensors."""

    settings: dict[str, Any]
    """Numbers and texts by their key; of a list, only how long it is."""
    tensors: tuple[GgufTensor, ...]
    file_bytes: int

    @property
    def architecture(self) -> str:
        """What kind of model it is, in llama.cpp's words."""
        return str(self.settings["general.architecture"])

    @property
    def context(self) -> int | None:
        """The context window in tokens."""
        return self.number("context_length")

    @property
    def parameters(self) -> int:
        """How many weights it has."""
        return sum(math.prod(tensor.shape) for tensor in self.tensors)

    def number(self, key: str) -> int | None:
        """A whole number among the settings of the file's architecture."""
        value = self.settings.get(f"{self.architecture}.{key}")
        return value if isinstance(value, int) and value > 0 else None

    def cache_bytes_per_token(self) -> int:
        """What the attention cache takes for one token, at most, in numbers of 16 bits."""
        hidden, heads = self.number("embedding_length") or 0, self.number("attention.head_count") or 1
        keys = self.number("attention.key_length") or hidden // heads
        values = self.number("attention.value_length") or keys
        groups = self.number("attention.head_count_kv") or heads
        return (self.number("block_count") or 0) * groups * (keys + values) * CACHE_NUMBER_BYTES


def read_header(file: Path, model: str) -> GgufHeader:
    """The head of a GGUF file, and proof that the rest is all there.

    Raises ModelUnavailable for a file that is not GGUF, or is cut off or damaged.
    """
    try:
        status = file.stat()
        return _read(file, status.st_mtime_ns, status.st_size)
    except OSError as problem:
        raise ModelUnavailable(f"'{file}' cannot be read ({problem.strerror}).", model, "llama_cpp") from None
    except _NotGgufError as problem:
        raise ModelUnavailable(f"'{file}' {problem}.", model, "llama_cpp") from None


class _NotGgufError(Exception):
    """Its text completes a sentence that begins with the file's name."""


@lru_cache(maxsize=32)
def _read(file: Path, changed_ns: int, size: int) -> GgufHeader:
    with file.open("rb") as opened:
        reader = _Reader(opened, size)
        if opened.read(4) != MAGIC:
            raise _NotGgufError("is not a GGUF file")
        version = reader.number(4)
        if version not in VERSIONS:
            raise _NotGgufError(f"is GGUF of version {version}; versions 2 and 3 can be read here")
        tensor_count, setting_count = reader.count(), reader.count()
        settings: dict[str, Any] = {}
        for _ in range(setting_count):
            key = reader.text()
            settings[key] = reader.value(reader.number(4))
        if not isinstance(settings.get("general.architecture"), str):
            raise _NotGgufError("does not say what kind of model it holds")
        entries = [
            (reader.text(), reader.shape(), reader.number(4), reader.number(8)) for _ in range(tensor_count)
        ]
        alignment = settings.get("general.alignment", ALIGNMENT)
        if not isinstance(alignment, int) or alignment < 1:
            raise reader.damaged()
        start = -(-opened.tell() // alignment) * alignment
    tensors = []
    for name, shape, number, offset in entries:
        kind, block, block_bytes = TYPES.get(number, (f"type {number}", 1, 0))
        taken = math.prod(shape) // block * block_bytes
        if start + offset + taken > size:
            missing = start + offset + taken - size
            raise _NotGgufError(f"is cut off (at least {missing:,} bytes are missing); download it again")
        tensors.append(GgufTensor(name, shape, kind, taken))
    if not tensors:
        raise _NotGgufError("holds no weights")
    return GgufHeader(settings, tuple(tensors), size)


class _Reader:
    """Reads the format's values; never asks for more than the file can hold."""

    def __init__(self, opened: BinaryIO, size: int) -> None:
        self._opened, self._size = opened, size

    def bytes(self, count: int) -> bytes:
        if count > self._size - self._opened.tell():
            raise self.damaged()
        return self._opened.read(count)

    def number(self, width: int) -> int:
        return int.from_bytes(self.bytes(width), "little")

    def count(self) -> int:
        found = self.number(8)
        if found > self._size:
            raise self.damaged()
        return found

    def text(self) -> str:
        length = self.number(8)
        if length > LARGEST_TEXT:
            raise self.damaged()
        return self.bytes(length).decode("utf-8", "replace")

    def shape(self) -> tuple[int, ...]:
        rank = self.number(4)
        if rank > LARGEST_RANK:
            raise self.damaged()
        return tuple(self.count() for _ in range(rank))[::-1]

    def value(self, kind: int) -> Any:
        """A number or a text; of a list, its length: vocabularies are long and nobody here reads them."""
        if kind in _NUMBERS:
            return struct.unpack(_NUMBERS[kind], self.bytes(struct.calcsize(_NUMBERS[kind])))[0]
        if kind == _TEXT:
            return self.text()
        if kind != _ARRAY:
            raise self.damaged()
        inner, count = self.number(4), self.count()
        if inner in _NUMBERS:
            self.bytes(count * struct.calcsize(_NUMBERS[inner]))
        elif inner == _TEXT:
            for _ in range(count):
                self.text()
        else:
            raise self.damaged()
        return count

    def damaged(self) -> _NotGgufError:
        return _NotGgufError("is cut off or damaged; download it again")
