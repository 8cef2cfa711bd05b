"""Batched generation with an exported model, as the evaluation needs it."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn
from transformers import AutoModelForCausalLM, AutoTokenizer

Messages = list[dict[str, str]]
PRECISIONS = ("fp32", "int8")


@dataclass
class Completer:
    """A loaded model that answers lists of chat messages."""

    folder: Path
    precision: str = "fp32"
    batch_size: int = 48
    max_new_tokens: int = 160

    def __post_init__(self) -> None:
        self.tokenizer = AutoTokenizer.from_pretrained(self.folder)
        model = AutoModelForCausalLM.from_pretrained(self.folder, dtype=torch.float32).eval()
        if self.precision == "int8":
            model = torch.ao.quantization.quantize_dynamic(model, {nn.Linear}, dtype=torch.qint8)
        self.model = model

    @torch.inference_mode()
    def complete(
        self, prompts: list[Messages], temperature: float = 0.0, samples: int = 1, seed: int = 0
    ) -> list[list[str]]:
        """`samples` texts for every prompt; prompts of similar length share a batch."""
        torch.manual_seed(seed)
        texts = [
            self.tokenizer.apply_chat_template(prompt, tokenize=False, add_generation_prompt=True)
            for prompt in prompts
        ]
        order = sorted(range(len(texts)), key=lambda index: len(texts[index]))
        size = max(1, self.batch_size // samples) if samples > 1 else self.batch_size
        results: list[list[str]] = [[] for _ in texts]
        for first in range(0, len(order), size):
            chosen = order[first : first + size]
            told = self._batch([texts[index] for index in chosen], temperature, samples)
            for place, index in enumerate(chosen):
                results[index] = told[place * samples : (place + 1) * samples]
        return results

    @torch.inference_mode()
    def seconds_for(self, prompts: list[Messages], new_tokens: int) -> float:
        """Wall time of one batch that writes exactly `new_tokens` tokens for every prompt."""
        texts = [
            self.tokenizer.apply_chat_template(prompt, tokenize=False, add_generation_prompt=True)
            for prompt in prompts
        ]
        encoded = self.tokenizer(
            texts, return_tensors="pt", padding=True, padding_side="left", add_special_tokens=False
        )
        started = time.perf_counter()
        self.model.generate(
            input_ids=encoded["input_ids"],
            attention_mask=encoded["attention_mask"],
            do_sample=False,
            min_new_tokens=new_tokens,
            max_new_tokens=new_tokens,
        )
        return time.perf_counter() - started

    def _batch(self, texts: list[str], temperature: float, samples: int) -> list[str]:
        encoded = self.tokenizer(
            texts, return_tensors="pt", padding=True, padding_side="left", add_special_tokens=False
        )
        sampling = {"do_sample": True, "temperature": temperature, "top_k": 0, "top_p": 1.0}
        generated = self.model.generate(
            input_ids=encoded["input_ids"],
            attention_mask=encoded["attention_mask"],
            max_new_tokens=self.max_new_tokens,
            num_return_sequences=samples,
            **(sampling if temperature > 0 else {"do_sample": False}),
        )
        new = generated[:, encoded["input_ids"].shape[1] :]
        return [text.strip() for text in self.tokenizer.batch_decode(new, skip_special_tokens=True)]
