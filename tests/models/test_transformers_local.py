"""Promises of local models: a batch changes no answer, seeds decide samples, and errors are sentences."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

import pytest

from tests.models.tiny import tiny_model
from workbench.core.model import Completion, Model, ModelSpec, Request
from workbench.core.prompt import Sampling
from workbench.errors import ModelRefused, ModelUnavailable, PromptTooLong
from workbench.models.transformers_local import TransformersModel

PROMPTS = [f"row {number}: " + "apples and pears " * (number % 5) + "?" * number for number in range(24)]
T = TypeVar("T")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_model(tmp_path_factory.mktemp("models") / "tiny")


def a_model(folder: Path, **changes: Any) -> TransformersModel:
    return TransformersModel(
        ModelSpec(**{"name": "tiny", "provider": "transformers", "model": str(folder)} | changes)
    )


def a_request(text: str, logprobs: bool = False, **sampling: Any) -> Request:
    complete = Sampling(temperature=0.0, max_tokens=20, seed=3).model_copy(update=sampling)
    return Request(({"role": "user", "content": text},), complete, logprobs)


def using(folder: Path, work: Callable[[TransformersModel], Awaitable[T]], **changes: Any) -> T:
    async def whole() -> T:
        model = a_model(folder, **changes)
        try:
            return await work(model)
        finally:
            await model.close()

    return asyncio.run(whole())


def together(folder: Path, requests: list[Request], **changes: Any) -> list[Completion]:
    async def work(model: TransformersModel) -> list[Completion]:
        return list(await asyncio.gather(*map(model.complete, requests)))

    return using(folder, work, **changes)


def alone(folder: Path, requests: list[Request], **changes: Any) -> list[Completion]:
    async def work(model: TransformersModel) -> list[Completion]:
        return [await model.complete(request) for request in requests]

    return using(folder, work, **changes)


@pytest.fixture(scope="module")
def generated(folder: Path) -> list[str]:
    """What `generate` answers, one prompt at a time."""
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder)
    network = AutoModelForCausalLM.from_pretrained(folder)
    texts = []
    for prompt in PROMPTS:
        messages = [{"role": "user", "content": prompt}]
        inputs = tokenizer.apply_chat_template(
            messages, add_generation_prompt=True, return_tensors="pt", return_dict=True
        )
        out = network.generate(
            input_ids=inputs["input_ids"],
            attention_mask=inputs["attention_mask"],
            max_new_tokens=20,
            do_sample=False,
        )
        new = out[0, inputs["input_ids"].shape[1] :]
        texts.append(tokenizer.decode(new, skip_special_tokens=True).lstrip())
    return texts


def test_a_greedy_answer_in_a_batch_is_the_answer_alone_and_that_of_generate(
    folder: Path, generated: list[str]
) -> None:
    requests = [a_request(prompt) for prompt in PROMPTS]
    assert [answer.text for answer in together(folder, requests)] == generated
    assert [answer.text for answer in alone(folder, requests)] == generated


def test_rows_that_join_and_leave_a_small_batch_change_no_answer(folder: Path, generated: list[str]) -> None:
    lengths = [20 if number % 3 else 5 for number in range(len(PROMPTS))]
    requests = [a_request(prompt, max_tokens=n) for prompt, n in zip(PROMPTS, lengths, strict=True)]
    answers = together(folder, requests, concurrency=4)
    for answer, length, whole in zip(answers, lengths, generated, strict=True):
        assert answer.completion_tokens <= length
        assert answer.text == whole if length == 20 else whole.startswith(answer.text.rstrip("\ufffd"))


def test_a_common_beginning_is_read_once_and_changes_no_answer(folder: Path) -> None:
    examples = "one apple and two pears are three pieces of fruit; " * 3
    requests = [a_request(examples + prompt) for prompt in PROMPTS[:12]]
    batched = together(folder, requests)
    assert [answer.text for answer in batched] == [answer.text for answer in alone(folder, requests)]
    assert sum(answer.cached_tokens > 20 for answer in batched) >= 11


def test_an_equal_prompt_is_read_once_for_all_its_samples(folder: Path) -> None:
    answers = together(folder, [a_request("again " * 20, temperature=1.0, seed=seed) for seed in range(6)])
    # one that came a moment too late for the others' reading reads its last token itself
    assert [answer.prompt_tokens - answer.cached_tokens <= 1 for answer in answers] == [False, *[True] * 5]
    assert len({answer.text for answer in answers}) > 1


def test_a_seeded_sample_depends_on_its_seed_and_not_on_its_neighbours(folder: Path) -> None:
    chosen = a_request("sample", temperature=0.9, top_p=0.9, seed=11)
    neighbours = [a_request(prompt, temperature=1.2, seed=number) for number, prompt in enumerate(PROMPTS)]
    with_neighbours = together(folder, [*neighbours[:7], chosen, *neighbours[7:], chosen])
    assert with_neighbours[7].text == with_neighbours[-1].text == alone(folder, [chosen])[0].text


def test_different_seeds_give_different_samples(folder: Path) -> None:
    answers = together(folder, [a_request("sample", temperature=1.0, seed=seed) for seed in range(8)])
    assert len({answer.text for answer in answers}) > 4


def test_rows_of_one_batch_keep_their_own_sampling(folder: Path) -> None:
    greedy, hot, short = a_request("x"), a_request("x", temperature=2.0), a_request("x", max_tokens=2)
    answers = together(folder, [greedy, hot, short])
    assert answers[0].text == alone(folder, [greedy])[0].text != answers[1].text
    assert answers[2].completion_tokens == 2 and answers[2].finish_reason == "length"


def test_an_answer_ends_before_its_stop_string(folder: Path) -> None:
    whole = alone(folder, [a_request("stop here")])[0].text
    middle = whole[8:10]
    answer = together(folder, [a_request("stop here", stop=(middle,)), a_request("another")])[0]
    assert answer.text == whole[: whole.index(middle)] and answer.finish_reason == "stop"


def test_log_probabilities_are_those_of_the_chosen_tokens_at_temperature_one(folder: Path) -> None:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    answer, unasked = together(folder, [a_request("logs", logprobs=True, temperature=0.5), a_request("logs")])
    assert unasked.logprob is None and answer.logprob is not None and answer.logprob < 0
    greedy = alone(folder, [a_request("logs", logprobs=True)])[0]
    tokenizer = AutoTokenizer.from_pretrained(folder)
    network = AutoModelForCausalLM.from_pretrained(folder)
    ids = tokenizer.apply_chat_template(
        [{"role": "user", "content": "logs"}],
        add_generation_prompt=True,
        return_tensors="pt",
        return_dict=True,
    )["input_ids"]
    out = network.generate(
        input_ids=ids, attention_mask=torch.ones_like(ids), max_new_tokens=20, do_sample=False
    )
    scores = network(out).logits[0].detach().log_softmax(-1)
    start = ids.shape[1]
    expected = sum(float(scores[at - 1, out[0, at]]) for at in range(start, out.shape[1]))
    assert greedy.logprob == pytest.approx(expected, abs=1e-3)


def test_streamed_pieces_add_up_to_the_answer(folder: Path) -> None:
    async def work(model: TransformersModel) -> tuple[list[str], str]:
        pieces = [piece async for piece in model.stream(a_request("¿señor? 🍎"))]
        return pieces, (await model.complete(a_request("¿señor? 🍎"))).text

    pieces, whole = using(folder, work)
    assert "".join(pieces) == whole and len(pieces) > 3


def test_a_stream_starts_while_a_batch_is_running(folder: Path) -> None:
    async def work(model: TransformersModel) -> bool:
        batch = [asyncio.create_task(model.complete(a_request(prompt, max_tokens=150))) for prompt in PROMPTS]
        await asyncio.sleep(0.05)
        stream = model.stream(a_request("now"))
        await anext(stream)
        running = not all(task.done() for task in batch)
        await asyncio.gather(*batch)
        return running

    assert using(folder, work, concurrency=8)


def test_a_cancelled_request_leaves_and_the_others_are_answered(folder: Path, generated: list[str]) -> None:
    async def work(model: TransformersModel) -> str:
        cancelled = [asyncio.create_task(model.complete(a_request(p, max_tokens=180))) for p in PROMPTS[1:6]]
        kept = asyncio.create_task(model.complete(a_request(PROMPTS[0])))
        await asyncio.sleep(0.02)
        for task in cancelled:
            task.cancel()
        found = await asyncio.gather(*cancelled, return_exceptions=True)
        assert all(isinstance(outcome, asyncio.CancelledError) for outcome in found)
        return (await kept).text

    assert using(folder, work) == generated[0]


def test_one_model_serves_several_event_loops_one_after_the_other(folder: Path, generated: list[str]) -> None:
    model = a_model(folder)
    assert [asyncio.run(model.complete(a_request(PROMPTS[0]))).text for _ in range(2)] == generated[:1] * 2
    asyncio.run(model.close())


def test_the_same_weights_are_in_memory_once_and_freed_with_their_last_user(folder: Path) -> None:
    from workbench.models.local import resident

    async def whole() -> tuple[int, int, int]:
        first, second, other = (
            a_model(folder),
            a_model(folder, name="b"),
            a_model(folder, quantization="bf16"),
        )
        before = len(resident._RESIDENTS)  # other tests of this process may keep theirs
        await asyncio.gather(first.warm(), second.warm())
        shared = len(resident._RESIDENTS) - before
        await other.warm()
        both = len(resident._RESIDENTS) - before
        for model in (first, second, other):
            await model.close()
        return shared, both, len(resident._RESIDENTS) - before

    assert asyncio.run(whole()) == (1, 2, 0)


def test_messages_longer_than_the_context_are_refused_with_both_numbers(folder: Path) -> None:
    with pytest.raises(PromptTooLong, match=r"\d+ tokens .* 256"):
        alone(folder, [a_request("?" * 2000)])


def test_an_answer_that_would_leave_the_context_ends_there(folder: Path) -> None:
    answer = alone(folder, [a_request("?!" * 110, max_tokens=500)])[0]
    assert answer.prompt_tokens + answer.completion_tokens == 256 and answer.finish_reason == "length"


@pytest.mark.parametrize("quantization", ["bf16", "int8"])
def test_every_quantization_answers(folder: Path, quantization: str) -> None:
    answer = together(folder, [a_request("hello"), a_request("there")], quantization=quantization)[0]
    assert answer.completion_tokens > 0


def test_the_identity_follows_weights_and_quantization_and_not_the_name(folder: Path, tmp_path: Path) -> None:
    same = a_model(folder, name="renamed", concurrency=3)
    other = a_model(tiny_model(tmp_path / "other", hidden_size=16))
    assert a_model(folder).identity() == same.identity() == a_model(folder, quantization="fp32").identity()
    assert (
        len({a_model(folder).identity(), a_model(folder, quantization="int8").identity(), other.identity()})
        == 3
    )


def test_the_interface_is_kept_before_and_after_loading(folder: Path) -> None:
    model = a_model(folder)
    assert isinstance(model, Model)
    assert (model.context, model.concurrency) == (256, 64)
    counted = model.count_tokens([{"role": "user", "content": "hello"}])
    assert counted == alone(folder, [a_request("hello")])[0].prompt_tokens


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    return tiny_model(tmp_path / "broken")


def test_a_tokenizer_without_chat_template_is_refused_with_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(
        ModelUnavailable, match="no chat template; state one in its row, such as `chat_template: chatml`"
    ):
        alone(tiny_model(tmp_path / "base", chat_template=None), [a_request("hi")])


def test_a_template_that_refuses_the_messages_is_one_sentence(tmp_path: Path) -> None:
    picky = tiny_model(tmp_path / "picky", chat_template="{{ raise_exception('Only the user may speak') }}")
    with pytest.raises(ModelRefused, match="Only the user may speak"):
        alone(picky, [a_request("hi")])


def test_pickled_weights_are_never_loaded(broken: Path) -> None:
    (broken / "model.safetensors").rename(broken / "pytorch_model.bin")
    with pytest.raises(ModelUnavailable, match="no safetensors weights"):
        alone(broken, [a_request("hi")])
    assert not TransformersModel.check(a_model(broken).spec).ok


def test_code_beside_the_weights_is_never_run(broken: Path) -> None:
    config = json.loads((broken / "config.json").read_text())
    config |= {"model_type": "own", "auto_map": {"AutoConfig": "own.Own", "AutoModelForCausalLM": "own.Own"}}
    (broken / "config.json").write_text(json.dumps(config))
    (broken / "own.py").write_text(f"open({str(broken / 'ran')!r}, 'w')")
    with pytest.raises(ModelUnavailable):
        alone(broken, [a_request("hi")])
    assert not (broken / "ran").exists()


def test_broken_weights_are_one_sentence(broken: Path) -> None:
    (broken / "model.safetensors").write_bytes(b"not weights")
    with pytest.raises(ModelUnavailable, match="cannot be loaded") as caught:
        alone(broken, [a_request("hi")])
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("model", "words"),
    [
        ("./nowhere", "no folder"),
        ("someone/something", "not on this machine, and HF_HUB_OFFLINE"),
        ("../../etc/passwd", "no folder"),
    ],
)
def test_a_model_that_is_not_there_is_one_sentence(
    model: str, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    absent = a_model(Path("unused"), model=model)
    with pytest.raises(ModelUnavailable, match=words):
        asyncio.run(absent.complete(a_request("hi")))
    # a model of the hub is usable: it is fetched at its first use
    assert TransformersModel.check(absent.spec).ok == (model == "someone/something")


def test_an_unknown_quantization_names_the_known_ones(folder: Path) -> None:
    with pytest.raises(ModelUnavailable, match=r"use fp32, bf16, fp16, int8, .*nf4"):
        alone(folder, [a_request("hi")], quantization="int3")
