"""Promises of hosted models: what they answer, how they fail, and that a key never shows."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any

import pytest

from tests.fake_openai import (
    BROKEN,
    DROPPED,
    NOT_JSON,
    RATE_LIMITED,
    Reply,
    completion,
    error,
    in_turn,
    openai_server,
)
from workbench.core.model import Completion, Model, ModelSpec, Request
from workbench.core.prompt import Sampling
from workbench.errors import ModelError, ModelRefused, ModelUnavailable
from workbench.models.openai_compatible import OpenAICompatible

KEY = "sk-very-secret-0123456789"


def a_request(text: str = "hello", logprobs: bool = False, **sampling: Any) -> Request:
    complete = Sampling(temperature=0.0, max_tokens=16, seed=3).model_copy(update=sampling)
    return Request(({"role": "user", "content": text},), complete, logprobs)


def a_spec(base_url: str, **changes: Any) -> ModelSpec:
    return ModelSpec(
        **{"name": "hosted", "provider": "openai", "model": "m", "base_url": base_url, "retries": 2} | changes
    )


def ask(spec: ModelSpec, request: Request | None = None) -> Completion:
    async def once() -> Completion:
        model = OpenAICompatible(spec)
        try:
            return await model.complete(request or a_request())
        finally:
            await model.close()

    return asyncio.run(once())


def failure_of(answer: Callable[[dict[str, Any]], Any], **changes: Any) -> ModelError:
    with openai_server(answer=answer) as url, pytest.raises(ModelError) as caught:
        ask(a_spec(url, **changes))
    return caught.value


def test_an_answer_carries_text_tokens_and_latency() -> None:
    with openai_server() as url:
        answer = ask(a_spec(url))
    assert (answer.text, answer.finish_reason) == ("You said: hello", "stop")
    assert (answer.prompt_tokens, answer.completion_tokens, answer.cached_tokens) == (12, 3, 3)
    assert answer.latency_s > 0


def test_the_model_keeps_the_interface() -> None:
    assert isinstance(OpenAICompatible(a_spec("http://127.0.0.1:1/v1")), Model)


def test_every_sampling_setting_is_sent_and_unset_ones_are_not() -> None:
    with openai_server() as url:
        ask(a_spec(url), a_request(top_p=0.9, stop=("\n", "END"), seed=7))
        ask(a_spec(url))
    first, second = url.bodies
    assert first["temperature"] == 0.0 and first["max_tokens"] == 16 and first["seed"] == 7
    assert first["top_p"] == 0.9 and first["stop"] == ["\n", "END"]
    assert "top_p" not in second and "stop" not in second and "logprobs" not in second


def test_a_server_that_knows_only_the_other_limit_key_gets_that_one() -> None:
    wrong = error(400, "Unsupported parameter.", code="unsupported_parameter", param="max_tokens")
    with openai_server(answer=in_turn(wrong, "done")) as url:
        assert ask(a_spec(url)).text == "done"
    assert url.bodies[1]["max_completion_tokens"] == 16 and "max_tokens" not in url.bodies[1]


@pytest.mark.parametrize("fault", [RATE_LIMITED, BROKEN, DROPPED], ids=["429", "500", "dropped"])
def test_what_may_pass_is_tried_again(fault: Reply) -> None:
    with openai_server(answer=in_turn(fault, "second time")) as url:
        assert ask(a_spec(url)).text == "second time"
    assert len(url.bodies) == 2


def test_after_the_last_retry_the_status_and_the_servers_words_are_told() -> None:
    refused = failure_of(lambda body: BROKEN, retries=1)
    assert isinstance(refused, ModelRefused)
    assert "HTTP 500" in str(refused) and "The server had an error" in str(refused)
    assert (refused.model, refused.provider) == ("hosted", "openai")
    assert getattr(refused.original, "status_code", None) == 500


def test_a_wrong_request_is_not_tried_again() -> None:
    with openai_server(answer=lambda body: error(400, "No such model.")) as url, pytest.raises(ModelRefused):
        ask(a_spec(url))
    assert len(url.bodies) == 1


@pytest.mark.parametrize(
    "reply",
    [
        NOT_JSON,
        Reply("[]"),
        Reply({"choices": []}),
        Reply({"choices": [{"index": 0}]}),
        Reply({"error": {"message": "No credits."}}),
    ],
    ids=["html", "a list", "no choice", "no message", "an error with status 200"],
)
def test_an_unreadable_answer_is_one_sentence(reply: Reply) -> None:
    refused = failure_of(lambda body: reply)
    assert isinstance(refused, ModelRefused) and "\n" not in str(refused)


@pytest.mark.parametrize("content", [None, ""])
def test_a_model_that_answers_nothing_gives_an_empty_text(content: str | None) -> None:
    with openai_server(answer=lambda body: Reply(completion(content))) as url:
        assert ask(a_spec(url)).text == ""


def test_an_answer_without_usage_counts_no_tokens() -> None:
    bare = {"choices": [{"message": {"content": "hi"}, "finish_reason": "length"}]}
    with openai_server(answer=lambda body: Reply(bare)) as url:
        answer = ask(a_spec(url))
    assert (answer.text, answer.prompt_tokens, answer.finish_reason) == ("hi", 0, "length")


def test_log_probabilities_are_summed_when_asked_for() -> None:
    given = completion("a b", logprobs={"content": [{"logprob": -0.5}, {"logprob": -1.25}]})
    with openai_server(answer=lambda body: Reply(given)) as url:
        assert ask(a_spec(url), a_request(logprobs=True)).logprob == -1.75
        assert ask(a_spec(url)).logprob is None
    assert url.bodies[0]["logprobs"] is True


def test_a_slow_server_is_given_up_with_the_key_to_change() -> None:
    unavailable = failure_of(lambda body: Reply(completion("late"), delay_s=2), timeout_s=0.1, retries=0)
    assert isinstance(unavailable, ModelUnavailable) and "timeout_s" in str(unavailable)


def test_an_address_where_nothing_listens_is_named() -> None:
    with pytest.raises(ModelUnavailable, match=r"http://127\.0\.0\.1:9/v1 cannot be reached"):
        ask(a_spec("http://127.0.0.1:9/v1", retries=0))


def test_a_missing_key_names_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SOME_KEY", raising=False)
    spec = a_spec("https://models.example.org/v1", key="SOME_KEY")
    with pytest.raises(ModelUnavailable, match="SOME_KEY"):
        ask(spec)
    assert not OpenAICompatible.check(spec).ok and "SOME_KEY" in OpenAICompatible.check(spec).sentence


def test_this_machines_own_servers_need_no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SOME_KEY", raising=False)
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    with openai_server() as url:
        ask(a_spec(url))
    assert KEY not in str(url.headers)  # a key that the row does not name is never sent


@pytest.mark.parametrize("status", [400, 401, 403, 422])
def test_a_key_that_the_server_sends_back_shows_nowhere(
    status: int, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("SOME_KEY", KEY)
    caplog.set_level(logging.DEBUG)
    refused = failure_of(lambda body: error(status, f"Incorrect API key provided: {KEY}"), key="SOME_KEY")
    model = OpenAICompatible(a_spec("http://127.0.0.1:9/v1", key="SOME_KEY"))
    shown = f"{refused} {refused!r} {refused.original!r} {model!r} {OpenAICompatible.check(model.spec)}"
    assert KEY not in shown and KEY not in caplog.text


def test_a_key_inside_an_answer_is_blotted_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_KEY", KEY)
    with openai_server(answer=lambda body: f"your key is {KEY}") as url:
        assert ask(a_spec(url, key="SOME_KEY")).text == "your key is [key]"
        assert url.headers[0]["Authorization"] == f"Bearer {KEY}"


def test_streamed_pieces_add_up_to_the_answer() -> None:
    async def pieces(url: str) -> list[str]:
        model = OpenAICompatible(a_spec(url))
        found = [piece async for piece in model.stream(a_request("one two three"))]
        await model.close()
        return found

    with openai_server() as url:
        found = asyncio.run(pieces(url))
    assert "".join(found) == "You said: one two three" and len(found) > 3


def test_a_stream_that_is_refused_raises_the_same_error() -> None:
    async def first(url: str) -> str:
        model = OpenAICompatible(a_spec(url, retries=0))
        try:
            return await anext(model.stream(a_request()))
        finally:
            await model.close()

    with openai_server(answer=lambda body: BROKEN) as url, pytest.raises(ModelRefused, match="HTTP 500"):
        asyncio.run(first(url))


def test_one_model_serves_one_event_loop_after_the_other() -> None:
    with openai_server() as url:
        model = OpenAICompatible(a_spec(url))

        async def once() -> str:
            answer = await model.complete(a_request())
            await model.close()
            return answer.text

        assert [asyncio.run(once()) for _ in range(3)] == ["You said: hello"] * 3


def test_tokens_are_estimated_from_characters() -> None:
    model = OpenAICompatible(a_spec("http://127.0.0.1:9/v1"))
    assert model.count_tokens([{"role": "user", "content": "x" * 40}]) == 14
