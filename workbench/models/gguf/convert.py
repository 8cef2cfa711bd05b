"""A folder with a Llama in safetensors written as one GGUF file, matrix by matrix.

    convert(Path("models/mine"), Path("models/mine-q8_0.gguf"), "q8_0", "mine")

Queries and keys change the order of their rows, because llama.cpp pairs what rotary embedding turns
differently; everything else keeps its numbers, or is quantized.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.core.files import staged
from workbench.errors import ModelUnavailable, UnknownName
from workbench.models.gguf.metadata import add_model, add_vocabulary, rotary_factors
from workbench.models.gguf.quantizations import GGUF_QUANTIZATIONS, GgufQuantization, stored_type
from workbench.models.gguf.vocabulary import read_json, read_vocabulary
from workbench.models.gguf.weights import StoredTensor, gguf_tensors, paired_rotary

if TYPE_CHECKING:
    import numpy

ARCHITECTURE = "LlamaForCausalLM"
SLICE_WEIGHTS = 2**24  # quantized at a time


@dataclass(frozen=True, slots=True)
class Converted:
    """What was written."""

    file: Path
    quantization: str
    parameters: int
    source_bytes: int
    bytes: int


def convert(folder: Path, file: Path, quantization: str, model: str) -> Converted:
    """Writes the model in `folder` to `file`, which appears only when it is complete.

    No more than one matrix is in memory at a time.

    Args:
        folder: config.json, tokenizer.json and safetensors weights.
        file: where the GGUF file goes; replaced if it exists.
        quantization: a name of GGUF_QUANTIZATIONS.
        model: the model's name, for errors and in the file.

    Raises ModelUnavailable for what cannot be converted, UnknownName for the quantization, StorageError
    where the file cannot be written.
    """
    import gguf

    held = known_quantization(quantization)
    check_convertible(folder, model)
    config = read_json(folder / "config.json", model)
    tensors = gguf_tensors(folder, model)
    vocabulary = read_vocabulary(folder, int(config["vocab_size"]), model)
    if config.get("tie_word_embeddings"):
        tensors.pop("output.weight", None)
    _check_complete(tensors, config, model)
    plans = [_plan(name, tensor, held, "output.weight" not in tensors) for name, tensor in tensors.items()]
    extra = rotary_factors(config, model)
    quantize = _quantizer(held, model)
    with staged(file) as path:
        writer = gguf.GGUFWriter(path, "llama")
        add_model(writer, config, held, model)
        add_vocabulary(writer, vocabulary)
        if extra is not None:
            writer.add_tensor_info("rope_freqs.weight", extra.shape, extra.dtype, extra.nbytes)
        for plan in plans:
            writer.add_tensor_info(
                plan.name, plan.stored_shape, plan.item_type, plan.bytes, gguf.GGMLQuantizationType[plan.kind]
            )
        try:
            writer.write_header_to_file()
            writer.write_kv_data_to_file()
            writer.write_ti_data_to_file()
            if extra is not None:
                writer.write_tensor_data(extra)
            for plan in plans:
                writer.write_tensor_data(_stored(plan, tensors[plan.name], config, quantize))
        finally:
            writer.close()
    return Converted(
        file,
        quantization,
        sum(math.prod(tensor.shape) for tensor in tensors.values()),
        sum(part.stat().st_size for part in folder.glob("*.safetensors")),
        file.stat().st_size,
    )


def known_quantization(name: str) -> GgufQuantization:
    """The way of holding weights that has this name. Raises UnknownName."""
    if name not in GGUF_QUANTIZATIONS:
        raise UnknownName("GGUF quantization", name, GGUF_QUANTIZATIONS)
    return GGUF_QUANTIZATIONS[name]


def check_convertible(folder: Path, model: str) -> None:
    """Raises ModelUnavailable unless the folder holds a Llama in safetensors. Reads no weights."""
    config = read_json(folder / "config.json", model)
    if config.get("architectures") != [ARCHITECTURE]:
        named = ", ".join(config.get("architectures") or ["none"])
        raise ModelUnavailable(
            f"only {ARCHITECTURE} can be converted to GGUF here, and its architecture is {named}; "
            "use a GGUF file that its makers offer.",
            model,
        )
    if config.get("quantization_config"):
        raise ModelUnavailable(
            "its weights are quantized already; convert the folder that they were made from.", model
        )
    if not any(folder.glob("*.safetensors")):
        raise ModelUnavailable(f"the folder '{folder}' has no safetensors weights to convert.", model)


@dataclass(frozen=True, slots=True)
class _Plan:
    """How one tensor is going to be stored."""

    name: str
    kind: str
    stored_shape: tuple[int, ...]
    item_type: Any
    bytes: int


def _plan(name: str, tensor: StoredTensor, held: GgufQuantization, tied: bool) -> _Plan:
    import gguf
    import numpy

    kind = "F32"  # norms and biases are small and matter
    if len(tensor.shape) == 2:
        is_output = name == ("token_embd.weight" if tied else "output.weight")
        kind = stored_type(held, tensor.shape[1], is_output)
    block, size = gguf.GGML_QUANT_SIZES[gguf.GGMLQuantizationType[kind]]
    columns = tensor.shape[-1] // block * size
    bytes_ = math.prod(tensor.shape[:-1]) * columns
    if kind in ("F32", "F16"):
        return _Plan(name, kind, tensor.shape, numpy.dtype("<f4" if kind == "F32" else "<f2"), bytes_)
    return _Plan(name, kind, (*tensor.shape[:-1], columns), numpy.dtype("uint8"), bytes_)


def _stored(
    plan: _Plan, tensor: StoredTensor, config: dict[str, Any], quantize: Callable[..., Any]
) -> numpy.ndarray[Any, Any]:
    """The tensor's values as the file holds them."""
    import numpy

    values = tensor.read()
    heads = int(config["num_attention_heads"])
    if ".attn_q." in plan.name:
        values = paired_rotary(values, heads)
    elif ".attn_k." in plan.name:
        values = paired_rotary(values, int(config.get("num_key_value_heads") or heads))
    if plan.kind in ("F32", "F16"):
        return numpy.ascontiguousarray(values, plan.item_type)
    whole = numpy.empty(plan.stored_shape, numpy.uint8)
    step = max(1, SLICE_WEIGHTS // values.shape[1])
    for start in range(0, len(values), step):
        part = numpy.ascontiguousarray(values[start : start + step])
        whole[start : start + step] = quantize(part, plan.kind)
    return whole


def _quantizer(held: GgufQuantization, model: str) -> Callable[..., Any]:
    """Rows of 32-bit floats and a type's name to bytes of that type."""
    import gguf

    def by_numpy(rows: Any, kind: str) -> Any:
        return gguf.quants.quantize(rows, gguf.GGMLQuantizationType[kind]).view("uint8")

    if not held.by_llama_cpp:
        return by_numpy
    from workbench.models.gguf.native import quantize_rows

    return quantize_rows(model)


def _check_complete(tensors: dict[str, StoredTensor], config: dict[str, Any], model: str) -> None:
    """Raises ModelUnavailable where the weights are not those that config.json describes."""
    parts = (
        "attn_norm",
        "attn_q",
        "attn_k",
        "attn_v",
        "attn_output",
        "ffn_norm",
        "ffn_gate",
        "ffn_up",
        "ffn_down",
    )
    needed = ["token_embd.weight", "output_norm.weight"]
    needed += [f"blk.{layer}.{part}.weight" for layer in range(config["num_hidden_layers"]) for part in parts]
    if not config.get("tie_word_embeddings"):
        needed.append("output.weight")
    missing = [name for name in needed if name not in tensors]
    if missing:
        raise ModelUnavailable(f"its weights are incomplete: {missing[0]} is missing.", model)
    embedding = tensors["token_embd.weight"].shape
    stated = (config["vocab_size"], config["hidden_size"])
    if embedding != stated:
        raise ModelUnavailable(
            f"its embedding has the shape {embedding}, but config.json says {stated}.", model
        )
