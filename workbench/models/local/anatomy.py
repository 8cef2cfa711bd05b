"""What a model is made of, read in milliseconds from its configuration and its files' headers.

Anatomy(architecture="LlamaForCausalLM", layers=6, width=128, …, parameters=1377920,
        components=Part("model", 1377920, (Part("embedding", 196608, …), Part("attention", …), …)))
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workbench.errors import ModelUnavailable
from workbench.models.gguf.header import read_header
from workbench.models.local.adapters import kind_name
from workbench.models.local.components import place
from workbench.models.local.parts import Part, layered, summed
from workbench.models.local.tensors import Tensor, file_tensors, read_tensors

GGUF_VOCABULARY = "tokenizer.ggml.tokens"
GGUF_KEYS = {
    "num_hidden_layers": "block_count",
    "hidden_size": "embedding_length",
    "intermediate_size": "feed_forward_length",
    "num_attention_heads": "attention.head_count",
    "num_key_value_heads": "attention.head_count_kv",
    "head_dim": "attention.key_length",
    "num_local_experts": "expert_count",
    "num_experts_per_tok": "expert_used_count",
    "max_position_embeddings": "context_length",
    "sliding_window": "attention.sliding_window",
    "rope_theta": "rope.freq_base",
    "rms_norm_eps": "attention.layer_norm_rms_epsilon",
    "layer_norm_eps": "attention.layer_norm_epsilon",
}
"""What config.json calls it, and what a GGUF file does, behind the architecture's name."""


@dataclass(frozen=True, slots=True)
class Anatomy:
    """What a model is made of. None: the files do not say it."""

    architecture: str
    layers: int | None
    width: int | None
    """Hidden width: numbers that stand for one token between layers."""
    feed_forward_width: int | None
    heads: int | None
    key_value_heads: int | None
    head_width: int | None
    experts: int | None
    experts_per_token: int | None
    norm: str | None
    activation: str | None
    positions: str | None
    """How the model knows a token's place, such as `rotary, base 10,000`."""
    vocabulary: int | None
    tied: bool
    """Whether the head reuses the embedding's weights."""
    context: int | None
    window: int | None
    """Tokens that attention looks back, where that is less than the context."""
    quantized_as: str | None
    """The method, where the files hold quantized weights: then packed numbers are counted."""
    dtypes: tuple[tuple[str, int], ...]
    """Stored types with their parameters, the commonest first."""
    parameters: int
    disk_bytes: int
    components: Part
    """By component, summed over layers."""
    by_layer: Part
    """Embedding, each layer, head."""


@dataclass(frozen=True, slots=True)
class AdapterAnatomy:
    """What an adapter adds to its base."""

    kind: str
    base: str | None
    rank: int | None
    virtual_tokens: int | None
    alpha: float | None
    targets: tuple[str, ...]
    parameters: int
    disk_bytes: int
    components: Part


def anatomy(path: Path) -> Anatomy:
    """What the model in a folder of safetensors, or in a .gguf file, is made of. Loads no weights.

    Raises ModelUnavailable for files that are missing, cut short or cannot be read.
    """
    if path.is_file():
        return _of_gguf(path)
    config = _json(path / "config.json")
    return describe(config, read_tensors(path))


def adapter_anatomy(folder: Path) -> AdapterAnatomy:
    """What the adapter in a folder consists of. Raises ModelUnavailable."""
    config = _json(folder / "adapter_config.json")
    file = folder / "adapter_model.safetensors"
    if not file.is_file():
        raise ModelUnavailable(f"the adapter's folder '{folder}' has no adapter_model.safetensors.")
    tensors = file_tensors(file)
    targets = config.get("target_modules") or ()
    alpha = config.get("lora_alpha")
    return AdapterAnatomy(
        kind=kind_name(config),
        base=_word(config.get("base_model_name_or_path")),
        rank=_whole(config, "r"),
        virtual_tokens=_whole(config, "num_virtual_tokens"),
        alpha=float(alpha) if isinstance(alpha, (int, float)) else None,
        targets=(targets,) if isinstance(targets, str) else tuple(sorted(map(str, targets))),
        parameters=sum(tensor.parameters for tensor in tensors),
        disk_bytes=sum(tensor.size_bytes for tensor in tensors),
        components=summed((_without_adapter(tensor) for tensor in tensors), "adapter"),
    )


