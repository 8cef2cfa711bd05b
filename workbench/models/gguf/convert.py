"""A folder with a Llama in safetensors written as one GGUF file, matrix by matrix.

    convert(Path("models/mine"), Path("models/mine-q8_0.gguf"), "q8_0", "mine")

Queries and keys change the order of their rows, because llama.cpp pairs what rotary embedding turns
differently; everything else keeps its numbers, or is quantized.
"""

from __future__ import annotations

import contextlib
import math
import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.errors import ModelUnavailable, StorageError, UnknownName
from workbench.models.gguf.quantizations import GGUF_QUANTIZATIONS, GgufQuantization, stored_type
from workbench.models.gguf.vocabulary import Vocabulary, read_json, read_vocabulary
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
    extra = _rotary_factors(config, model)
    quantize = _quantizer(held, model)
    with _staged(file) as path:
        writer = gguf.GGUFWriter(path, "llama")
        _describe(writer, config, held, model)
        _add_vocabulary(writer, vocabulary)
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


def _describe(writer: Any, config: dict[str, Any], held: GgufQuantization, model: str) -> None:
    heads, hidden = int(config["num_attention_heads"]), int(config["hidden_size"])
    width = int(config.get("head_dim") or hidden // heads)
    writer.add_name(model)
    writer.add_file_type(held.file_type)
    writer.add_quantization_version(2)
    writer.add_vocab_size(int(config["vocab_size"]))
    writer.add_context_length(int(config["max_position_embeddings"]))
    writer.add_embedding_length(hidden)
    writer.add_block_count(int(config["num_hidden_layers"]))
    writer.add_feed_forward_length(int(config["intermediate_size"]))
    writer.add_head_count(heads)
    writer.add_head_count_kv(int(config.get("num_key_value_heads") or heads))
    writer.add_key_length(width)
    writer.add_value_length(width)
    writer.add_layer_norm_rms_eps(float(config["rms_norm_eps"]))
    writer.add_rope_dimension_count(width)
    rope = _rope(config)
    writer.add_rope_freq_base(float(rope.get("rope_theta") or 10000.0))
    if rope["rope_type"] in ("linear", "yarn"):
        writer.add_string("llama.rope.scaling.type", rope["rope_type"])
        writer.add_rope_scaling_factor(float(rope["factor"]))
    if rope["rope_type"] == "yarn":
        original = rope.get("original_max_position_embeddings") or config["max_position_embeddings"]
        writer.add_rope_scaling_orig_ctx_len(int(original))


def _rope(config: dict[str, Any]) -> dict[str, Any]:
    """The settings of rotary embedding, wherever this version of transformers wrote them."""
    stated = config.get("rope_parameters") or config.get("rope_scaling") or {}
    kind = stated.get("rope_type") or stated.get("type") or "default"
    theta = stated.get("rope_theta") or config.get("rope_theta")
    return {**stated, "rope_type": kind, "rope_theta": theta}


def _rotary_factors(config: dict[str, Any], model: str) -> Any:
    """What each rotary frequency is divided by (Llama 3's stretched context); None where nothing is."""
    import numpy

    rope = _rope(config)
    if rope["rope_type"] in ("default", "linear", "yarn"):
        return None
    if rope["rope_type"] != "llama3":
        raise ModelUnavailable(
            f"it cannot be converted to GGUF: its rotary embedding '{rope['rope_type']}' is not supported.",
            model,
        )
    width = int(config.get("head_dim") or config["hidden_size"] // config["num_attention_heads"])
    low, high, factor = (float(rope[key]) for key in ("low_freq_factor", "high_freq_factor", "factor"))
    turns = (
        float(rope["original_max_position_embeddings"])
        * float(rope["rope_theta"]) ** (-numpy.arange(0, width, 2) / width)
        / (2 * math.pi)
    )  # how often a feature turns within the original context
    share = numpy.clip((turns - low) / (high - low), 0, 1)
    return (1 / ((1 - share) / factor + share)).astype("<f4")


def _add_vocabulary(writer: Any, vocabulary: Vocabulary) -> None:
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre(vocabulary.splitter)
    writer.add_token_list(vocabulary.tokens)
    writer.add_token_types(vocabulary.kinds)
    writer.add_token_merges(vocabulary.merges)
    writer.add_add_bos_token(vocabulary.begins_with_bos)
    writer.add_add_eos_token(False)
    if vocabulary.bos is not None:
        writer.add_bos_token_id(vocabulary.bos)
    ends = (writer.add_eos_token_id, writer.add_eot_token_id, writer.add_eom_token_id)
    for add_end, token in zip(ends, vocabulary.ends, strict=False):
        add_end(token)
    if vocabulary.pad is not None:
        writer.add_pad_token_id(vocabulary.pad)
    if vocabulary.chat_template:
        writer.add_chat_template(vocabulary.chat_template)


@contextlib.contextmanager
def _staged(file: Path) -> Any:
    """A path beside `file` that takes its place when the block ends without an error."""
    staged: Path | None = None
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{file.name}.", suffix=".tmp", dir=file.parent)
        os.close(handle)
        staged = Path(name)
        yield staged
        staged.chmod(0o644)
        staged.replace(file)
        staged = None
    except OSError as problem:
        reason = (problem.strerror or str(problem)).lower()
        raise StorageError(f"{file} could not be written: {reason}.") from None
    finally:
        if staged is not None:
            with contextlib.suppress(OSError):
                staged.unlink()
