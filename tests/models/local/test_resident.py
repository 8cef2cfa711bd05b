"""Promises of loaded models: memory goes back, idle ones make room, busy ones are left alone."""

from __future__ import annotations

import asyncio
import gc
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.models.tiny import tiny_model
from workbench.core.model import LocalModel, ModelSpec, Request
from workbench.core.prompt import Sampling
from workbench.errors import ModelRefused, ModelUnavailable
from workbench.models.local import resident
from workbench.models.transformers_local import TransformersModel

ASKED = Request(({"role": "user", "content": "hello"},), Sampling(temperature=0.0, max_tokens=8, seed=1))
LONG = Request(({"role": "user", "content": "hello"},), Sampling(temperature=1.0, max_tokens=200, seed=1))
LARGE = {"hidden_size": 512, "intermediate_size": 4096, "num_hidden_layers": 6}  # 170 MB


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_model(tmp_path_factory.mktemp("models") / "tiny")


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_model(tmp_path_factory.mktemp("models") / "large", **LARGE)


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Models that other tests left loaded are none of these tests' business."""
    monkeypatch.setattr(resident, "_RESIDENTS", {})
    yield
    gc.collect()


def a_model(folder: Path, name: str = "tiny", **row: Any) -> TransformersModel:
    return TransformersModel(ModelSpec(name=name, provider="transformers", model=str(folder), **row))


def loaded() -> set[str]:
    return {one.name for one in resident._RESIDENTS.values()}


