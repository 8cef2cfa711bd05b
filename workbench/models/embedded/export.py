"""Turns a trained network into a folder that stock `transformers` loads."""

from __future__ import annotations

from pathlib import Path

import torch
from tokenizers import Tokenizer
from transformers import GenerationConfig, LlamaConfig, LlamaForCausalLM

from workbench.models.embedded.generator.chat import BOS, END, PAD
from workbench.models.embedded.network import EPSILON, ROPE_THETA, Network, Size
from workbench.models.embedded.tokenizer import CONTEXT_TOKENS, load_tokenizer, save_for_transformers
from workbench.models.embedded.training import CHECKPOINT

PARITY_TOLERANCE = 1e-3


class ExportMismatch(RuntimeError):
    """The exported model does not compute what the trained network computes."""


def load_network(folder: Path) -> Network:
    """The network of a training folder's checkpoint."""
    state = torch.load(folder / CHECKPOINT, weights_only=True)
    network = Network(Size(**state["size"]))
    network.load_state_dict(state["network"])
    return network.eval()


def as_llama(network: Network, tokenizer: Tokenizer) -> LlamaForCausalLM:
    """The same weights under the names that `LlamaForCausalLM` gives them."""
    size = network.size
    special = {
        "bos_token_id": tokenizer.token_to_id(BOS),
        "eos_token_id": tokenizer.token_to_id(END),
        "pad_token_id": tokenizer.token_to_id(PAD),
    }
    config = LlamaConfig(
        vocab_size=size.vocabulary,
        hidden_size=size.width,
        num_hidden_layers=size.layers,
        num_attention_heads=size.heads,
        num_key_value_heads=size.heads,
        intermediate_size=size.feed_forward,
        max_position_embeddings=CONTEXT_TOKENS,
        rms_norm_eps=EPSILON,
        rope_parameters={"rope_type": "default", "rope_theta": ROPE_THETA},
        tie_word_embeddings=True,
        **special,
    )
    model = LlamaForCausalLM(config)
    model.load_state_dict(_renamed(network), strict=True)
    model.generation_config = GenerationConfig(**special)
    return model.eval()


def _renamed(network: Network) -> dict[str, torch.Tensor]:
    tensors = {
        "model.embed_tokens.weight": network.embedding.weight,
        "lm_head.weight": network.embedding.weight,
        "model.norm.weight": network.final_norm.weight,
    }
    for index, block in enumerate(network.blocks):
        prefix = f"model.layers.{index}."
        query, key, value = block.query_key_value.weight.chunk(3, 0)
        gate, up = block.gate_up.weight.chunk(2, 0)
        tensors |= {
            prefix + "self_attn.q_proj.weight": query,
            prefix + "self_attn.k_proj.weight": key,
            prefix + "self_attn.v_proj.weight": value,
            prefix + "self_attn.o_proj.weight": block.attention_output.weight,
            prefix + "mlp.gate_proj.weight": gate,
            prefix + "mlp.up_proj.weight": up,
            prefix + "mlp.down_proj.weight": block.down.weight,
            prefix + "input_layernorm.weight": block.attention_norm.weight,
            prefix + "post_attention_layernorm.weight": block.feed_forward_norm.weight,
        }
    return {name: tensor.detach().clone() for name, tensor in tensors.items()}


@torch.no_grad()
def largest_difference(network: Network, model: LlamaForCausalLM, ids: list[int]) -> float:
    """The largest difference between the two models' logits on one text."""
    batch = torch.tensor([ids])
    return float((model(batch).logits - network.logits(network.hidden(batch))).abs().max())


def export(training_folder: Path, tokenizer_path: Path, target: Path) -> float:
    """Writes weights, tokenizer and configuration to `target`; returns the largest logit difference."""
    tokenizer = load_tokenizer(tokenizer_path)
    network = load_network(training_folder)
    model = as_llama(network, tokenizer)
    sample = f"{BOS}<|user|> Ann has 17 apples. She buys 5 more. How many apples are left?{END}<|assistant|>"
    difference = largest_difference(network, model, tokenizer.encode(sample).ids)
    if difference > PARITY_TOLERANCE:
        raise ExportMismatch(f"logits differ by {difference:.2e}")
    target.mkdir(parents=True, exist_ok=True)
    model.save_pretrained(target)
    (target / "model.safetensors").chmod(0o644)  # it is written readable by its owner alone
    save_for_transformers(tokenizer_path, target)
    return difference
