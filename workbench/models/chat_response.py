"""Reading what an OpenAI-compatible server sends: servers leave out, null and rename much of it."""

from __future__ import annotations

import json
from typing import Any

from workbench.core.model import Completion, FinishReason, ModelSpec, Request
from workbench.errors import ModelRefused

FINISH_REASONS: dict[str | None, FinishReason] = {
    "stop": "stop",
    None: "stop",
    "length": "length",
    "content_filter": "filter",
}


def completion_of(body: bytes, spec: ModelSpec, request: Request, latency_s: float = 0.0) -> Completion:
    """The completion in a response to the request. Raises ModelRefused when there is none in it."""
    try:
        content = json.loads(body)
    except ValueError as problem:
        raise _refused(spec, "the server's answer is not JSON.", problem) from None
    if not isinstance(content, dict):
        raise _refused(spec, "the server's answer is not a JSON object.")
    choices = content.get("choices")
    if not isinstance(choices, list) or not choices or not isinstance(choices[0], dict):
        raise _refused(spec, f"the server sent no choice{_reason(content)}.")
    choice = choices[0]
    message = choice.get("message")
    if not isinstance(message, dict):
        raise _refused(spec, "the server sent a choice without a message.")
    usage = content.get("usage") or {}
    details = usage.get("prompt_tokens_details") or {}
    refusal = message.get("refusal")
    finish = FINISH_REASONS.get(choice.get("finish_reason"), "other")
    return Completion(
        text=_text(message.get("content")) or (refusal if isinstance(refusal, str) else ""),
        prompt_tokens=_count(usage.get("prompt_tokens")),
        completion_tokens=_count(usage.get("completion_tokens")),
        cached_tokens=_count(details.get("cached_tokens")),
        latency_s=latency_s,
        finish_reason="filter" if refusal else finish,
        logprob=_logprob(choice.get("logprobs")) if request.logprobs else None,
        top_logprobs=_top_logprobs(choice.get("logprobs")) if request.top_logprobs else None,
    )


def piece_of(chunk: Any) -> str:
    """The text that one chunk of a stream adds."""
    choices = getattr(chunk, "choices", None)
    delta = choices[0].delta if choices else None
    return (delta.content or "") if delta else ""


def _text(content: Any) -> str:
    """Text as a string, as null, or as a list of parts."""
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        return "".join(str(part.get("text", "")) for part in content if isinstance(part, dict))
    return ""


def _count(value: Any) -> int:
    return value if isinstance(value, int) and value >= 0 else 0


def _logprob(logprobs: Any) -> float | None:
    tokens = _tokens(logprobs)
    if tokens is None:
        return None
    return float(sum(token["logprob"] for token in tokens if isinstance(token.get("logprob"), int | float)))


def _top_logprobs(logprobs: Any) -> tuple[dict[str, float], ...] | None:
    """By token, the likeliest ones and the one that was sampled, which servers may leave out of them."""
    tokens = _tokens(logprobs)
    if tokens is None:
        return None
    found = (token.get("top_logprobs") for token in tokens)
    return tuple(
        _likely([*(others if isinstance(others, list) else []), token])
        for token, others in zip(tokens, found, strict=True)
    )


def _tokens(logprobs: Any) -> list[dict[str, Any]] | None:
    tokens = logprobs.get("content") if isinstance(logprobs, dict) else None
    return [token for token in tokens if isinstance(token, dict)] if isinstance(tokens, list) else None


def _likely(tokens: list[Any]) -> dict[str, float]:
    """Log-probabilities by token text; what is none is left out, and half a character becomes U+FFFD."""
    return {
        str(token.get("token", "")).encode("utf-8", "replace").decode("utf-8"): float(token["logprob"])
        for token in tokens
        if isinstance(token, dict) and isinstance(token.get("logprob"), int | float)
    }


def _reason(content: dict[str, Any]) -> str:
    error = content.get("error")
    words = error.get("message") if isinstance(error, dict) else error
    return f": {' '.join(str(words).split())[:300].rstrip('.')}" if words else ""


def _refused(spec: ModelSpec, problem: str, original: BaseException | None = None) -> ModelRefused:
    return ModelRefused(problem, spec.name, spec.provider, original)
