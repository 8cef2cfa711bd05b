"""Promises of models run by llama.cpp: the same texts as transformers', and one sentence for what fails."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import os
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from tests.models.local.test_adapters import tiny_adapter
from tests.models.tiny import tiny_model
from tests.require import require
from workbench.core.model import Completion, LocalModel, Model, ModelSpec, Request
from workbench.core.prompt import Sampling
from workbench.errors import ModelRefused, ModelUnavailable, PromptTooLong
from workbench.models import Catalog
from workbench.models.embedded import embedded_path
from workbench.models.gguf import server
from workbench.models.gguf.convert import convert
from workbench.models.llama_cpp import LlamaCppModel
from workbench.models.transformers_local import TransformersModel

ROWS = 50
APPLES = {
    "type": "object",
    "properties": {
        "fruit": {"enum": ["apples", "pears"]},
        "count": {"type": "integer", "minimum": 0, "maximum": 99},
    },
    "required": ["fruit", "count"],
    "additionalProperties": False,
}


@pytest.fixture(scope="module", autouse=True)
def _llama_cpp_is_installed() -> None:
    require(find_spec("xllamacpp") and find_spec("gguf"), "the packages xllamacpp and gguf")


@pytest.fixture(scope="module")
def small_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return convert(
        embedded_path("small"), tmp_path_factory.mktemp("gguf") / "small.gguf", "f16", "small"
    ).file


def a_row(file: Path, **changes: Any) -> ModelSpec:
    return ModelSpec(**{"name": "mine", "provider": "llama_cpp", "model": str(file)} | changes)


def a_request(text: str = "Tom has 3 apples and buys 4. How many apples has Tom?", **changes: Any) -> Request:
    sampling = Sampling(temperature=0.0, max_tokens=40, seed=1).model_copy(update=changes)
    return Request(({"role": "user", "content": text},), sampling)


def with_model(spec: ModelSpec, use: Callable[[LlamaCppModel], Awaitable[Any]]) -> Any:
    async def once() -> Any:
        model = LlamaCppModel(spec)
        try:
            return await use(model)
        finally:
            await model.close()

    return asyncio.run(once())


def ask(spec: ModelSpec, *requests: Request) -> list[Completion]:
    async def all_of_them(model: LlamaCppModel) -> list[Completion]:
        return list(await asyncio.gather(*map(model.complete, requests)))

    return with_model(spec, all_of_them)


@pytest.mark.parametrize("name", ["nano", "small"])
@pytest.mark.parametrize("quantization", ["f32", "f16"])
def test_greedy_texts_are_those_of_transformers(
    name: str, quantization: str, repository: Path, tmp_path: Path
) -> None:
    file = repository / "experiments" / "datasets" / "word-problems" / "test.jsonl"
    questions = [json.loads(line)["question"] for line in file.read_text("utf-8").splitlines()[:ROWS]]
    requests = [
        Request(
            (
                {"role": "system", "content": "You solve arithmetic word problems."},
                {"role": "user", "content": f"{question}\nLet's think step by step."},
            ),
            Sampling(temperature=0.0, max_tokens=80, seed=1),
        )
        for question in questions
    ]

    async def by_transformers() -> list[Completion]:
        row = ModelSpec(name=name, provider="transformers", model=str(embedded_path(name)))
        model = TransformersModel(row)
        try:
            return list(await asyncio.gather(*map(model.complete, requests)))
        finally:
            await model.close()

    expected = asyncio.run(by_transformers())
    converted = convert(embedded_path(name), tmp_path / "model.gguf", quantization, name).file
    found = ask(a_row(converted), *requests)
    assert [one.text for one in found] == [one.text for one in expected]
    assert [one.prompt_tokens for one in found] == [one.prompt_tokens for one in expected]
    assert len({one.text for one in found}) > ROWS // 2, "the questions are too much alike to prove anything"


def test_the_model_keeps_the_interface(small_file: Path) -> None:
    model = LlamaCppModel(a_row(small_file))
    assert isinstance(model, Model) and isinstance(model, LocalModel) and model.local


def test_text_that_is_no_ascii_arrives_whole(tmp_path: Path) -> None:
    folder = tiny_model(tmp_path / "model")
    file = convert(folder, tmp_path / "tiny.gguf", "f32", "tiny").file
    text = "señor, ¿cuántas? 苹果 🍎 <b>\n\tx"

    async def counted(model: LlamaCppModel) -> tuple[int, int, Completion]:
        await model.warm()
        request = a_request(text, max_tokens=30)
        done = await model.complete(request)
        return model.count_tokens(request.messages), done.prompt_tokens, done

    count, asked, done = with_model(a_row(file), counted)
    row = ModelSpec(name="tiny", provider="transformers", model=str(folder))
    assert count == asked == TransformersModel(row).count_tokens(a_request(text).messages)
    assert done.completion_tokens > 0


def test_what_came_before_is_not_read_again(small_file: Path) -> None:
    async def twice(model: LlamaCppModel) -> list[Completion]:
        return [await model.complete(a_request()), await model.complete(a_request())]

    first, second = with_model(a_row(small_file, concurrency=1), twice)
    assert (first.cached_tokens, second.cached_tokens) == (0, first.prompt_tokens - 1)
    assert first.text == second.text
    assert 0 < (first.first_token_s or 0) <= first.latency_s


def test_a_stop_string_ends_the_answer_and_is_not_part_of_it(small_file: Path) -> None:
    whole, stopped, short = ask(
        a_row(small_file), a_request(), a_request(stop=("Answer",)), a_request(max_tokens=3)
    )
    assert "Answer" in whole.text and stopped.text == whole.text.split("Answer")[0]
    assert (whole.finish_reason, short.finish_reason) == ("stop", "length")
    assert short.completion_tokens == 3


def test_a_sample_depends_on_its_seed(small_file: Path) -> None:
    seeds = [1, 1, 2, 3, 4, 5]
    texts = [
        ask(a_row(small_file), a_request(temperature=1.5, seed=seed, max_tokens=20))[0].text for seed in seeds
    ]
    assert texts[0] == texts[1] and len(set(texts)) > 3


def test_a_narrow_nucleus_is_greedy(small_file: Path) -> None:
    greedy, narrow = ask(a_row(small_file), a_request(), a_request(temperature=1.5, top_p=0.01, seed=9))
    assert greedy.text == narrow.text


def test_log_probabilities_are_those_of_transformers(tmp_path: Path) -> None:
    file = convert(embedded_path("small"), tmp_path / "small.gguf", "f32", "small").file
    request = Request(a_request().messages, a_request().sampling, logprobs=True, top_logprobs=3)
    found = ask(a_row(file), request)[0]

    async def by_transformers() -> Completion:
        model = TransformersModel(
            ModelSpec(name="small", provider="transformers", model=str(embedded_path("small")))
        )
        try:
            return await model.complete(request)
        finally:
            await model.close()

    expected = asyncio.run(by_transformers())
    assert found.logprob == pytest.approx(expected.logprob, abs=1e-3)
    assert found.top_logprobs and expected.top_logprobs
    assert len(found.top_logprobs) == len(expected.top_logprobs)
    for theirs, ours in zip(found.top_logprobs, expected.top_logprobs, strict=True):
        # llama.cpp shows no text of special tokens
        assert {text or "<|end|>": value for text, value in theirs.items()} == pytest.approx(
            dict(ours), abs=1e-3
        )


def test_pieces_of_a_stream_are_the_whole_text(small_file: Path) -> None:
    async def both(model: LlamaCppModel) -> tuple[str, str, int]:
        pieces = [piece async for piece in model.stream(a_request())]
        return "".join(pieces), (await model.complete(a_request())).text, len(pieces)

    streamed, whole, count = with_model(a_row(small_file), both)
    assert streamed == whole and count > 3


def test_messages_that_do_not_fit_are_refused_and_others_go_on(small_file: Path) -> None:
    async def both(model: LlamaCppModel) -> str:
        with pytest.raises(PromptTooLong, match="context holds 256"):
            await model.complete(a_request("a b " * 400))
        return (await model.complete(a_request())).text

    assert with_model(a_row(small_file, context=256), both)


@pytest.mark.parametrize("temperature", [0.0, 1.0])
def test_an_answer_held_to_a_schema_is_valid_json(small_file: Path, temperature: float) -> None:
    requests = [
        Request(one.messages, one.sampling, json_schema=APPLES)
        for one in (a_request(temperature=temperature, seed=seed) for seed in range(10))
    ]
    for done in ask(a_row(small_file), *requests):
        answer = json.loads(done.text)
        assert answer.keys() == {"fruit", "count"} and answer["fruit"] in ("apples", "pears")
        assert isinstance(answer["count"], int) and 0 <= answer["count"] <= 99


def test_a_schema_that_llama_cpp_cannot_keep_is_said_so(small_file: Path) -> None:
    schema = {"type": "object", "properties": {"a": {"type": "string", "pattern": "("}}, "required": ["a"]}
    request = Request(a_request().messages, a_request().sampling, json_schema=schema)
    with pytest.raises(ModelRefused, match="JSON schema"):
        ask(a_row(small_file), request)


def test_only_who_knows_the_key_is_answered_and_only_on_this_machine(small_file: Path) -> None:
    async def asked_by_a_stranger(model: LlamaCppModel) -> str:
        await model.warm()
        assert model._lease is not None
        running = model._lease.running
        stranger = dataclasses.replace(running, key="guessed")
        for path, body in [("/v1/chat/completions", {}), ("/tokenize", {"content": "x"}), ("/slots", None)]:
            with pytest.raises(OSError, match="401"):
                await asyncio.to_thread(stranger.ask, path, body)
        return running.address

    assert with_model(a_row(small_file), asked_by_a_stranger).startswith("http://127.0.0.1:")


def test_rows_of_one_file_share_one_server_and_the_last_to_close_frees_it(small_file: Path) -> None:
    async def together(first: LlamaCppModel) -> None:
        second = LlamaCppModel(a_row(small_file, name="other"))
        await asyncio.gather(first.warm(), second.warm())
        assert len(server._RUNNING) == 1
        await first.close()
        assert (await second.complete(a_request())).text
        await second.close()
        assert not server._RUNNING

    with_model(a_row(small_file), together)


@pytest.mark.timeout(60)
def test_a_server_that_is_let_go_at_once_ends(small_file: Path) -> None:
    header = server.read_header(small_file, "mine")
    for _ in range(10):
        server.ServerLease(server.fitting(header, small_file, 2, 256, True, "mine"), "mine").release()
    assert not server._RUNNING


def test_a_cancelled_request_frees_its_place(small_file: Path) -> None:
    numbers = {"type": "array", "items": {"type": "integer", "minimum": 0, "maximum": 99}, "minItems": 300}

    async def cancelled(model: LlamaCppModel) -> None:
        await model.warm()
        assert model._lease is not None
        running = model._lease.running
        endless = Request(a_request().messages, a_request(max_tokens=900).sampling, json_schema=numbers)
        task = asyncio.create_task(model.complete(endless))
        while not await asyncio.to_thread(busy, running):
            await asyncio.sleep(0.01)
            assert not task.done()
        task.cancel()
        until = time.monotonic() + 100
        while await asyncio.to_thread(busy, running):
            assert time.monotonic() < until
            await asyncio.sleep(0.01)

    def busy(running: server.RunningServer) -> bool:
        return any(slot["is_processing"] for slot in running.ask("/slots"))

    with_model(a_row(small_file, concurrency=1), cancelled)


def test_what_it_takes_is_told(small_file: Path) -> None:
    async def footprint(model: LlamaCppModel) -> Any:
        assert model.footprint() is None
        assert await model.warm() == "cpu"
        return model.footprint()

    told = with_model(a_row(small_file, device="cpu"), footprint)
    assert told.disk_bytes == small_file.stat().st_size and told.parameters == 1_476_224
    assert told.memory_bytes > told.disk_bytes and told.estimated_bytes > told.disk_bytes


def test_a_context_that_memory_cannot_hold_means_fewer_requests_at_once(
    small_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    header = server.read_header(small_file, "mine")
    each = header.cache_bytes_per_token()
    fixed = header.file_bytes + server._work_bytes(header)
    monkeypatch.setattr(server, "free_memory", lambda: fixed + 3000 * each)
    settings = server.fitting(header, small_file, 8, 1024, True, "mine")
    assert (settings.slots, settings.context) == (2, 1024)
    assert server.fitting(header, small_file, 8, None, True, "mine").slots == 5
    monkeypatch.setattr(server, "free_memory", lambda: fixed + 100 * each)
    with pytest.raises(ModelUnavailable, match="are free"):
        server.fitting(header, small_file, 8, None, True, "mine")


def test_a_broken_file_never_reaches_llama_cpp(small_file: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken.gguf"
    broken.write_bytes(small_file.read_bytes()[:-500])
    assert "cut off" in LlamaCppModel.check(a_row(broken)).sentence
    with pytest.raises(ModelUnavailable, match="cut off"):
        ask(a_row(broken), a_request())
    assert not LlamaCppModel.check(a_row(tmp_path / "none.gguf")).ok


def test_an_architecture_that_llama_cpp_does_not_know_is_one_sentence(
    small_file: Path, tmp_path: Path
) -> None:
    foreign = tmp_path / "foreign.gguf"
    foreign.write_bytes(small_file.read_bytes().replace(b"llama", b"lxama"))
    with pytest.raises(ModelUnavailable, match="architecture lxama"):
        ask(a_row(foreign), a_request())


def test_llama_cpp_writes_nothing_on_the_terminal(small_file: Path) -> None:
    script = (
        "import asyncio, sys; from workbench.core.model import ModelSpec, Request\n"
        "from workbench.core.prompt import Sampling\n"
        "from workbench.models.llama_cpp import LlamaCppModel\n"
        "async def main():\n"
        "    model = LlamaCppModel(ModelSpec(name='m', provider='llama_cpp', model=sys.argv[1]))\n"
        "    sampling = Sampling(temperature=0.0, max_tokens=8, seed=1)\n"
        "    await model.complete(Request(({'role': 'user', 'content': 'hi'},), sampling))\n"
        "    await model.close()\n"
        "asyncio.run(main())\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(small_file)],
        capture_output=True,
        text=True,
        timeout=120,
        env=dict(os.environ),
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_a_folder_held_as_gguf_is_converted_at_its_first_use(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORKBENCH_CACHE", str(tmp_path / "cache"))
    catalog = Catalog(tmp_path / "models.yaml")
    assert "converted to GGUF at its first use" in catalog.check("small@q8_0").sentence
    spec = catalog.spec("small@q8_0")
    assert (spec.provider, spec.name, spec.quantization) == ("llama_cpp", "small@q8_0", "q8_0")
    assert catalog.spec("small@int8").provider == "transformers"
    found = ask(spec, a_request())[0]
    assert "Answer" in found.text
    assert len(list((tmp_path / "cache" / "gguf").glob("*-q8_0.gguf"))) == 1
    identities = {catalog.open(f"small{held}").identity() for held in ("", "@q8_0", "@q4_0", "@int8")}
    assert len(identities) == 4


def test_tokens_of_a_folder_are_counted_before_anything_is_converted_or_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORKBENCH_CACHE", str(tmp_path / "cache"))
    messages = a_request("Tom has 12,345 apples. " * 20).messages
    row = ModelSpec(name="small", provider="llama_cpp", model=str(embedded_path("small")), quantization="f16")
    model = LlamaCppModel(row)
    before = model.count_tokens(messages)
    assert not (tmp_path / "cache").exists() and model.footprint() is None

    async def loaded(model: LlamaCppModel) -> int:
        await model.warm()
        return model.count_tokens(messages)

    assert before == with_model(row, loaded)
    assert before != LlamaCppModel(a_row(tmp_path / "absent.gguf")).count_tokens(messages) > 100


def test_an_adapter_is_merged_before_the_folder_is_converted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    require(find_spec("peft"), "the package peft")
    monkeypatch.setenv("WORKBENCH_CACHE", str(tmp_path / "cache"))
    base = tiny_model(tmp_path / "base")
    adapter = tiny_adapter(tmp_path / "adapter", base)
    plain, adapted = (
        ModelSpec(name="tiny", provider="transformers", model=str(base), adapter=one)
        for one in (None, str(adapter))
    )

    async def by_transformers() -> str:
        model = TransformersModel(adapted)
        try:
            return (await model.complete(a_request(max_tokens=12))).text
        finally:
            await model.close()

    row = adapted.model_copy(update={"provider": "llama_cpp", "quantization": "f32"})
    bare = plain.model_copy(update={"provider": "llama_cpp", "quantization": "f32"})
    assert LlamaCppModel.check(row).ok
    found, without = ask(row, a_request(max_tokens=12))[0].text, ask(bare, a_request(max_tokens=12))[0].text
    assert found == asyncio.run(by_transformers()) != without
    assert LlamaCppModel(row).identity() != LlamaCppModel(bare).identity()


def test_a_model_without_a_chat_template_needs_one_in_its_row(tmp_path: Path) -> None:
    folder = tiny_model(tmp_path / "base", chat_template=None)
    file = convert(folder, tmp_path / "base.gguf", "f16", "base").file
    assert "chat_template: chatml" in LlamaCppModel.check(a_row(file)).sentence
    with pytest.raises(ModelUnavailable, match="no chat template"):
        ask(a_row(file), a_request())
    assert "no chat template 'chatmil'" in LlamaCppModel.check(a_row(file, chat_template="chatmil")).sentence
    named = a_row(file, chat_template="plain")
    assert LlamaCppModel.check(named).ok and ask(named, a_request())[0].prompt_tokens > 10


def test_a_file_takes_no_quantization_and_no_adapter(small_file: Path) -> None:
    assert "in one way only" in LlamaCppModel.check(a_row(small_file, quantization="q4_0")).sentence
    assert "adapter" in LlamaCppModel.check(a_row(small_file, adapter="somewhere")).sentence
    assert LlamaCppModel.check(a_row(small_file)).ok
