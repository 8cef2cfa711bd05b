"""What a model in training says to fixed prompts, likeliest token by likeliest token."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

from workbench.core.model import ChatMessage
from workbench.models.local.chat import ChatTokenizer


def answers(
    network: Any, chat: ChatTokenizer, samples: Sequence[Sequence[ChatMessage]], tokens: int
) -> list[str]:
    """One answer a prompt, of at most that many tokens; the network is left in the mode it was in."""
    if not samples:
        return []
    import torch

    network = getattr(network, "module", network)  # several processes wrap it
    prompts = [chat.encode(messages) for messages in samples]
    context = getattr(network.config.get_text_config(), "max_position_embeddings", None)
    if context is not None:
        prompts = [prompt[-max(1, context - tokens) :] for prompt in prompts]
    # virtual tokens stand before what fills a batch up, and would be too far away from the prompt
    alone = bool(getattr(getattr(network, "active_peft_config", None), "is_prompt_learning", False))
    was_training = network.training
    network.eval()  # with activations that are computed anew, texts of the other mode are garbage
    try:
        with torch.no_grad(), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of peft, about positions
            batches = [[one] for one in prompts] if alone else [prompts]
            return [text for batch in batches for text in _said(network, chat, batch, tokens)]
    finally:
        network.train(was_training)


def _said(network: Any, chat: ChatTokenizer, prompts: list[tuple[int, ...]], tokens: int) -> list[str]:
    import torch

    longest = max(map(len, prompts))
    padding = chat.padding_id
    device = next(network.parameters()).device
    ids = [[padding] * (longest - len(one)) + list(one) for one in prompts]
    mask = [[0] * (longest - len(one)) + [1] * len(one) for one in prompts]
    found = network.generate(
        input_ids=torch.tensor(ids, device=device),
        attention_mask=torch.tensor(mask, device=device),
        max_new_tokens=tokens,
        do_sample=False,
        temperature=None,
        top_p=None,
        top_k=None,
        use_cache=True,
        pad_token_id=padding,
        eos_token_id=sorted(_ends(network, chat)) or None,
    )
    return [chat.decode(row[longest:].tolist()).strip() for row in found]


def _ends(network: Any, chat: ChatTokenizer) -> set[int]:
    stated = getattr(network.generation_config, "eos_token_id", None)
    more = stated if isinstance(stated, list) else [stated]
    return chat.end_ids | {int(end) for end in more if end is not None}