def room_for(monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    """Only so many models fit, however large they are."""

    def free(device: str = "cpu") -> int:
        return 10**12 if len(resident._RESIDENTS) < count else 0

    monkeypatch.setattr(resident, "free_memory", free)


def test_memory_goes_back_when_the_last_user_lets_go(large: Path) -> None:
    """In a process of its own: other tests leave holes, caches and threads in this one."""
    script = """
import asyncio
import sys
from workbench.core.model import ModelSpec, Request
from workbench.core.prompt import Sampling
from workbench.models.local.process_memory import resident_bytes
from workbench.models.transformers_local import TransformersModel

async def given_back():
    spec = ModelSpec(name="tiny", provider="transformers", model=sys.argv[1], quantization="bf16")
    model = TransformersModel(spec)
    await model.complete(Request(({"role": "user", "content": "hello"},), Sampling(max_tokens=8)))
    held = resident_bytes()
    await model.close()
    return held - resident_bytes()

print(asyncio.run(given_back()))
"""
    command = [sys.executable, "-c", script, str(large)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    weights = sum(file.stat().st_size for file in large.glob("*.safetensors")) // 2
    assert int(done.stdout) > weights * 0.9


def test_the_footprint_says_what_was_estimated_and_what_it_took(large: Path) -> None:
    model = a_model(large, quantization="bf16")
    assert isinstance(model, LocalModel) and model.footprint() is None

    async def whole() -> Any:
        await model.warm()
        before = model.footprint()
        await model.complete(ASKED)
        after = model.footprint()
        await model.close()
        return before, after

    before, after = asyncio.run(whole())
    weights = sum(file.stat().st_size for file in large.glob("*.safetensors"))
    assert after.memory_bytes >= before.memory_bytes > weights // 2
    assert after.parameters == pytest.approx(weights / 4, rel=0.01) and after.device == "cpu"
    assert after.disk_bytes > weights and after.load_s > 0 and after.estimated_bytes > weights // 2
    assert model.footprint() is None


def test_a_model_nobody_asks_makes_room_and_is_loaded_again_when_asked(
    tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    room_for(monkeypatch, 1)
    first, second = a_model(tiny, "first"), a_model(tiny, "second", quantization="bf16")

    async def whole() -> list[str]:
        texts = [(await first.complete(ASKED)).text]
        await second.complete(ASKED)
        assert loaded() == {"second"}
        texts.append((await first.complete(ASKED)).text)
        assert loaded() == {"first"}
        await first.close()
        await second.close()
        return texts

    texts = asyncio.run(whole())
    assert texts[0] == texts[1] and loaded() == set()


def test_the_longest_unused_model_goes_first_and_the_others_stay(
    tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    room_for(monkeypatch, 2)
    rows = {"a": "fp32", "b": "bf16", "c": "int8"}
    models = {name: a_model(tiny, name, quantization=kind) for name, kind in rows.items()}

    async def whole() -> None:
        for name in "aba":
            await models[name].complete(ASKED)
        await models["c"].complete(ASKED)
        assert loaded() == {"a", "c"}
        for model in models.values():
            await model.close()

    asyncio.run(whole())


def test_a_model_that_is_answering_is_waited_for(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    room_for(monkeypatch, 1)
    first, second = a_model(tiny, "first"), a_model(tiny, "second", quantization="bf16")

    async def whole() -> None:
        await first.warm()
        monkeypatch.setattr(first._lease.resident, "peak_bytes", 10**13)
        running = asyncio.create_task(first.complete(LONG))
        await asyncio.sleep(0.02)
        await second.complete(ASKED)
        assert running.done() and (await running).completion_tokens > 0
        await first.close()
        await second.close()

    asyncio.run(whole())


def test_a_model_that_answers_for_long_is_named_in_the_refusal(
    tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    room_for(monkeypatch, 1)
    monkeypatch.setattr(resident, "WAIT_S", 0.0)
    first, second = a_model(tiny, "first"), a_model(tiny, "second", quantization="bf16")

    async def whole() -> str:
        await first.warm()
        held = first._lease.resident
        held.peak_bytes = 10**13
        assert held.enter()
        with pytest.raises(ModelUnavailable) as caught:
            await second.complete(ASKED)
        held.leave()
        await first.close()
        return str(caught.value)

    words = asyncio.run(whole())
    assert (
        words.startswith("Model 'second': it needs about") and "while 'first'" in words and "\n" not in words
    )


def test_a_model_that_does_not_fit_is_refused_with_two_that_do(
    large: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    a_model(large)._tokenizer()  # the libraries are there: only the model itself is counted
    monkeypatch.setattr(resident, "free_memory", lambda device="cpu": 130 * 10**6)
    with pytest.raises(
        ModelUnavailable, match=r"weights 0\.2 GB.*0\.1 GB are free; these would fit: .*, or "
    ):
        asyncio.run(a_model(large, "large").warm())
    assert loaded() == set()


def test_fewer_requests_run_at_once_where_memory_is_short_unless_the_row_insists(
    tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = a_model(tiny)
    model._tokenizer()

    # the tiny model's cache is 256 bytes a token, the working memory of a step some 10 MB
    async def tokens(**row: Any) -> int:
        one = a_model(tiny, **row)
        await one.warm()
        found: int = one._lease.resident.batcher._largest_cache_tokens
        await one.close()
        return found

    assert asyncio.run(tokens()) == 64 * 256
    monkeypatch.setattr(resident, "free_memory", lambda device="cpu": 16 * 10**6)
    assert 256 <= asyncio.run(tokens()) < 64 * 256
    assert 256 <= asyncio.run(tokens(concurrency=200)) < 64 * 256
    with pytest.raises(ModelUnavailable, match="200 requests of 256 tokens at once"):
        asyncio.run(tokens(concurrency=200, context=256))


def test_a_long_context_that_nobody_stated_shrinks_and_a_request_beyond_it_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    long = tiny_model(tmp_path / "long", max_position_embeddings=131_072)
    a_model(long)._tokenizer()  # the libraries are there: only the model itself is counted
    beyond = Request(ASKED.messages, Sampling(temperature=0.0, max_tokens=100_000, seed=1))

    async def whole(**row: Any) -> tuple[int, str]:
        model = a_model(long, **row)
        try:
            assert (await model.complete(ASKED)).text
            with pytest.raises(ModelRefused) as caught:
                await model.complete(beyond)
            assert (await model.complete(ASKED)).text
            assert model._lease is not None
            return model._lease.resident.cache_tokens, str(caught.value)
        finally:
            await model.close()

    monkeypatch.setattr(resident, "free_memory", lambda device="cpu": 120 * 10**6)
    for row in ({}, {"concurrency": 64}):
        tokens, words = asyncio.run(whole(**row))
        assert 4096 <= tokens < 100_000
        assert f"({tokens:,} tokens)" in words and "up to 100,000 of answer" in words and "\n" not in words
    with pytest.raises(ModelUnavailable, match="1 request of 131,072 tokens"):
        asyncio.run(a_model(long, context=131_072).warm())


def test_who_gives_up_while_a_model_loads_leaves_nothing_behind(large: Path) -> None:
    model = a_model(large, quantization="int8")

    async def whole() -> None:
        loading = asyncio.create_task(model.complete(ASKED))
        await asyncio.sleep(0.05)
        loading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await loading
        await model.close()

    asyncio.run(whole())
    assert loaded() == set() and not resident._LOADING.locked() and model.footprint() is None


def test_a_load_that_is_interrupted_registers_nothing_and_the_next_one_works(
    tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*args: object) -> None:
        raise KeyboardInterrupt

    from workbench.models.local.loading import Wanted

    wanted, use = Wanted(tiny, "fp32", "tiny"), resident.Use(4)
    with monkeypatch.context() as patch:
        patch.setattr(resident, "load", interrupted)
        with pytest.raises(KeyboardInterrupt):
            resident.Lease(wanted, use)
    assert loaded() == set() and not resident._LOADING.locked()
    lease = resident.Lease(wanted, use)
    assert loaded() == {"tiny"}
    lease.release()
    lease.release()
    assert loaded() == set()


def test_broken_weights_are_named_with_the_model(tmp_path: Path) -> None:
    broken = tiny_model(tmp_path / "broken")
    weights = broken / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-100])
    with pytest.raises(ModelUnavailable, match=r"Model 'tiny': cannot be loaded.*is not whole"):
        asyncio.run(a_model(broken).warm())