def describe(config: dict[str, Any], tensors: tuple[Tensor, ...]) -> Anatomy:
    """An anatomy from a configuration with the keys of config.json, and the stored tensors."""
    inner = config.get("text_config")
    text: dict[str, Any] = config | inner if isinstance(inner, dict) else config
    width = _whole(text, "hidden_size", "n_embd", "d_model", "dim")
    heads = _whole(text, "num_attention_heads", "n_head", "n_heads", "num_heads")
    components = summed(tensors, "model")
    names = {part.name for part in components.parts}
    return Anatomy(
        architecture=_architecture(config),
        layers=_whole(text, "num_hidden_layers", "n_layer", "n_layers", "num_layers"),
        width=width,
        feed_forward_width=_whole(text, "intermediate_size", "n_inner", "ffn_dim", "ffn_hidden_size")
        or _feed_forward_width(tensors, width),
        heads=heads,
        key_value_heads=_whole(text, "num_key_value_heads", "num_kv_heads", "n_head_kv") or heads,
        head_width=_whole(text, "head_dim") or (width // heads if width and heads else None),
        experts=_whole(text, "num_local_experts", "num_experts", "n_routed_experts"),
        experts_per_token=_whole(text, "num_experts_per_tok", "num_experts_per_token"),
        norm=_norm(text),
        activation=_word(
            text.get("hidden_act") or text.get("activation_function") or text.get("hidden_activation")
        ),
        positions=_positions(text, components),
        vocabulary=_whole(text, "vocab_size", "n_vocab"),
        tied=bool(text.get("tie_word_embeddings", True)) and "head" not in names and "embedding" in names,
        context=_whole(text, "max_position_embeddings", "n_positions", "n_ctx", "max_sequence_length"),
        window=_whole(text, "sliding_window") if text.get("use_sliding_window", True) else None,
        quantized_as=_quantized_as(config),
        dtypes=_dtypes(tensors),
        parameters=components.parameters,
        disk_bytes=sum(tensor.size_bytes for tensor in tensors),
        components=components,
        by_layer=layered(tensors),
    )


def _of_gguf(path: Path) -> Anatomy:
    header = read_header(path, path.stem)
    tensors = tuple(Tensor(one.name, one.kind, one.shape, one.size_bytes) for one in header.tensors)
    settings = header.settings
    config = {key: settings.get(f"{header.architecture}.{theirs}") for key, theirs in GGUF_KEYS.items()} | {
        "architectures": [header.architecture],
        "vocab_size": settings.get(f"{header.architecture}.vocab_size", settings.get(GGUF_VOCABULARY)),
    }
    scaling = settings.get(f"{header.architecture}.rope.scaling.type")
    if scaling not in (None, "none"):
        factor = settings.get(f"{header.architecture}.rope.scaling.factor")
        config["rope_scaling"] = {"type": scaling, "factor": factor}
    return describe({key: value for key, value in config.items() if value is not None}, tensors)


def _json(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ModelUnavailable(f"the folder '{path.parent}' has no {path.name}.") from None
    except OSError as problem:
        raise ModelUnavailable(f"'{path}' cannot be read ({problem.strerror}).") from None
    except (ValueError, RecursionError):
        raise ModelUnavailable(f"'{path}' is not valid JSON; download or save the model again.") from None
    if not isinstance(content, dict):
        raise ModelUnavailable(f"'{path}' is not a mapping of settings; download or save the model again.")
    return content


def _without_adapter(tensor: Tensor) -> Tensor:
    """The tensor under the name of the module that it adapts."""
    name = re.sub(r"\.(lora_[AB]|lora_embedding_[AB]|lora_magnitude_vector|ia3_l)\b", "", tensor.name)
    return Tensor(name, tensor.dtype, tensor.shape, tensor.size_bytes)


def _architecture(config: dict[str, Any]) -> str:
    stated = config.get("architectures")
    first = stated[0] if isinstance(stated, list) and stated else None
    return _word(first) or _word(config.get("model_type")) or "not stated"


def _norm(config: dict[str, Any]) -> str | None:
    if any(key in config for key in ("rms_norm_eps", "rms_norm_epsilon")):
        return "RMSNorm"
    if any(key in config for key in ("layer_norm_eps", "layer_norm_epsilon", "norm_epsilon", "norm_eps")):
        return "LayerNorm"
    return None


def _positions(config: dict[str, Any], components: Part) -> str | None:
    """Newer configurations say `rope_parameters`, older ones `rope_theta` and `rope_scaling`."""
    rope = config.get("rope_parameters") or config.get("rope_scaling")
    rope = rope if isinstance(rope, dict) else {}
    base = rope.get("rope_theta") or config.get("rope_theta") or config.get("rotary_emb_base")
    if base or rope:
        words = f"rotary, base {base:,.0f}" if isinstance(base, (int, float)) else "rotary"
        kind, factor = rope.get("rope_type") or rope.get("type"), rope.get("factor")
        if kind and kind != "default":
            words += f", {kind}" + (f" × {factor:g}" if isinstance(factor, (int, float)) else "")
        return words
    if config.get("alibi"):
        return "ALiBi"
    embedding = next((part for part in components.parts if part.name == "embedding"), None)
    if embedding and any(piece.name == "positions" for piece in embedding.parts):
        return "learned"
    return None


def _quantized_as(config: dict[str, Any]) -> str | None:
    stated = config.get("quantization_config")
    return (_word(stated.get("quant_method")) or "quantized") if isinstance(stated, dict) else None


def _dtypes(tensors: tuple[Tensor, ...]) -> tuple[tuple[str, int], ...]:
    held: dict[str, int] = {}
    for tensor in tensors:
        held[tensor.dtype] = held.get(tensor.dtype, 0) + tensor.parameters
    return tuple(sorted(held.items(), key=lambda pair: -pair[1]))


def _feed_forward_width(tensors: tuple[Tensor, ...], width: int | None) -> int | None:
    """Where the configuration leaves it to a default, a matrix that leads out of it tells."""
    for tensor in tensors:
        where = place(tensor.name)
        if (where.component, where.piece) == ("feed-forward", "down") and len(tensor.shape) == 2:
            return next((size for size in tensor.shape if size != width), width)
    return None


def _whole(config: dict[str, Any], *keys: str) -> int | None:
    """The first of the keys that holds a positive whole number."""
    for key in keys:
        found = config.get(key)
        if type(found) is int and found > 0:
            return found
    return None


def _word(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None
