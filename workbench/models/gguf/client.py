"""Asking llama.cpp's server in this process, over the same HTTP as any other server.

{"timings": {"prompt_ms": 4.7, "predicted_ms": 24.3, …}}     in every answer, beside what others send
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from typing import Any

from workbench.core.model import Completion, ModelSpec, Request
from workbench.errors import ModelRefused, PromptTooLong
from workbench.models.chat_response import completion_of
from workbench.models.openai_compatible import OpenAICompatible

FOREVER_S = 86_400.0  # a model of one's own is slow, not lost: nothing is asked twice
# small models that may put blanks anywhere put nothing else
ON_ONE_LINE = {"x-guidance": {"whitespace_flexible": False, "item_separator": ", ", "key_separator": ": "}}
TOO_LONG = "exceed_context_size_error"


class LlamaServerClient(OpenAICompatible):
    """A connection to one server on loopback.

    Args:
        spec: the model's row, for errors.
        address: such as http://127.0.0.1:45831.
        key: what the server wants to hear; other people on this machine do not know it.
    """

    # llama.cpp's server drops a connection after streaming over it, which the next request would meet
    _stream_headers = {"Connection": "close"}

    def __init__(self, spec: ModelSpec, address: str, key: str) -> None:
        super().__init__(spec.model_copy(update={"base_url": f"{address}/v1", "timeout_s": FOREVER_S}))
        self._secret = key

    async def complete(self, request: Request) -> Completion:
        """Answers one request. Raises PromptTooLong, ModelRefused."""
        try:
            body = await self._post({**self._body(request), **self._extra(request)})
        except ModelRefused as problem:
            raise _too_long(problem, self.spec) or problem from None
        completion = completion_of(body, self.spec, request)
        if request.json_schema is not None and completion.finish_reason == "stop":
            self._check_held(completion.text)
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

    def _body(self, request: Request) -> dict[str, Any]:
        body = super()._body(request)
        body.pop("response_format", None)  # said by a grammar, which keeps blanks out of the JSON
        return body

    def _extra(self, request: Request) -> dict[str, Any]:
        """Every sampler by name, in the order of the workbench: llama.cpp's own choice is another one."""
        fields: dict[str, Any] = {"cache_prompt": True, "min_p": 0.0, "repeat_penalty": 1.0}
        if request.json_schema is not None:
            fields["grammar"] = self._grammar(request.json_schema)
        if not request.sampling.temperature:
            return fields | {"samplers": ["top_k"], "top_k": 1}
        nucleus = 1.0 if request.sampling.top_p is None else request.sampling.top_p
        return fields | {"samplers": ["temperature", "top_p"], "top_k": 0, "top_p": nucleus}

    def _grammar(self, schema: Mapping[str, Any]) -> str:
        import xllamacpp

        try:
            return str(xllamacpp.json_schema_to_grammar(json.dumps({**ON_ONE_LINE, **schema})))
        except Exception as problem:  # whatever the library does not like about it
            words = (str(problem).splitlines() or [type(problem).__name__])[0][:200]
            raise self._unheld(words) from None

    def _check_held(self, text: str) -> None:
        """A schema with a part that llama.cpp does not know is left out of account without a word."""
        try:
            json.loads(text)
        except ValueError:
            raise self._unheld("the text that came is no JSON") from None

    def _unheld(self, why: str) -> ModelRefused:
        return ModelRefused(
            f"llama.cpp cannot hold the answer to this JSON schema ({why}); make the schema simpler.",
            self.spec.name,
            self.spec.provider,
        )


def _too_long(problem: ModelRefused, spec: ModelSpec) -> PromptTooLong | None:
    body = getattr(problem.original, "body", None)
    if not isinstance(body, dict) or body.get("type") != TOO_LONG:
        return None
    return PromptTooLong(
        f"The messages are {body.get('n_prompt_tokens', 0):,} tokens for model '{spec.name}', whose context "
        f"holds {body.get('n_ctx', 0):,} with the answer; use fewer or shorter examples, or state a larger "
        "`context` in its row where the model has one."
    )
