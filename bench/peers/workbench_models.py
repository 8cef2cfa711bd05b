"""The workbench's own local models, asked the way the engine asks them: many `complete()` calls in flight."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from workbench.core.model import Completion, Model, ModelSpec, Request
from workbench.core.prompt import Sampling
from workbench.models.registry import find_provider

IN_FLIGHT = 64


def local_model(
    folder: str, provider: str = "transformers", in_flight: int = IN_FLIGHT, **fields: Any
) -> Model:
    """A model that nobody else has opened. Loads nothing yet."""
    spec = ModelSpec(name="bench", provider=provider, model=folder, concurrency=in_flight, **fields)
    return find_provider(provider)(spec)


async def complete_all(model: Model, requests: Sequence[Request]) -> list[Completion]:
    """Every request's completion, with as many in flight as the model takes."""
    places = asyncio.Semaphore(model.concurrency)

    async def one(request: Request) -> Completion:
        async with places:
            return await model.complete(request)

    return list(await asyncio.gather(*map(one, requests)))


class Contender:
    """Settings: `provider`, `quantization`, `in_flight`."""

    def __init__(self, folder: str, settings: dict[str, Any]) -> None:
        self._loop = asyncio.new_event_loop()
        self._model = local_model(folder, **settings)
        self.note = f"{self._model.concurrency} in flight"

    def answer(self, prompts: Sequence[Sequence[dict[str, str]]], max_tokens: int) -> list[str]:
        """One text a prompt."""
        sampling = Sampling(temperature=0.0, max_tokens=max_tokens, seed=1)
        asked = [Request(tuple(messages), sampling) for messages in prompts]
        found = self._loop.run_until_complete(complete_all(self._model, asked))
        short = sum(one.completion_tokens != max_tokens for one in found)
        if short:
            raise RuntimeError(f"{short} of {len(found)} answers do not have {max_tokens} tokens")
        return [one.text for one in found]

    def close(self) -> None:
        """Frees the model."""
        self._loop.run_until_complete(self._model.close())
