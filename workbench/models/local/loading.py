"""Reading a model's files into memory, as its row says: which weights, held how, on which device.

Wanted(folder, "int8", "mine")  ->  Loaded(network, chat, device="cpu", end_ids={2}, context=2048)
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workbench.errors import ModelUnavailable
from workbench.models.local.chat import ChatTokenizer
from workbench.models.local.quantization import quantized, weights_dtype
from workbench.models.local.weights import require_safetensors, weights_stamp


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a row asks for, its folders found."""

    folder: Path
    quantization: str
    name: str
    """The model's name in errors."""
    adapter: Path | None = None
    chat_template: str | None = None
    device: str | None = None

    def key(self) -> tuple[Any, ...]:
        """Equal for rows that can share one loaded model; changes when a weights file was replaced."""
        adapter = (str(self.adapter.resolve()), weights_stamp(self.adapter)) if self.adapter else None
        held = (self.quantization, adapter, self.chat_template, self.device)
        return (str(self.folder.resolve()), weights_stamp(self.folder), *held)


@dataclass(frozen=True, slots=True)
class Loaded:
    """A model in memory, ready to decode."""

    network: Any
    chat: ChatTokenizer
    device: str
    end_ids: set[int]
    """Tokens that end an answer."""
    context: int | None


def device_name(quantization: str) -> str:
    """Where a model is put: `cuda`, `mps` or `cpu`; WORKBENCH_DEVICE overrides. int8 needs the CPU."""
    import torch

    if quantization == "int8":
        return "cpu"
    asked = os.environ.get("WORKBENCH_DEVICE")
    if asked:
        return asked
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"


def load(wanted: Wanted) -> Loaded:
    """Reads tokenizer and weights. Raises ModelUnavailable."""
    from transformers import AutoModelForCausalLM
    from transformers.utils import logging

    logging.set_verbosity_error()
    logging.disable_progress_bar()
    require_safetensors(wanted.folder, wanted.name)
    chat = ChatTokenizer(wanted.folder, wanted.name)
    device = device_name(wanted.quantization)
    try:
        network = AutoModelForCausalLM.from_pretrained(
            wanted.folder,
            dtype=weights_dtype(wanted.quantization),
            use_safetensors=True,
            trust_remote_code=False,
            local_files_only=True,
        )
        network = quantized(network.eval().to(device), wanted.quantization)
    except Exception as problem:  # a broken file, an unknown architecture, too little memory …
        words = (str(problem).splitlines() or [type(problem).__name__])[0][:200]
        raise ModelUnavailable(f"cannot be loaded ({words}).", wanted.name, "transformers", problem) from None
    stated = getattr(network.generation_config, "eos_token_id", None)
    ends = set(stated) if isinstance(stated, list) else ({stated} if stated is not None else set())
    config = network.config.get_text_config()
    return Loaded(
        network,
        chat,
        device,
        chat.end_ids | {int(end) for end in ends},
        getattr(config, "max_position_embeddings", None),
    )
