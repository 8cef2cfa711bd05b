"""Quantizing a loaded network: each linear layer is replaced by one that holds its weights in fewer bits.

LlamaForCausalLM of nn.Linear  ->  the same with RowInt8Linear (int8), Linear4bit (nf4), …

Embeddings and norms stay as they are, and so does the output head unless the quantization says otherwise.
A layer whose widths a method cannot take stays too.
"""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from workbench.models.local.quantization import QUANTIZATIONS

INT4_GROUP = 32
OUTPUT_BLOCK = 16
NF4_BLOCKS = (64, 32)
"""Weights that share a scale: the first that divides a layer's input width is taken."""
ACTIVATION_STEP = 2 / 127  # activations in 7 bits: products of 8 by 8 bits overflow on CPUs without VNNI
ACTIVATION_ZERO = 64
SMALLEST = 1e-30  # a row of zeros is divided by this and stays zero

Replace = Callable[[nn.Linear, str], nn.Module | None]


def quantize_network(network: Any, quantization: str, device: str) -> Any:
    """The network on `device`, in evaluation mode, its linear layers held as `quantization` says.

    Layers are replaced one after the other, so that only one is in memory twice.
    """
    network.eval()
    kind = QUANTIZATIONS[quantization]
    replace = _replacement(quantization, device)
    if replace is None:
        return network.to(device)
    if kind.quantizes_head:
        kept: set[int] = set()
    else:
        kept = {id(network.get_output_embeddings())}
    for parent in list(network.modules()):
        for name, layer in list(parent.named_children()):
            if isinstance(layer, nn.Linear) and type(layer) is nn.Linear and id(layer) not in kept:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    found = replace(layer, device)
                if found is not None:
                    setattr(parent, name, found)
    if quantization == "int8" and device == "cpu":
        network.float()  # the layers between speak 32 bits; theirs are not parameters any more
    return network.to(device)


class RowInt8Linear(nn.Module):
    """A linear layer in 8 bits whose result for a row does not depend on the other rows of the batch.

    torch's own dynamic quantization takes one scale for the whole batch. Here each row is first divided by
    its largest value, so that one fixed scale suits all of them, and the result is multiplied back: the same
    kernels, and a finer scale for most rows.
    """

    def __init__(self, layer: nn.Linear) -> None:
        super().__init__()
        self.in_features, self.out_features = layer.in_features, layer.out_features
        weight = layer.weight.detach().float()
        steps = (weight.abs().amax(1) / 127).clamp_min(SMALLEST)
        whole = torch.quantize_per_channel(
            weight, steps.double(), torch.zeros(len(steps), dtype=torch.long), 0, torch.qint8
        )
        self._packed = torch.ops.quantized.linear_prepack(whole, None)
        self.bias = None if layer.bias is None else nn.Parameter(layer.bias.detach().float(), False)

    def forward(self, rows: Tensor) -> Tensor:
        """Shape (…, in_features) to (…, out_features), 32 bits."""
        rows = rows.float()
        largest = rows.abs().amax(-1, keepdim=True).clamp_min(SMALLEST)
        found: Tensor = torch.ops.quantized.linear_with_input_q_dq_qweight_dq_output_fp32(
            rows / largest, ACTIVATION_STEP, ACTIVATION_ZERO, self._packed
        )
        found *= largest
        return found if self.bias is None else found + self.bias

    def extra_repr(self) -> str:
        """Widths, for `print(network)`."""
        return f"{self.in_features}, {self.out_features}, bias={self.bias is not None}"


class _OutsideInference(nn.Module):
    """A layer whose kernels make tensors that inference mode does not allow."""

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, rows: Tensor) -> Tensor:
        with torch.inference_mode(False), torch.no_grad():
            found: Tensor = self.layer(rows)
        return found


def _replacement(quantization: str, device: str) -> Replace | None:
    if quantization == "int8":
        if device != "cpu":
            return _bnb_int8
        return _row_int8 if "fbgemm" in torch.backends.quantized.supported_engines else _batch_int8
    return {
        "bnb_int8": _bnb_int8,
        "nf4": _nf4,
        "quanto_int8": _quanto_int8,
        "quanto_int4": _quanto_int4,
        "torchao_int8": _torchao_int8,
        "torchao_int4": _torchao_int4,
    }.get(quantization)


