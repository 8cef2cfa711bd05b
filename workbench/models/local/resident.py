"""Loaded models of this process: each (folder, quantization) is in memory once, however many use it."""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workbench.errors import ModelUnavailable
from workbench.models.local.chat import ChatTokenizer
from workbench.models.local.quantization import quantized, weights_dtype
from workbench.models.local.weights import require_safetensors, weights_stamp

CACHE_BYTES = 2**30
DEFAULT_THREADS = max(1, (os.cpu_count() or 2) // 2)


@dataclass(eq=False)
class Resident:
    """A model in memory with its decoding thread."""

    chat: ChatTokenizer
    batcher: Any
    context: int | None
    device: str
    end_ids: set[int]
    users: int = 0


_Key = tuple[str, Any, str]
_RESIDENTS: dict[_Key, Resident] = {}
_LOCKS: dict[_Key, threading.Lock] = {}
_LOCK = threading.Lock()


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


def thread_count() -> int:
    """Threads an operation may use: WORKBENCH_THREADS, else half the processors."""
    stated = os.environ.get("WORKBENCH_THREADS", "")
    return max(1, int(stated)) if stated.isdigit() else DEFAULT_THREADS


class Lease:
    """One user's hold on a resident model. The last one to let go frees its memory."""

    def __init__(self, folder: Path, quantization: str, name: str, largest_batch: int) -> None:
        self._key = (str(folder.resolve()), weights_stamp(folder), quantization)
        with _LOCK:
            lock = _LOCKS.setdefault(self._key, threading.Lock())
        with lock:  # a second user waits for the first one's loading instead of loading again
            if self._key not in _RESIDENTS:
                _RESIDENTS[self._key] = _load(folder, quantization, name, largest_batch)
            self.resident = _RESIDENTS[self._key]
            self.resident.users += 1
            batcher = self.resident.batcher
            batcher.largest_batch = max(batcher.largest_batch, largest_batch)
        self._held = True

    def release(self) -> None:
        """Lets go; a second call does nothing."""
        if not self._held:
            return
        self._held = False
        with _LOCKS[self._key]:
            self.resident.users -= 1
            if self.resident.users == 0:
                del _RESIDENTS[self._key]
                self.resident.batcher.close()


def _load(folder: Path, quantization: str, name: str, largest_batch: int) -> Resident:
    from transformers import AutoModelForCausalLM
    from transformers.utils import logging

    from workbench.models.local.batching import Batcher
    from workbench.models.local.decoding import Decoder

    logging.set_verbosity_error()
    logging.disable_progress_bar()
    require_safetensors(folder, name)
    chat = ChatTokenizer(folder, name)
    device = device_name(quantization)
    try:
        network = AutoModelForCausalLM.from_pretrained(
            folder,
            dtype=weights_dtype(quantization),
            use_safetensors=True,
            trust_remote_code=False,
            local_files_only=True,
        )
        network = quantized(network.eval().to(device), quantization)
    except Exception as problem:  # a broken file, an unknown architecture, too little memory …
        words = (str(problem).splitlines() or [type(problem).__name__])[0][:200]
        raise ModelUnavailable(f"cannot be loaded ({words}).", name, "transformers", problem) from None
    stated = getattr(network.generation_config, "eos_token_id", None)
    ends = set(stated) if isinstance(stated, list) else ({stated} if stated is not None else set())
    end_ids = chat.end_ids | {int(end) for end in ends}
    config = network.config.get_text_config()
    batcher = Batcher(
        Decoder(network, end_ids, chat.padding_id),
        largest_batch,
        max(2048, CACHE_BYTES // _bytes_per_token(config, quantization)),
        thread_count(),
    )
    return Resident(chat, batcher, getattr(config, "max_position_embeddings", None), device, end_ids)


def _bytes_per_token(config: Any, quantization: str) -> int:
    heads = getattr(config, "num_key_value_heads", None) or config.num_attention_heads
    width = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    return 2 * int(config.num_hidden_layers) * int(heads) * int(width) * (2 if quantization == "bf16" else 4)
