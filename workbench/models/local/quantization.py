"""The ways in which a local model's weights can be held, and what each is good for.

QUANTIZATIONS["nf4"].bits  ->  4

What is done to a network for each is in `quantized_layers`. GGUF files have quantizations of their own, in
`workbench/models/gguf/`.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, Literal

from workbench.errors import ModelUnavailable

if TYPE_CHECKING:
    import torch

Rest = Literal["stored", "float32", "bfloat16", "float16"]

EXTRA = "pip install 'workbench[quantization]'"
DEFAULT_QUANTIZATION = "fp32"


@dataclass(frozen=True, slots=True)
class Quantization:
    """One way to hold weights. Only linear layers are quantized; the rest is held as `rest` says."""

    name: str
    bits: int
    good_for: str
    """In plain words: whether it is smaller only, or also faster, and where."""
    devices: tuple[str, ...]
    needs: str | None = None
    """The package that must be installed, as it is imported."""
    row_independent: bool = True
    """Whether its arithmetic treats each row of a batch by itself, on the CPU."""
    saves: bool = False
    """Whether `transformers` can write a model in this form and read back the same."""
    bytes_per_weight: float = 4.0
    """Of a quantized layer, its scales included."""
    rest: Rest = "stored"
    """What embeddings, norms and (without `quantizes_head`) the output head are held in, and the
    arithmetic between layers: as the files store it, or a fixed type."""
    quantizes_head: bool = False
    """Whether the output head is quantized too; tied to the embedding, it is a quantized copy of it."""
    method: str = ""
    """Told apart in a model's identity: two methods of one name give different texts."""

    @property
    def installed(self) -> bool:
        """Whether the package that it needs is there."""
        return self.needs is None or _found(self.needs)


_KINDS = (
    Quantization(
        "fp32",
        32,
        "32-bit weights: the reference; most exact, most memory.",
        ("cpu", "cuda", "mps"),
        saves=True,
        rest="float32",
    ),
    Quantization(
        "bf16",
        16,
        "16-bit weights: half the memory and nearly the same texts; also faster on a GPU, and on CPUs for "
        "models above some 100M parameters.",
        ("cpu", "cuda", "mps"),
        saves=True,
        bytes_per_weight=2.0,
        rest="bfloat16",
    ),
    Quantization(
        "fp16",
        16,
        "16-bit weights for GPUs without bf16: half the memory, also faster.",
        ("cuda", "mps"),
        saves=True,
        bytes_per_weight=2.0,
        rest="float16",
    ),
    Quantization(
        "int8",
        8,
        "8-bit linear layers: a third of the memory; also the fastest on the CPU above some 100M parameters. "
        "On a GPU smaller only.",
        ("cpu", "cuda"),
        bytes_per_weight=1.0,
        rest="float32",
        quantizes_head=True,
        method="activations per row",
    ),
    Quantization(
        "bnb_int8",
        8,
        "8-bit weights by bitsandbytes: a quarter of the memory, nearly the same texts; smaller only, not "
        "faster.",
        ("cpu", "cuda"),
        "bitsandbytes",
        saves=True,
        bytes_per_weight=1.0,
    ),
    Quantization(
        "nf4",
        4,
        "4-bit weights by bitsandbytes: an eighth of the memory, texts change more; smaller, and faster than "
        "bf16 only where reading the weights is what takes the time (large models, few rows at once).",
        ("cpu", "cuda"),
        "bitsandbytes",
        saves=True,
        bytes_per_weight=0.5 + 4 / 64,
    ),
    Quantization(
        "quanto_int8",
        8,
        "8-bit weights by quanto: a quarter of the memory, nearly the same texts; smaller only. Also for "
        "Apple GPUs.",
        ("cpu", "cuda", "mps"),
        "optimum.quanto",
        saves=True,
        bytes_per_weight=1.0,
        rest="bfloat16",
    ),
    Quantization(
        "quanto_int4",
        4,
        "4-bit weights by quanto: an eighth of the memory; smaller, and faster than bf16 with few rows at "
        "once on the CPU; slow with small models.",
        ("cpu", "cuda", "mps"),
        "optimum.quanto",
        bytes_per_weight=0.5 + 4 / 128,
        rest="bfloat16",
    ),
    Quantization(
        "torchao_int8",
        8,
        "8-bit weights by torchao: a quarter of the memory, nearly the same texts; smaller only on the CPU, "
        "made for GPUs.",
        ("cpu", "cuda"),
        "torchao",
        saves=True,
        bytes_per_weight=1.0,
    ),
    Quantization(
        "torchao_int4",
        4,
        "4-bit weights by torchao: an eighth of the memory; faster than bf16 with few rows at once.",
        ("cpu", "cuda"),
        "torchao",
        bytes_per_weight=0.5 + 4 / 32,
        rest="bfloat16",
    ),
)
QUANTIZATIONS: dict[str, Quantization] = {kind.name: kind for kind in _KINDS}


def available(device: str | None = None) -> list[Quantization]:
    """What can be used here: its package is there, and it runs on `device` (None: on any)."""
    kind = device.partition(":")[0] if device else None
    return [one for one in _KINDS if one.installed and (kind is None or kind in one.devices)]


def check_quantization(name: str | None, model: str) -> str:
    """The quantization of a row, the default where it names none.

    Raises ModelUnavailable where it is not known or its package is missing.
    """
    chosen = name or DEFAULT_QUANTIZATION
    if chosen not in QUANTIZATIONS:
        known = ", ".join(QUANTIZATIONS)
        raise ModelUnavailable(f"quantization '{chosen}' is not known; use {known}.", model, "transformers")
    found = QUANTIZATIONS[chosen]
    if not found.installed:
        package = str(found.needs).replace(".", "-")
        raise ModelUnavailable(
            f"quantization '{chosen}' needs the package {package}, which is not installed: {EXTRA}.",
            model,
            "transformers",
        )
    return chosen


def rest_dtype(quantization: str, stored: str | None, device: str = "cpu") -> str:
    """The type of what is not quantized, by torch's name, such as "bfloat16".

    Args:
        quantization: a name of QUANTIZATIONS.
        stored: the type that the model's files state; None counts as float32.
        device: where the model runs. `float16` is slow and partly missing on the CPU.
    """
    found = QUANTIZATIONS[quantization]
    if found.rest != "stored":
        # on a GPU int8 is bitsandbytes' way, which takes 16-bit activations
        return "float16" if quantization == "int8" and device.startswith("cuda") else found.rest
    kept = stored if stored in ("float32", "bfloat16", "float16") else "float32"
    return "bfloat16" if kept == "float16" and device == "cpu" else kept


def weights_dtype(quantization: str, stored: str | None = None, device: str = "cpu") -> torch.dtype:
    """How weights are read from the files, before linear layers are quantized one after the other.

    Files in 16 bits are read as such also for `int8`, so that they are never in memory at 32 bits as a whole.
    """
    import torch

    name = rest_dtype(quantization, stored, device)
    if quantization == "int8" and stored == "bfloat16":
        name = stored
    found: torch.dtype = getattr(torch, name)
    return found


def _found(package: str) -> bool:
    try:
        return find_spec(package) is not None
    except ModuleNotFoundError:  # the parent package of a dotted name is missing
        return False
