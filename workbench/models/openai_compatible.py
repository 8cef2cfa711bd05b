"""Models behind an OpenAI-compatible address: OpenAI, OpenRouter, vLLM, Ollama, llama.cpp's server …

    {"choices": [{"message": {"content": "Answer: 42"}, "finish_reason": "stop", "logprobs": null}],
     "usage": {"prompt_tokens": 50, "completion_tokens": 4, "prompt_tokens_details": {"cached_tokens": 0}}}

Requests go through the `openai` package, which retries; its response objects are left out, because
building them costs more than everything else in a call.
"""

from __future__ import annotations

import asyncio
import json
import os
import time
import weakref
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from workbench.core.model import ChatMessage, Completion, ModelSpec, Request
from workbench.errors import ModelError, ModelRefused, ModelUnavailable
from workbench.models.chat_response import completion_of, piece_of
from workbench.models.registry import ModelCheck, provider

OPENAI_URL = "https://api.openai.com/v1"
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
NO_KEY = "no-key-needed"
DEFAULT_CONCURRENCY = 32
CHARACTERS_PER_TOKEN = 4
TOKENS_PER_MESSAGE = 4
REDACTED = "[key]"


@provider("openai")
class OpenAICompatible:
    """One row with `provider: openai`. Safe to use from several event loops, one after the other."""

    _stream_headers: Mapping[str, str] = {}

    def __init__(self, spec: ModelSpec) -> None:
        self.spec = spec
        self.local = False
        self.concurrency = spec.concurrency or DEFAULT_CONCURRENCY
        self.context = spec.context
        self._base_url = spec.base_url or OPENAI_URL
        self._limit_key = "max_tokens" if spec.base_url else "max_completion_tokens"
        # connections belong to the event loop that made them
        self._clients: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, Any] = weakref.WeakKeyDictionary()

    @staticmethod
    def check(spec: ModelSpec) -> ModelCheck:
        """Whether the address is one and the key's variable is set. Calls nothing."""
        try:
            _key(spec)
        except ModelUnavailable as problem:
            return ModelCheck(False, problem.problem)
        if spec.quantization:
            return ModelCheck(False, "`quantization` is for local models; a server decides its own.")
        where = spec.base_url or OPENAI_URL
        if urlsplit(where).scheme not in ("http", "https"):
            return ModelCheck(False, f"`base_url: {where}` is not an http or https address.")
        held = f"key from {spec.key}" if spec.key and os.environ.get(spec.key) else "no key"
        return ModelCheck(True, f"Asks {urlsplit(where).netloc} ({held}).")

    async def complete(self, request: Request) -> Completion:
        """Answers one request, retrying what may pass: 429, 5xx, timeouts and lost connections."""
        started = time.perf_counter()
        body = await self._post({**self._body(request), **self._extra(request)})
        return completion_of(body, self.spec, request, time.perf_counter() - started)

    async def stream(self, request: Request) -> AsyncIterator[str]:
        """Pieces of text as the server sends them."""
        import openai

        key = self._key()
        body = {**self._body(request), "stream": True}
        for unseen in ("logprobs", "top_logprobs"):
            body.pop(unseen, None)
        more = {"extra_body": self._extra(request), "extra_headers": self._stream_headers}
        try:
            async with await self._client().chat.completions.create(**body, **more) as chunks:
                async for chunk in chunks:
                    piece = piece_of(chunk)
                    if piece:
                        yield piece.replace(key, REDACTED)
        except (openai.OpenAIError, json.JSONDecodeError) as problem:
            raise self._explained(problem, key) from None

    def count_tokens(self, messages: Sequence[ChatMessage]) -> int:
        """An estimate: four characters to a token, and four tokens for what wraps a message."""
        characters = sum(len(message["content"]) for message in messages)
        return -(-characters // CHARACTERS_PER_TOKEN) + TOKENS_PER_MESSAGE * len(messages)

    def identity(self) -> str:
        """Hash of address and model name: what a server holds behind them cannot be seen."""
        return self.spec.identity()

    async def close(self) -> None:
        """Closes this event loop's connections."""
        client = self._clients.pop(asyncio.get_running_loop(), None)
        if client is not None:
            await client.close()

    def __repr__(self) -> str:
        return f"OpenAICompatible({self.spec.name!r}, {self._base_url!r})"

    def _key(self) -> str:
        return _key(self.spec)

    def _extra(self, request: Request) -> dict[str, Any]:
        """What one kind of server understands beside the fields that all have."""
        return {}

    def _client(self) -> Any:
        loop = asyncio.get_running_loop()
        client = self._clients.get(loop)
        if client is None:
            client = self._clients[loop] = self._connect()
        return client

    def _connect(self) -> Any:
        import openai

        key = self._key()
        return openai.AsyncOpenAI(
            api_key=key,
            base_url=self._base_url,
            timeout=self.spec.timeout_s,
            max_retries=self.spec.retries,
            http_client=openai.DefaultAioHttpClient(
                base_url=self._base_url,
                timeout=self.spec.timeout_s,
                trust_env=not _is_loopback(self._base_url),  # a proxy cannot reach this machine's own servers
            ),
        )

    def _body(self, request: Request) -> dict[str, Any]:
        sampling = request.sampling
        body: dict[str, Any] = {
            "model": self.spec.model,
            "messages": request.messages,
            "temperature": sampling.temperature,
            self._limit_key: sampling.max_tokens,
            "seed": sampling.seed,
            "top_p": sampling.top_p,
            "stop": sampling.stop,
            "logprobs": True if request.logprobs or request.top_logprobs else None,
            "top_logprobs": request.top_logprobs or None,
            "response_format": _response_format(request.json_schema),
        }
        return {name: value for name, value in body.items() if value is not None}

    async def _post(self, body: dict[str, Any]) -> bytes:
        """The response's bytes, with the key blotted out should the server have sent it back."""
        import httpx2
        import openai

        key = self._key()
        client = self._client()
        content = json.dumps(body, ensure_ascii=False).encode("utf-8", "replace")
        try:
            response = await client.post("/chat/completions", content=content, cast_to=httpx2.Response)
        except openai.BadRequestError as problem:
            if self._limit_key in body and _wants_other_limit(problem, self._limit_key):
                other = "max_completion_tokens" if self._limit_key == "max_tokens" else "max_tokens"
                renamed = {other if name == self._limit_key else name: value for name, value in body.items()}
                self._limit_key = other
                return await self._post(renamed)
            raise self._explained(problem, key) from None
        except openai.OpenAIError as problem:
            raise self._explained(problem, key) from None
        raw: bytes = response.content
        return raw.replace(key.encode(), REDACTED.encode())

    def _explained(self, problem: Exception, key: str) -> ModelError:
        import httpx2
        import openai

        original = problem if key not in f"{problem!r} {getattr(problem, 'body', '')}" else None
        kind: type[ModelError] = ModelRefused
        if isinstance(problem, openai.APIStatusError):
            said = _said(problem).replace(key, REDACTED)
            sentence = f"the server answered HTTP {problem.status_code}{': ' + said if said else ''}."
            if problem.status_code in (401, 403):
                kind = ModelUnavailable
                # servers quote parts of the key here, so their words are left out
                named = f"the key in {self.spec.key}" if self.spec.key else "`key:` in its row (it has none)"
                sentence = f"the server refused the call (HTTP {problem.status_code}); check {named}."
        elif isinstance(problem, openai.APIConnectionError):
            kind = ModelUnavailable
            # a refused connection also comes as a timeout: of connecting, not of reading
            late = isinstance(problem, openai.APITimeoutError)
            if late and not isinstance(problem.__cause__, httpx2.ConnectTimeout):
                waited = f"{self.spec.timeout_s:g} s (`timeout_s` in its row)"
                sentence = f"no answer from {self._base_url} within {waited}."
            else:
                sentence = f"{self._base_url} cannot be reached; is the server running there?"
        else:
            sentence = f"the server's answer cannot be read: {str(problem).replace(key, REDACTED)[:200]}"
        return kind(sentence, self.spec.name, self.spec.provider, original)


def _response_format(schema: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if schema is None:
        return None
    return {"type": "json_schema", "json_schema": {"name": "answer", "strict": True, "schema": dict(schema)}}


def _key(spec: ModelSpec) -> str:
    value = os.environ.get(spec.key, "").strip() if spec.key else ""
    if value:
        return value
    where = spec.base_url or OPENAI_URL
    if _is_loopback(where):
        return NO_KEY
    if spec.key:
        raise ModelUnavailable(
            f"its key is not set; put it into the environment variable {spec.key}.", spec.name, spec.provider
        )
    if spec.base_url is None:
        raise ModelUnavailable(
            "it has no key; add `key: OPENAI_API_KEY` to its row and set that environment variable.",
            spec.name,
            spec.provider,
        )
    return NO_KEY  # a server of one's own may well ask for none


def _is_loopback(url: str) -> bool:
    return (urlsplit(url).hostname or "") in LOOPBACK


def _said(problem: Any) -> str:
    """The server's own words, short and on one line."""
    body = problem.body
    words = body.get("message") if isinstance(body, dict) else body
    return " ".join(str(words or "").split())[:300].rstrip(".")


def _wants_other_limit(problem: Any, limit_key: str) -> bool:
    body = problem.body if isinstance(problem.body, dict) else {}
    return body.get("code") == "unsupported_parameter" and body.get("param") == limit_key
