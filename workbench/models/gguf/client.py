"""Asking llama.cpp's server in this process, over the same HTTP as any other server.

{"timings": {"prompt_ms": 4.7, "predicted_ms": 24.3, …}}     in every answer, beside what others send
"""

from __future__ import annotations

import dataclasses
import json
from typing import Any

from workbench.core.model import Completion, ModelSpec, Request
from workbench.errors import ModelRefused, PromptTooLong
from workbench.models.chat_response import completion_of
from workbench.models.openai_compatible import OpenAICompatible

FOREVER_S = 86_400.0  # a model of one's own is slow, not lost: nothing is asked twice
TOO_LONG = "exceed_context_size_error"


class LlamaServerClient(OpenAICompatible):
    """A connection to one server on loopback.

    Args:
        spec: the model's row, for errors.
        address: such as http://127.0.0.1:45831.
        key: what the server wants to hear; other people on this machine do not know it.
    """

    def __init__(self, spec: ModelSpec, address: str, key: str) -> None:
        super().__init__(
            spec.model_copy(update={"base_url": f"{address}/v1", "timeout_s": FOREVER_S, "retries": 0})
        )
        self._secret = key

    async def complete(self, request: Request) -> Completion:
        """Answers one request. Raises PromptTooLong, ModelRefused."""
        try:
            body = await self._post({**self._body(request), **self._extra(request)})
        except ModelRefused as problem:
            raise _too_long(problem, self.spec) or problem from None
        completion = completion_of(body, self.spec, request.logprobs)
        timings = json.loads(body).get("timings") or {}
        first_s, rest_s = (float(timings.get(key) or 0) / 1000 for key in ("prompt_ms", "predicted_ms"))
        return dataclasses.replace(
            completion,
            text=completion.text.lstrip(),  # a blank that only parts the answer from the template
            latency_s=first_s + rest_s,
            first_token_s=first_s,
        )

    def _key(self) -> str:
        return self._secret

    def _extra(self, request: Request) -> dict[str, Any]:
        """Every sampler by name, in the order of the workbench: llama.cpp's own choice is another one."""
        shared = {"cache_prompt": True, "min_p": 0.0, "repeat_penalty": 1.0}
        if not request.sampling.temperature:
            return shared | {"samplers": ["top_k"], "top_k": 1}
        nucleus = 1.0 if request.sampling.top_p is None else request.sampling.top_p
        return shared | {"samplers": ["temperature", "top_p"], "top_k": 0, "top_p": nucleus}


def _too_long(problem: ModelRefused, spec: ModelSpec) -> PromptTooLong | None:
    body = getattr(problem.original, "body", None)
    if not isinstance(body, dict) or body.get("type") != TOO_LONG:
        return None
    return PromptTooLong(
        f"The messages are {body.get('n_prompt_tokens', 0):,} tokens for model '{spec.name}', whose context "
        f"holds {body.get('n_ctx', 0):,} with the answer; use fewer or shorter examples, or state a larger "
        "`context` in its row where the model has one."
    )
