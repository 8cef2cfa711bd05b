"""The ways in which a local model's weights can be held, and what each is good for."""

from __future__ import annotations

import platform
import warnings
from typing import TYPE_CHECKING, Any

from workbench.errors import ModelUnavailable

if TYPE_CHECKING:
    import torch

QUANTIZATIONS: dict[str, str] = {
    "fp32": "32-bit weights: the reference; most exact, most memory.",
    "bf16": "16-bit weights: half the memory, nearly the same texts; the choice on a GPU.",
    "int8": "8-bit linear layers, on the CPU: a third of the memory, fastest above some 100M parameters, "
    "a small loss of accuracy.",
}
DEFAULT_QUANTIZATION = "fp32"


def check_quantization(name: str | None, model: str) -> str:
    """The quantization of a row, the default where it names none. Raises ModelUnavailable."""
    chosen = name or DEFAULT_QUANTIZATION
    if chosen not in QUANTIZATIONS:
        known = ", ".join(QUANTIZATIONS)
        raise ModelUnavailable(f"quantization '{chosen}' is not known; use {known}.", model, "transformers")
    return chosen


def weights_dtype(quantization: str) -> torch.dtype:
    """How the weights are read from the file, before they are quantized."""
    import torch

    return torch.bfloat16 if quantization == "bf16" else torch.float32


def quantized(network: Any, quantization: str) -> Any:
    """The network with its weights held as `quantization` says; read with `weights_dtype` before."""
    if quantization != "int8":
        return network
    import torch

    if platform.machine().lower() in ("arm64", "aarch64"):
        torch.backends.quantized.engine = "qnnpack"
    with warnings.catch_warnings():
        # announced as deprecated in favour of a package whose CPU kernels are several times slower
        warnings.simplefilter("ignore")
        return torch.ao.quantization.quantize_dynamic(network, {torch.nn.Linear}, dtype=torch.qint8)
