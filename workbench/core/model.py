"""A model: something that completes chat messages, and the one interface that every model has."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol, runtime_checkable

from pydantic import Field

from workbench.core.document import Strict, content_hash
from workbench.core.prompt import Sampling

ChatMessage = dict[str, str]  # {"role": "user", "content": "…"}
FinishReason = Literal["stop", "length", "filter", "other"]


class Price(Strict):
    """USD per million tokens; of a local model, USD for an hour of the machine that it runs on."""

    prompt: float = Field(0.0, ge=0)
    completion: float = Field(0.0, ge=0)
    cached: float | None = Field(None, ge=0, description="default: the prompt price")
    hour: float | None = Field(None, ge=0, description="USD for an hour of the machine, local models only")


class ModelSpec(Strict):
    """One row of experiments/models.yaml.

    - {name: qwen, provider: openai, model: qwen2.5:7b, base_url: http://127.0.0.1:11434/v1}
    - {name: gpt, provider: openai, model: gpt-5-mini, key: OPENAI_API_KEY,
       price: {prompt: 0.25, completion: 2}}
    - {name: mine, provider: transformers, model: ./models/mine, quantization: int8}
    """

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:/-]{0,99}$")
    provider: str
    model: str = Field(description="folder, hub name, or the server's name for it")
    description: str = ""
    quantization: str | None = None
    adapter: str | None = Field(None, description="folder or hub name of an adapter over `model`")
    chat_template: str | None = Field(
        None, description="for a model that has none: the name of a known template, or a .jinja file"
    )
    device: str | None = Field(None, description="cuda, cuda:1, mps or cpu; omitted: the best there is")
    base_url: str | None = None
    key: str | None = Field(
        None, pattern=r"^[A-Z][A-Z0-9_]*$", description="NAME of the environment variable that holds the key"
    )
    price: Price = Price()
    context: int | None = Field(
        None, ge=16, description="context window in tokens, when the provider cannot tell"
    )
    concurrency: int | None = Field(None, ge=1, le=4096, description="requests in flight")
    sampling: Sampling = Sampling()
    timeout_s: float = Field(120.0, gt=0)
    retries: int = Field(4, ge=0, le=20)

    def identity(self) -> str:
        """Hash of what decides the model's outputs; prices, keys and limits do not."""
        decides = {
            "provider": self.provider,
            "model": self.model,
            "quantization": self.quantization,
            "base_url": self.base_url,
        }
        later = {"adapter": self.adapter, "chat_template": self.chat_template}
        return content_hash(decides | {key: value for key, value in later.items() if value is not None})


@dataclass(frozen=True, slots=True)
class Request:
    """One model call. `sampling` is complete: nothing in it is None but `top_p` and `stop`."""

    messages: tuple[ChatMessage, ...]
    sampling: Sampling
    logprobs: bool = False
    top_logprobs: int = 0
    """How many of each token's likeliest alternatives to give, 0 to 20; only some providers can."""
    json_schema: Mapping[str, Any] | None = None
    """What the text has to be valid JSON of, where the model's backend can hold it to that."""


@dataclass(frozen=True, slots=True)
class Completion:
    """What one model call gave."""

    text: str
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cached_tokens: int = 0
    latency_s: float = 0.0
    """Seconds from the model's start on the request to the last token; retries and queues left out
    where the provider can tell them apart."""
    finish_reason: FinishReason = "stop"
    logprob: float | None = None
    """Sum of the log-probabilities of the completion's tokens, when asked for and given."""
    first_token_s: float | None = None
    """Seconds from the model's start on the request to its first token, where that can be told."""
    top_logprobs: tuple[Mapping[str, float], ...] | None = None
    """By token of the completion, log-probabilities of the likeliest tokens (as text), the sampled one
    among them; where they were asked for and given."""


@dataclass(frozen=True, slots=True)
class Footprint:
    """What a local model takes on this machine."""

    device: str
    disk_bytes: int
    memory_bytes: int
    """The most memory that it held: weights, attention cache and what running it costs beside."""
    parameters: int | None = None
    load_s: float = 0.0
    estimated_bytes: int | None = None
    """The memory that was estimated before it was loaded."""


@runtime_checkable
class Model(Protocol):
    """What the engine sees of every model, hosted or local."""

    spec: ModelSpec
    concurrency: int
    context: int | None
    local: bool
    """Whether it runs on this machine; local models are worked one after the other."""

    async def complete(self, request: Request) -> Completion:
        """Answers one request. Raises ModelError; never returns a partial answer."""

    def stream(self, request: Request) -> AsyncIterator[str]:
        """Pieces of text as they come. Raises ModelError."""

    def count_tokens(self, messages: Sequence[ChatMessage]) -> int:
        """Tokens of the messages as this model sees them (an estimate where it cannot be known)."""

    def identity(self) -> str:
        """Hash of what decides outputs, weights included where they are local."""

    async def close(self) -> None:
        """Frees memory and connections."""


@runtime_checkable
class LocalModel(Model, Protocol):
    """A model in this machine's own memory."""

    async def warm(self) -> str:
        """Loads the model and says where it runs. Raises ModelUnavailable."""

    def footprint(self) -> Footprint | None:
        """What it takes, so far; None while it is not loaded."""


@runtime_checkable
class TextScorer(Model, Protocol):
    """A local model that can say how likely it finds a text."""

    async def log_likelihoods(self, texts: Sequence[str]) -> list[tuple[float, int] | str]:
        """(sum of log-probabilities in nats, tokens counted) of each text, the first token left out.

        A text of fewer than two tokens gives (0.0, 0); one beyond the context gives the reason why it
        cannot be told. Raises ModelError.
        """


def cost_usd(price: Price, completion: Completion) -> float:
    """USD of one completion at this price."""
    cached_price = price.prompt if price.cached is None else price.cached
    fresh = completion.prompt_tokens - completion.cached_tokens
    total = fresh * price.prompt + completion.cached_tokens * cached_price
    return (total + completion.completion_tokens * price.completion) / 1e6


def request_key(model_identity: str, request: Request, sample: int) -> str:
    """The cache key of a call: model, messages, sampling and the sample's index."""
    body: dict[str, Any] = {
        "model": model_identity,
        "messages": [[message["role"], message["content"]] for message in request.messages],
        "sampling": request.sampling.model_dump(exclude_none=True, mode="json"),
        "logprobs": request.logprobs,
        "sample": sample,
    }
    if request.json_schema is not None:
        body["json_schema"] = request.json_schema
    if request.top_logprobs:
        body["top_logprobs"] = request.top_logprobs
    return content_hash(body)
