"""llama.cpp's own server with its prompt cache, asked over HTTP, as many at once as it has slots."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from typing import Any

import aiohttp


class Contender:
    """`folder` is the GGUF file. Settings: `slots`, `context` (tokens of one slot)."""

    def __init__(self, folder: str, settings: dict[str, Any]) -> None:
        import xllamacpp  # type: ignore[import-untyped]

        self._slots: int = settings.get("slots", 8)
        parameters: Any = xllamacpp.CommonParams()
        parameters.model.path = folder
        parameters.n_parallel = self._slots
        parameters.n_ctx = self._slots * settings.get("context", 1024)
        parameters.cache_prompt = True
        for threads in (parameters.cpuparams, parameters.cpuparams_batch):
            threads.n_threads = int(os.environ["OMP_NUM_THREADS"])
        self._server = xllamacpp.Server(parameters)
        self.note = f"llama.cpp's server, {self._slots} slots"

    def answer(self, prompts: Sequence[Sequence[dict[str, str]]], max_tokens: int) -> list[str]:
        """One text a prompt."""
        return asyncio.run(self._all(prompts, max_tokens))

    async def _all(self, prompts: Sequence[Sequence[dict[str, str]]], max_tokens: int) -> list[str]:
        places = asyncio.Semaphore(self._slots)
        address = f"{self._server.listening_address}/v1/chat/completions"
        settings = {"temperature": 0.0, "max_tokens": max_tokens, "cache_prompt": True}

        async def one(client: aiohttp.ClientSession, messages: Sequence[dict[str, str]]) -> str:
            async with places, client.post(address, json={"messages": messages, **settings}) as response:
                response.raise_for_status()
                found = await response.json()
            count = found["usage"]["completion_tokens"]
            if count != max_tokens:
                raise RuntimeError(f"an answer has {count} tokens, not {max_tokens}")
            return str(found["choices"][0]["message"]["content"])

        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=None)) as client:
            return list(await asyncio.gather(*(one(client, messages) for messages in prompts)))

    def close(self) -> None:
        """Nothing to do: the process ends."""
