"""Alternatives of each token are the model's own probabilities, and the cache keeps them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.fake_openai import Reply, completion, openai_server, with_alternatives
from tests.models.tiny import tiny_model
from workbench.core.model import Completion, Model, ModelSpec, Request
from workbench.core.prompt import Sampling
from workbench.engine.calls import CallDesk
from workbench.models.openai_compatible import OpenAICompatible
from workbench.models.transformers_local import TransformersModel
from workbench.storage import Store


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tiny_model(tmp_path_factory.mktemp("models") / "tiny")
    held = local(folder)  # so that the others need not load it again
    asyncio.run(held.warm())
    yield folder
    asyncio.run(held.close())


def asked(text: str = "logs", top: int = 0, **sampling: Any) -> Request:
    complete = Sampling(temperature=0.0, max_tokens=12, seed=3).model_copy(update=sampling)
    return Request(({"role": "user", "content": text},), complete, logprobs=True, top_logprobs=top)


def local(folder: Path) -> TransformersModel:
    return TransformersModel(ModelSpec(name="tiny", provider="transformers", model=str(folder)))


def hosted(url: str) -> OpenAICompatible:
    return OpenAICompatible(ModelSpec(name="hosted", provider="openai", model="m", base_url=url))


def ask(model: Model, *requests: Request) -> list[Completion]:
    async def whole() -> list[Completion]:
        try:
            return list(await asyncio.gather(*map(model.complete, requests)))
        finally:
            await model.close()

    return asyncio.run(whole())


def test_a_local_models_alternatives_are_those_of_a_plain_forward(folder: Path) -> None:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder)
    network = AutoModelForCausalLM.from_pretrained(folder)
    requests = [asked(f"row {n} " * n, top=n % 3 * 4) for n in range(6)]
    for request, answer in zip(requests, ask(local(folder), *requests), strict=True):
        if not request.top_logprobs:
            assert answer.top_logprobs is None
            continue
        assert answer.top_logprobs and len(answer.top_logprobs) == answer.completion_tokens
        ids = tokenizer.apply_chat_template(
            list(request.messages), add_generation_prompt=True, return_tensors="pt", return_dict=True
        )["input_ids"]
        for alternatives in answer.top_logprobs:
            best = network(ids).logits[0, -1].detach().log_softmax(-1).topk(request.top_logprobs)
            assert list(alternatives.values()) == pytest.approx(best.values.tolist(), abs=1e-4)
            ids = torch.cat([ids, best.indices[None, :1]], 1)
        assert sum(next(iter(found.values())) for found in answer.top_logprobs) == pytest.approx(
            answer.logprob, abs=1e-4
        )


def test_the_sampled_token_is_always_among_them_at_temperature_one(folder: Path) -> None:
    seeds = range(12)
    hot = [asked(top=2, max_tokens=1, temperature=5.0, seed=seed) for seed in seeds]
    *answers, every = ask(local(folder), *hot, asked(top=20, max_tokens=1))
    assert every.top_logprobs and len(every.top_logprobs[0]) == 20
    likeliest = dict(list(every.top_logprobs[0].items())[:2])
    assert any(len(answer.top_logprobs[0]) == 3 for answer in answers if answer.top_logprobs)
    for answer in answers:
        assert answer.top_logprobs and len(answer.top_logprobs) == 1
        found = answer.top_logprobs[0]
        assert dict(list(found.items())[:2]) == pytest.approx(likeliest, abs=1e-5)
        assert min(abs(value - (answer.logprob or 0.0)) for value in found.values()) < 1e-5
        if len(found) == 3:
            assert list(found.values())[2] == pytest.approx(answer.logprob)


def test_asking_for_alternatives_changes_no_answer(folder: Path) -> None:
    plain, seen = (
        ask(local(folder), *[asked(f"row {n}", top=top, temperature=n % 2) for n in range(6)])
        for top in (0, 5)
    )
    assert [answer.text for answer in plain] == [answer.text for answer in seen]


def test_more_than_twenty_are_never_given(folder: Path) -> None:
    (answer,) = ask(local(folder), asked(top=5_000, max_tokens=2))
    assert answer.top_logprobs and [len(found) for found in answer.top_logprobs] == [20, 20]


def test_a_server_is_asked_for_them_and_the_sampled_token_is_among_them() -> None:
    with openai_server(answer=lambda body: with_alternatives({"4": -0.2, "5": -1.8}, {" yes": -0.1})) as url:
        (answer,) = ask(hosted(url), asked(top=2))
    assert url.bodies[0]["logprobs"] is True and url.bodies[0]["top_logprobs"] == 2
    assert answer.text == "4 yes"
    assert answer.top_logprobs == ({"4": -0.2, "5": -1.8}, {" yes": -0.1})


@pytest.mark.parametrize(
    ("logprobs", "expected"),
    [
        (None, None),
        ({"content": None}, None),
        ({"content": []}, ()),
        ({"content": [{"token": "4", "logprob": -0.5}]}, ({"4": -0.5},)),
        (
            {"content": [{"token": "4", "logprob": -2.5, "top_logprobs": [{"token": "5", "logprob": -0.1}]}]},
            ({"5": -0.1, "4": -2.5},),
        ),
        (
            {"content": [None, {"token": "a", "logprob": "much", "top_logprobs": [7, {"logprob": None}]}]},
            ({},),
        ),
        ({"content": [{"token": "\ud83e", "logprob": -1}]}, ({"?": -1.0},)),
    ],
)
def test_what_a_server_leaves_out_is_not_made_up(logprobs: Any, expected: Any) -> None:
    with openai_server(answer=lambda body: Reply(completion("4", logprobs=logprobs))) as url:
        asked_for, unasked = ask(hosted(url), asked(top=2), asked())
    assert asked_for.top_logprobs == expected and unasked.top_logprobs is None


def test_the_cache_keeps_alternatives_and_a_request_without_them_is_another_one(
    folder: Path, tmp_path: Path
) -> None:
    url = f"sqlite:///{tmp_path / 'workbench.db'}"

    def answer(request: Request) -> tuple[Completion, bool]:
        async def whole() -> tuple[Completion, bool]:
            model, desk = local(folder), CallDesk(store)
            try:
                answered = await desk.call(model, request, 0)
            finally:
                await model.close()
            store.outputs.add("run", [], desk.take_new())
            return answered.completion, answered.cached

        return asyncio.run(whole())

    store = Store(url)
    fresh, was_there = answer(asked(top=3))
    assert not was_there and fresh.top_logprobs
    store = Store(url)
    again, was_there = answer(asked(top=3))
    assert was_there and again.top_logprobs == fresh.top_logprobs
    assert not answer(asked())[1]
