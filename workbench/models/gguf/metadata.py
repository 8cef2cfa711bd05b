"""What a GGUF file says of its model beside the weights: its sizes, its rotary embedding, its vocabulary.

llama.block_count = 6   llama.rope.freq_base = 10000.0   tokenizer.ggml.tokens = ["<|system|>", …]
"""

from __future__ import annotations

import math
from typing import Any

from workbench.errors import ModelUnavailable
from workbench.models.gguf.quantizations import GgufQuantization
from workbench.models.gguf.vocabulary import Vocabulary


def add_model(writer: Any, config: dict[str, Any], held: GgufQuantization, model: str) -> None:
    """Adds the model's name and sizes, and how its positions are told."""
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


def rotary_factors(config: dict[str, Any], model: str) -> Any:
    """What each rotary frequency is divided by (Llama 3's stretched context); None where nothing is.

    Raises ModelUnavailable for a rotary embedding that llama.cpp does not know.
    """
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


def add_vocabulary(writer: Any, vocabulary: Vocabulary) -> None:
    """Adds the tokens, how text is split into them, and the chat template."""
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


def _rope(config: dict[str, Any]) -> dict[str, Any]:
    """The settings of rotary embedding, wherever this version of transformers wrote them."""
    stated = config.get("rope_parameters") or config.get("rope_scaling") or {}
    kind = stated.get("rope_type") or stated.get("type") or "default"
    theta = stated.get("rope_theta") or config.get("rope_theta")
    return {**stated, "rope_type": kind, "rope_theta": theta}
