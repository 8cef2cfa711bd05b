"""`transformers.generate` as a script would use it: prompts sorted by length, padded to batches."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any


class Contender:
    """Settings: `batch`, the rows of one call."""

    def __init__(self, folder: str, settings: dict[str, Any]) -> None:
        import torch
        from transformers import AutoModelForCausalLM, AutoTokenizer

        torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
        self._batch: int = settings.get("batch", 32)
        self._tokenizer: Any = AutoTokenizer.from_pretrained(folder, padding_side="left")
        self._network: Any = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
        self.note = f"padded batches of {self._batch}, sorted by length"

    def answer(self, prompts: Sequence[Sequence[dict[str, str]]], max_tokens: int) -> list[str]:
        """One text a prompt, in their order."""
        import torch

        texts = [
            self._tokenizer.apply_chat_template(list(messages), tokenize=False, add_generation_prompt=True)
            for messages in prompts
        ]
        lengths = [len(ids) for ids in self._tokenizer(texts, add_special_tokens=False)["input_ids"]]
        order = sorted(range(len(texts)), key=lengths.__getitem__)
        found = [""] * len(texts)
        for start in range(0, len(order), self._batch):
            chosen = order[start : start + self._batch]
            inputs = self._tokenizer(
                [texts[index] for index in chosen],
                add_special_tokens=False,
                padding=True,
                return_tensors="pt",
                return_token_type_ids=False,
            )
            with torch.inference_mode():
                out = self._network.generate(**inputs, max_new_tokens=max_tokens, do_sample=False)
            answers = self._tokenizer.batch_decode(
                out[:, inputs["input_ids"].shape[1] :], skip_special_tokens=True
            )
            for index, text in zip(chosen, answers, strict=True):
                found[index] = text
        return found

    def close(self) -> None:
        """Nothing to do: the process ends."""
