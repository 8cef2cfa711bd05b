"""A small OpenAI-compatible server for tests: real HTTP on loopback, with the faults that servers have.

    with openai_server(answer=lambda body: "Answer: 42") as base_url:
        ...                      # base_url.bodies holds every request's JSON, base_url.headers the headers

An answer is a text, or a `Reply` for anything else; `in_turn` gives one after the other, and `Stalling`
stands still after some, so that whatever is done in the middle of a run finds it there on any machine.
"""

from __future__ import annotations

import asyncio
import json
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web


@dataclass(frozen=True)
class Reply:
    """What the server sends instead of a plain answer."""

    body: Any = None
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    drop: bool = False
    delay_s: float = 0.0


Answer = str | Reply
Answerer = Callable[[dict[str, Any]], Answer]


class BaseUrl(str):
    """The server's address, and what it was asked."""

    bodies: list[dict[str, Any]]
    headers: list[dict[str, str]]


def completion(text: str | None, **changes: Any) -> dict[str, Any]:
    """A chat completion as a server sends it."""
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": "fake",
        "choices": [
            {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"} | changes
        ],
        "usage": {
            "prompt_tokens": 12,
            "completion_tokens": len((text or "").split()),
            "prompt_tokens_details": {"cached_tokens": 3},
        },
    }


def with_alternatives(*tokens: dict[str, float]) -> Reply:
    """A completion of these tokens: of each, log-probabilities by text, the sampled one first."""
    content: list[dict[str, Any]] = []
    for likely in tokens:
        ranked = [{"token": token, "logprob": value, "bytes": None} for token, value in likely.items()]
        content.append(ranked[0] | {"top_logprobs": ranked})
    text = "".join(next(iter(likely)) for likely in tokens)
    return Reply(completion(text, logprobs={"content": content, "refusal": None}))


def error(status: int, message: str, headers: dict[str, str] | None = None, **more: Any) -> Reply:
    """An error as a server sends it."""
    return Reply({"error": {"message": message, "type": "error", **more}}, status, headers or {})


RATE_LIMITED = error(429, "Slow down.", {"Retry-After": "0.01"})
BROKEN = error(500, "The server had an error.", {"Retry-After": "0.01"})
NOT_JSON = Reply("<html>Bad gateway</html>")
DROPPED = Reply(drop=True)


def in_turn(*answers: Answer) -> Answerer:
    """The first answer first, the last one for ever after."""
    remaining = list(answers)
    return lambda body: remaining.pop(0) if len(remaining) > 1 else remaining[0]


class Stalling:
    """Answers the first `most` requests and keeps the others waiting, until `go_on` is called."""

    def __init__(self, answer: Answerer, most: int) -> None:
        self._answer, self._most, self._asked = answer, most, 0

    def __call__(self, body: dict[str, Any]) -> Answer:
        self._asked += 1
        found = self._answer(body)
        if self._asked <= self._most:
            return found
        assert isinstance(found, str)
        return Reply(completion(found), delay_s=3600)

    def go_on(self) -> None:
        """Requests from now on are answered; those that wait are not."""
        self._most = sys.maxsize


def _last_words(body: dict[str, Any]) -> str:
    return f"You said: {body['messages'][-1]['content']}"


@contextmanager
def openai_server(delay_s: float = 0.0, answer: Answerer = _last_words) -> Iterator[BaseUrl]:
    """Serves `answer(request body)` after `delay_s` at the yielded base URL, in a thread of its own."""
    bodies: list[dict[str, Any]] = []
    headers: list[dict[str, str]] = []

    async def chat(request: web.Request) -> web.StreamResponse:
        body = await request.json()
        bodies.append(body)
        headers.append(dict(request.headers))
        found = answer(body)
        reply = found if isinstance(found, Reply) else Reply(completion(found))
        await asyncio.sleep(delay_s + reply.delay_s)
        if reply.drop:
            assert request.transport is not None
            request.transport.abort()
            return web.Response()
        if body.get("stream") and isinstance(found, str):
            return await _stream(request, found)
        text = reply.body if isinstance(reply.body, str) else json.dumps(reply.body)
        return web.Response(
            text=text, status=reply.status, headers=reply.headers, content_type="application/json"
        )

    loop = asyncio.new_event_loop()
    app = web.Application()
    app.router.add_post("/v1/chat/completions", chat)
    runner = web.AppRunner(app, shutdown_timeout=0.1)

    async def start() -> int:
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        port: int = runner.addresses[0][1]
        return port

    async def stop() -> None:
        await runner.cleanup()
        answering = asyncio.all_tasks() - {asyncio.current_task()}
        for task in answering:
            task.cancel()
        await asyncio.gather(*answering, return_exceptions=True)

    port = loop.run_until_complete(start())
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        url = BaseUrl(f"http://127.0.0.1:{port}/v1")
        url.bodies, url.headers = bodies, headers
        yield url
    finally:
        asyncio.run_coroutine_threadsafe(stop(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()


async def _stream(request: web.Request, text: str) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
    await response.prepare(request)
    for word in text.split(" "):
        piece = word if word == text.split(" ")[0] else f" {word}"
        chunk = {
            "id": "chatcmpl-1",
            "object": "chat.completion.chunk",
            "created": 1,
            "model": "fake",
            "choices": [{"index": 0, "delta": {"content": piece}, "finish_reason": None}],
        }
        await response.write(f"data: {json.dumps(chunk)}\n\n".encode())
    await response.write(b"data: [DONE]\n\n")
    return response
