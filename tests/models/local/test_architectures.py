"""Architectures that attend in different ways all answer in a batch what `generate` answers alone."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from tests.models.tiny import tiny_model
from workbench.core.model import Completion, ModelSpec, Request
from workbench.core.prompt import Sampling
from workbench.models.transformers_local import TransformersModel

SIZES = {
    "vocab_size": 320,
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 512,
    "eos_token_id": 2,
    "bos_token_id": 1,
    "pad_token_id": 0,
    "initializer_range": 0.4,
}
ARCHITECTURES: dict[str, dict[str, Any]] = {
    "Qwen3": {"head_dim": 8},
    "Mistral": {"sliding_window": 16},
    "Gemma2": {"head_dim": 8, "sliding_window": 16, "tie_word_embeddings": False},
    "Gemma3Text": {"head_dim": 8, "sliding_window": 16, "tie_word_embeddings": False},
    "GptOss": {"head_dim": 8, "sliding_window": 16, "num_local_experts": 2, "num_experts_per_tok": 1},
    "Mixtral": {"num_local_experts": 2, "num_experts_per_tok": 1},
    "GPTNeoX": {},
    "Falcon": {"alibi": False},
    "Phi3": {},
}
EXAMPLES = "The answer is 42 because six times seven is forty-two. " * 4
NEW_TOKENS = 12


def written(folder: Path, kind: str) -> Path:
    """A tiny model of the architecture, with the tokenizer of the others."""
    import torch
    import transformers

    tiny_model(folder)
    (folder / "model.safetensors").unlink()
    torch.manual_seed(3)
    config = getattr(transformers, f"{kind}Config")(**(SIZES | ARCHITECTURES[kind]))
    getattr(transformers, f"{kind.removesuffix('Text')}ForCausalLM")(config).save_pretrained(folder)
    return folder


@pytest.mark.parametrize("kind", ARCHITECTURES)
def test_a_batch_with_shared_beginnings_answers_as_generate_does(kind: str, tmp_path: Path) -> None:
    import torch
    from transformers import AutoModelForCausalLM

    folder = written(tmp_path / kind, kind)
    requests = [
        Request(
            ({"role": "user", "content": EXAMPLES + f"{at * 37 % 101} manzanas {'x' * (at % 5)}"},),
            Sampling(temperature=0.0, max_tokens=NEW_TOKENS, seed=0),
        )
        for at in range(9)
    ]

    async def work() -> tuple[list[Completion], list[str]]:
        model = TransformersModel(ModelSpec(name=kind, provider="transformers", model=str(folder)))
        try:
            found = [*await asyncio.gather(*map(model.complete, requests))]
            found += await asyncio.gather(*map(model.complete, requests))  # now out of the tree
            assert model._lease is not None
            chat, ends = model._lease.resident.chat, model._lease.resident.end_ids
        finally:
            await model.close()
        network, texts = AutoModelForCausalLM.from_pretrained(folder).eval(), []
        for request in requests:
            prompt = torch.tensor([chat.encode(request.messages)])
            out = network.generate(
                input_ids=prompt,
                attention_mask=torch.ones_like(prompt),
                max_new_tokens=NEW_TOKENS,
                do_sample=False,
            )
            new = [token for token in out[0, prompt.shape[1] :].tolist() if token not in ends]
            texts.append(chat.decode(new).lstrip())
        return found, texts

    found, texts = asyncio.run(work())
    assert [completion.text for completion in found] == texts * 2
    assert len(set(texts)) > 1
    assert all(completion.cached_tokens > 50 for completion in found[9:])
