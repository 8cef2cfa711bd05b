"""The running batch: what is read once, what memory lets in, who goes first, and what cancelling frees."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import pytest

from tests.models.tiny import tiny_model
from workbench.core.model import Completion, ModelSpec, Request
from workbench.core.prompt import Sampling
from workbench.errors import ModelRefused, ModelUnavailable
from workbench.models.local.decoding import Decoder
from workbench.models.transformers_local import TransformersModel

T = TypeVar("T")
CONTEXT = 2048
EXAMPLES = "The answer is 42 because six times seven is forty-two. " * 16
OTHERS = "señor, ¿cuántas manzanas? " * 40


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_model(tmp_path_factory.mktemp("models") / "tiny", context=CONTEXT)


def asked(text: str, tokens: int = 12, **sampling: Any) -> Request:
    complete = Sampling(temperature=0.0, max_tokens=tokens, seed=1).model_copy(update=sampling)
    return Request(({"role": "user", "content": text},), complete)


def using(folder: Path, work: Callable[[TransformersModel, Decoder], Awaitable[T]], **row: Any) -> T:
    async def whole() -> T:
        model = TransformersModel(
            ModelSpec(**{"name": "tiny", "provider": "transformers", "model": str(folder)} | row)
        )
        await model.warm()
        try:
            assert model._lease is not None
            return await work(model, model._lease.resident.batcher._decoder)
        finally:
            await model.close()

    return asyncio.run(whole())


async def all_of(model: TransformersModel, requests: list[Request]) -> list[Completion]:
    return list(await asyncio.gather(*map(model.complete, requests)))


async def until(met: Callable[[], bool]) -> None:
    """Waits for the decoding thread, which has no event to wait for."""
    while not met():  # noqa: ASYNC110
        await asyncio.sleep(0.005)


@contextmanager
def read_tokens(decoder: Decoder) -> Iterator[list[int]]:
    """How many tokens of prompts each forward pass took, padding counted."""
    found: list[int] = []
    read = decoder._read_rests

    def counting(rests: Any, *others: Any) -> Any:
        found.append(len(rests) * max(map(len, rests)))
        return read(rests, *others)

    decoder._read_rests = counting  # type: ignore[method-assign]
    try:
        yield found
    finally:
        decoder._read_rests = read  # type: ignore[method-assign]


def test_rows_of_two_families_and_of_none_answer_as_each_does_alone(folder: Path) -> None:
    texts = [start + f"row {at}" for at in range(6) for start in (EXAMPLES, OTHERS, "")]

    async def work(model: TransformersModel, decoder: Decoder) -> tuple[list[Completion], list[Completion]]:
        together = await all_of(model, [asked(text, 8 + len(text) % 20) for text in texts])
        decoder.clear()
        apart = []
        for text in texts:
            apart.append(await model.complete(asked(text, 8 + len(text) % 20)))
            decoder.clear()
        return together, apart

    together, apart = using(folder, work)
    assert [one.text for one in together] == [one.text for one in apart]
    assert len({one.text for one in apart}) > len(texts) // 3, "the answers differ from row to row"
    assert sum(one.cached_tokens for one in together) > sum(one.prompt_tokens for one in together) / 4


def test_eight_samples_cost_no_more_than_1_3_times_the_reading_of_one(folder: Path) -> None:
    async def work(model: TransformersModel, decoder: Decoder) -> tuple[int, int]:
        with read_tokens(decoder) as one:
            await all_of(model, [asked(EXAMPLES, temperature=0.9)])
        decoder.clear()
        with read_tokens(decoder) as eight:
            found = await all_of(model, [asked(EXAMPLES, temperature=0.9, seed=at) for at in range(8)])
        assert len({completion.text for completion in found}) > 1
        return sum(one), sum(eight)

    one, eight = using(folder, work)
    assert one <= eight <= 1.3 * one


def test_a_beginning_read_for_earlier_rows_is_not_read_again(folder: Path) -> None:
    async def work(model: TransformersModel, decoder: Decoder) -> Completion:
        await all_of(model, [asked(EXAMPLES + f"row {at}") for at in range(4)])
        return await model.complete(asked(EXAMPLES + "another"))

    later = using(folder, work)
    assert later.prompt_tokens - later.cached_tokens < 20


def test_the_next_turn_of_a_conversation_reads_only_what_is_new(folder: Path) -> None:
    async def work(model: TransformersModel, decoder: Decoder) -> tuple[Completion, Completion]:
        first = await model.complete(asked("How many apples are there?", 40))
        turns = (
            {"role": "user", "content": "How many apples are there?"},
            {"role": "assistant", "content": first.text},
            {"role": "user", "content": "And pears?"},
        )
        return first, await model.complete(Request(turns, Sampling(temperature=0.0, max_tokens=4, seed=1)))

    first, second = using(folder, work)
    assert second.cached_tokens >= first.prompt_tokens
    assert second.prompt_tokens > second.cached_tokens


def test_no_more_enters_than_the_cache_has_memory_for(folder: Path) -> None:
    largest: list[int] = []

    async def work(model: TransformersModel, decoder: Decoder) -> list[Completion]:
        assert model._lease is not None
        model._lease.resident.batcher._largest_cache_tokens = 300
        step = decoder.step

        def watched() -> None:
            step()
            largest.append(len(decoder.rows) * max(decoder._keys.lengths) + decoder.shared_tokens())

        decoder.step = watched  # type: ignore[method-assign]
        return await all_of(model, [asked(f"{'words ' * (at % 7)}{at}", 5 + at % 30) for at in range(40)])

    found = using(folder, work)
    assert all(completion.completion_tokens for completion in found)
    assert 150 < max(largest) <= 300


def test_a_cancelled_run_frees_its_memory_at_once(folder: Path) -> None:
    async def work(model: TransformersModel, decoder: Decoder) -> tuple[int, int, int]:
        tasks = [asyncio.ensure_future(model.complete(asked(f"row {at}", 1500))) for at in range(8)]
        await until(lambda: len(decoder.rows) == 8)
        for task in tasks[2:]:
            task.cancel()
        await until(lambda: len(decoder.rows) == 2)
        rows = decoder._keys.room[0]
        for task in tasks:
            task.cancel()
        await until(lambda: not decoder.rows)
        return rows, *decoder._keys.room

    assert using(folder, work) == (8, 0, 0)


def test_a_stream_is_read_before_what_waits_and_tells_every_token(folder: Path) -> None:
    async def work(model: TransformersModel, decoder: Decoder) -> tuple[int, list[str]]:
        background = [
            asyncio.ensure_future(model.complete(asked("long " * 120 + str(at), 200))) for at in range(30)
        ]
        await until(lambda: bool(decoder.rows))
        pieces = [piece async for piece in model.stream(asked("How many?", 20))]
        done = sum(task.done() for task in background)
        for task in background:
            task.cancel()
        return done, pieces

    done, pieces = using(folder, work, concurrency=4)
    assert done < 30
    assert "".join(pieces)


def test_a_model_whose_attention_cannot_be_split_answers_the_same_without_sharing_memory(
    tmp_path: Path,
) -> None:
    from transformers import AutoModelForCausalLM, BloomConfig, BloomForCausalLM

    folder = tiny_model(tmp_path / "bloom")
    (folder / "model.safetensors").unlink()
    sizes = {"vocab_size": 320, "hidden_size": 32, "n_layer": 2, "n_head": 4, "initializer_range": 0.4}
    BloomForCausalLM(BloomConfig(**sizes, eos_token_id=2, pad_token_id=0)).save_pretrained(folder)
    requests = [asked(EXAMPLES + f"row {at}") for at in range(5)]

    async def work(model: TransformersModel, decoder: Decoder) -> tuple[list[Completion], list[str], int]:
        found = await all_of(model, requests)
        assert model._lease is not None
        chat, network = model._lease.resident.chat, AutoModelForCausalLM.from_pretrained(folder)
        texts = []
        for request in requests:
            ids = chat.encode(request.messages)
            prompt = network.dummy_inputs["input_ids"].new_tensor([ids])
            out = network.generate(input_ids=prompt, max_new_tokens=12, do_sample=False)[0, len(ids) :]
            texts.append(chat.decode(out.tolist()).lstrip())
        return found, texts, decoder.shared_tokens()

    found, texts, shared = using(folder, work)
    assert [completion.text for completion in found] == texts
    assert shared == 0
    assert sum(completion.cached_tokens for completion in found) > 0, "what was read is still not read again"


def test_a_model_that_keeps_a_running_state_is_refused_with_the_way_out(tmp_path: Path) -> None:
    from transformers import MambaConfig, MambaForCausalLM

    folder = tiny_model(tmp_path / "mamba")
    (folder / "model.safetensors").unlink()
    sizes = {"vocab_size": 320, "hidden_size": 32, "num_hidden_layers": 2, "state_size": 4}
    MambaForCausalLM(MambaConfig(**sizes)).save_pretrained(folder)

    async def work(model: TransformersModel, decoder: Decoder) -> None: ...

    with pytest.raises(ModelUnavailable, match=r"Model 'tiny'.*'mamba'.*running state.*llama_cpp"):
        using(folder, work)


def test_weights_that_give_no_numbers_are_an_error_and_not_an_empty_answer(tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    folder = tiny_model(tmp_path / "damaged")
    weights = load_file(folder / "model.safetensors")
    weights["model.norm.weight"] *= float("nan")
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})

    async def work(model: TransformersModel, decoder: Decoder) -> Completion:
        return await model.complete(asked("How many?"))

    with pytest.raises(ModelRefused, match=r"Model 'tiny'.*NaN.*try fp32"):
        using(folder, work)


def test_rows_of_very_different_lengths_answer_as_each_does_alone(folder: Path) -> None:
    requests = [asked("word " * (at * 7 % 60) + str(at), 4 + at * 11 % 90) for at in range(30)]

    async def work(model: TransformersModel, decoder: Decoder) -> tuple[list[str], list[str], int]:
        groups: list[int] = []
        step = decoder.step

        def watched() -> None:
            groups.append(len(decoder._keys.groups()))
            step()

        decoder.step = watched  # type: ignore[method-assign]
        together = await all_of(model, requests)
        decoder.clear()
        return (
            [one.text for one in together],
            [(await model.complete(request)).text for request in requests],
            max(groups),
        )

    together, apart, groups = using(folder, work, concurrency=12)
    assert together == apart
    assert groups == 2, "short rows stood apart from long ones"


def test_a_row_without_numbers_leaves_none_behind_for_whoever_takes_its_place(folder: Path) -> None:
    lasting, long = asked("word " * 30, 300), [asked("word " * 40 + str(at), 280) for at in range(2)]

    async def work(model: TransformersModel, decoder: Decoder) -> tuple[list[str], list[str]]:
        clean = [(await model.complete(request)).text for request in (lasting, long[1])]
        decoder.clear()
        forward, damaged = decoder._forward, False

        def damaging(*arguments: Any) -> Any:
            nonlocal damaged
            logits = forward(*arguments)
            if not damaged and len(decoder.rows) == len(logits) == 2:
                damaged = True
                row = max(range(2), key=lambda index: len(decoder.rows[index].prompt))
                for keys, values in decoder._keys.of_row(row, 0, decoder._keys.lengths[row]):
                    keys.fill_(float("nan"))
                    values.fill_(float("nan"))
                logits[row] = float("nan")
            return logits

        decoder._forward = damaging  # type: ignore[method-assign]
        staying = asyncio.ensure_future(model.complete(lasting))
        with pytest.raises(ModelRefused, match="NaN"):
            await model.complete(long[0])
        await until(lambda: len(decoder.rows) == 1)
        held = [side for layer in decoder._keys._layers for side in (layer.keys, layer.values)]
        assert held and not any(bool(side.isnan().any()) for side in held)
        late = await model.complete(long[1])
        return clean, [(await staying).text, late.text]

    clean, after = using(folder, work)
    assert after == clean
