"""lm-evaluation-harness's `hf` backend: its `generate_until` over the same chat-templated prompts.

Only the backend is timed, not the building of its tasks and not the search for the batch size, which `auto`
repeats at every call: it is made once, before.
"""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from typing import Any


class Contender:
    """Settings: `batch`, "auto" or a number."""

    def __init__(self, folder: str, settings: dict[str, Any]) -> None:
        import lm_eval  # type: ignore[import-not-found]
        import torch
        from lm_eval.models.huggingface import HFLM  # type: ignore[import-not-found]

        torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
        batch = settings.get("batch", "auto")
        self._backend: Any = HFLM(pretrained=folder, device="cpu", dtype="float32", batch_size=batch)
        self.note = f"lm_eval {lm_eval.__version__}, batch {batch}"
        if batch == "auto":
            started = time.perf_counter()
            found = self._backend._detect_batch_size()
            self.note += f" (found {found} in {time.perf_counter() - started:.0f} s, not counted)"
            self._backend._detect_batch_size = lambda *_, **__: found

    def answer(self, prompts: Sequence[Sequence[dict[str, str]]], max_tokens: int) -> list[str]:
        """One text a prompt."""
        from lm_eval.api.instance import Instance  # type: ignore[import-not-found]

        settings = {"do_sample": False, "max_gen_toks": max_tokens, "until": []}
        asked = [
            Instance(
                request_type="generate_until",
                doc={},
                arguments=(self._backend.apply_chat_template(list(messages)), settings),
                idx=0,
            )
            for messages in prompts
        ]
        texts: list[str] = self._backend.generate_until(asked, disable_tqdm=True)
        return texts

    def close(self) -> None:
        """Nothing to do: the process ends."""