def _in_blocks(layer: nn.Linear) -> bool:
    # torch's packed kernels for the CPU refuse other widths, or read past the end and take the process down
    return layer.in_features % INT4_GROUP == 0 and layer.out_features % OUTPUT_BLOCK == 0


def _row_int8(layer: nn.Linear, device: str) -> nn.Module:
    before = torch.backends.quantized.engine
    torch.backends.quantized.engine = "fbgemm"
    try:
        return RowInt8Linear(layer)
    finally:
        torch.backends.quantized.engine = before


def _batch_int8(layer: nn.Linear, device: str) -> nn.Module:
    # ARM processors have no kernel with a fixed scale and a 32-bit result
    torch.backends.quantized.engine = "qnnpack"
    whole = torch.ao.quantization.quantize_dynamic(
        nn.Sequential(copy.deepcopy(layer).float()), {nn.Linear}, dtype=torch.qint8
    )
    found: nn.Module = whole[0]
    return found


def _bnb_int8(layer: nn.Linear, device: str) -> nn.Module:
    import bitsandbytes.nn

    layers: Any = bitsandbytes.nn

    # threshold 0: columns that stand out would be looked for over the whole batch
    found = layers.Linear8bitLt(
        layer.in_features,
        layer.out_features,
        bias=layer.bias is not None,
        has_fp16_weights=False,
        threshold=0.0,
    )
    found.weight = layers.Int8Params(layer.weight.data, requires_grad=False, has_fp16_weights=False)
    return _moved(found, layer, device)


def _nf4(layer: nn.Linear, device: str) -> nn.Module:
    import bitsandbytes.nn

    layers: Any = bitsandbytes.nn

    # on the CPU its scales are counted row by row: a block that goes on in the next row gets a wrong one
    block = next((size for size in NF4_BLOCKS if layer.in_features % size == 0), None)
    if block is None:
        return layer.to(device)
    found = layers.Linear4bit(
        layer.in_features,
        layer.out_features,
        bias=layer.bias is not None,
        compute_dtype=layer.weight.dtype,
        compress_statistics=False,
        quant_type="nf4",
    )
    found.weight = layers.Params4bit(
        layer.weight.data,
        requires_grad=False,
        compress_statistics=False,
        quant_type="nf4",
        blocksize=block,
    )
    return _moved(found, layer, device)


def _moved(found: Any, layer: nn.Linear, device: str) -> nn.Module:
    if layer.bias is not None:
        found.bias = nn.Parameter(layer.bias.data, requires_grad=False)
    placed: nn.Module = found.to(device).eval()  # bitsandbytes quantizes on the way to the device
    return placed


def _quanto_int8(layer: nn.Linear, device: str) -> nn.Module | None:
    if not _in_blocks(layer):
        return None
    from optimum.quanto import qint8

    return _quanto(layer, qint8, device)


def _quanto_int4(layer: nn.Linear, device: str) -> nn.Module | None:
    if not _in_blocks(layer):
        return None
    from optimum.quanto import qint4

    return _OutsideInference(_quanto(layer, qint4, device))


def _quanto(layer: nn.Linear, weights: Any, device: str) -> nn.Module:
    from optimum.quanto import freeze, quantize

    whole = nn.Sequential(layer.to(device))
    quantize(whole, weights=weights)
    freeze(whole)
    return whole[0]


def _torchao_int8(layer: nn.Linear, device: str) -> nn.Module:
    from torchao.quantization import Int8WeightOnlyConfig, quantize_

    whole = nn.Sequential(layer.to(device))
    quantize_(whole, Int8WeightOnlyConfig())
    return whole[0]


def _torchao_int4(layer: nn.Linear, device: str) -> nn.Module | None:
    if not _in_blocks(layer):
        return None
    from torchao.quantization import Int4WeightOnlyConfig, quantize_

    config: Any = Int4WeightOnlyConfig(group_size=INT4_GROUP)
    if device == "cpu":
        from torchao.prototype.quantization.int4.inference_workflow import PrototypeInt4WeightOnlyConfig

        config = PrototypeInt4WeightOnlyConfig(group_size=INT4_GROUP, set_inductor_config=False)
    whole = nn.Sequential(layer.to(device))
    quantize_(whole, config)
    return whole[0]
