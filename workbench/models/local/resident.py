"""Loaded models of this process: what equal rows want is in memory once, however many use it."""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass
from typing import Any

from workbench.models.local.chat import ChatTokenizer
from workbench.models.local.loading import Wanted, load

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


_Key = tuple[Any, ...]
_RESIDENTS: dict[_Key, Resident] = {}
_LOCKS: dict[_Key, threading.Lock] = {}
_LOCK = threading.Lock()


def thread_count() -> int:
    """Threads an operation may use: WORKBENCH_THREADS, else half the processors."""
    stated = os.environ.get("WORKBENCH_THREADS", "")
    return max(1, int(stated)) if stated.isdigit() else DEFAULT_THREADS


class Lease:
    """One user's hold on a resident model. The last one to let go frees its memory."""

    def __init__(self, wanted: Wanted, largest_batch: int) -> None:
        self._key = wanted.key()
        with _LOCK:
            lock = _LOCKS.setdefault(self._key, threading.Lock())
        with lock:  # a second user waits for the first one's loading instead of loading again
            if self._key not in _RESIDENTS:
                _RESIDENTS[self._key] = _resident(wanted, largest_batch)
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


def _resident(wanted: Wanted, largest_batch: int) -> Resident:
    from workbench.models.local.batching import Batcher
    from workbench.models.local.decoding import Decoder

    loaded = load(wanted)
    config = loaded.network.config.get_text_config()
    batcher = Batcher(
        Decoder(loaded.network, loaded.end_ids, loaded.chat.padding_id),
        largest_batch,
        max(2048, CACHE_BYTES // _bytes_per_token(config, wanted.quantization)),
        thread_count(),
    )
    return Resident(loaded.chat, batcher, loaded.context, loaded.device, loaded.end_ids)


def _bytes_per_token(config: Any, quantization: str) -> int:
    heads = getattr(config, "num_key_value_heads", None) or config.num_attention_heads
    width = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    return 2 * int(config.num_hidden_layers) * int(heads) * int(width) * (2 if quantization == "bf16" else 4)
