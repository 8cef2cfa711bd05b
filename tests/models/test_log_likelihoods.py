"""How likely a local model finds a text is what a plain forward says, in any batch and at any length."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from tests.models.local.test_adapters import tiny_adapter
from tests.models.local.test_architectures import ARCHITECTURES, written
from tests.models.tiny import tiny_model
from tests.require import require
from workbench.core.model import Completion, ModelSpec, Request, TextScorer
from workbench.core.prompt import Sampling
from workbench.errors import ModelUnavailable
from workbench.models.local import likelihood
from workbench.models.transformers_local import TransformersModel

TEXTS = [
    "The answer is 42 because six times seven is forty-two.",
    "señor, ¿cuántas manzanas? 苹果 🍎",
    "a b",
    *(f"row {number}: " + "apples and pears " * (number % 7) for number in range(20)),
    "x" * 180,
]
Found = tuple[float, int] | str


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tiny_model(tmp_path_factory.mktemp("models") / "tiny")
    held = a_model(folder)  # so that the others need not load it again
    asyncio.run(held.warm())
    yield folder
    asyncio.run(held.close())


def a_model(folder: Path, **row: Any) -> TransformersModel:
    return TransformersModel(
        ModelSpec(**{"name": "tiny", "provider": "transformers", "model": str(folder)} | row)
    )


def asked(folder: Path, texts: list[str], **row: Any) -> list[Found]:
    async def whole() -> list[Found]:
        model = a_model(folder, **row)
        try:
            return await model.log_likelihoods(texts)
        finally:
            await model.close()

    return asyncio.run(whole())


def plain(network: Any, folder: Path, texts: list[str]) -> list[tuple[float, int]]:
    """Text by text, by the loss that the library itself computes."""
    import torch
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder)
    found = []
    network.eval()
    with torch.no_grad():
        for text in texts:
            ids = tokenizer(text, return_tensors="pt")["input_ids"]
            loss = network(ids, labels=ids).loss
            found.append((-float(loss) * (ids.shape[1] - 1), ids.shape[1] - 1))
    return found


def same(found: list[Found], expected: list[tuple[float, int]]) -> None:
    for one, other in zip(found, expected, strict=True):
        assert not isinstance(one, str)
        assert one[1] == other[1]
        assert one[0] == pytest.approx(other[0], rel=1e-4)


def test_a_batch_of_texts_is_as_likely_as_each_alone_in_a_plain_forward(folder: Path) -> None:
    from transformers import AutoModelForCausalLM

    assert isinstance(a_model(folder), TextScorer)
    network = AutoModelForCausalLM.from_pretrained(folder)
    same(asked(folder, TEXTS), plain(network, folder, TEXTS))


def test_an_adapter_is_part_of_the_model(folder: Path, tmp_path: Path) -> None:
    require(find_spec("peft"), "the package peft")
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    adapter = tiny_adapter(tmp_path / "adapter", folder)
    network = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(folder), str(adapter))
    found = asked(folder, TEXTS, adapter=str(adapter))
    same(found, plain(network, folder, TEXTS))
    assert found != asked(folder, TEXTS)


@pytest.mark.parametrize("kind", ["Gemma2", "GptOss", "Falcon"])
def test_windows_experts_and_small_passes_change_nothing(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from transformers import AutoModelForCausalLM

    assert kind in ARCHITECTURES
    folder = written(tmp_path / kind, kind)
    network = AutoModelForCausalLM.from_pretrained(folder)
    monkeypatch.setattr(likelihood, "PASS_TOKENS", 48)  # the longest texts are read in portions
    same(asked(folder, TEXTS[:8] + TEXTS[-1:]), plain(network, folder, TEXTS[:8] + TEXTS[-1:]))


def test_texts_that_cannot_be_told_leave_the_others_alone(folder: Path) -> None:
    empty, single, long, endless, broken, fine = asked(
        folder, ["", "z", "apples " * 200, "a" * 1_000_000, "half a pair \ud83e", "a b"]
    )
    assert empty == single == (0.0, 0)
    assert isinstance(long, str) and "'tiny'" in long and "reads 256 tokens at most" in long
    assert isinstance(endless, str) and "1,000,000 characters" in endless
    assert not isinstance(broken, str) and broken[1] > 3
    assert not isinstance(fine, str) and fine[0] < 0


def test_the_rows_own_context_is_the_limit(folder: Path) -> None:
    found = asked(folder, ["apples " * 10], context=16)[0]
    assert isinstance(found, str) and "16 tokens at most" in found


def test_a_large_vocabulary_makes_passes_shorter() -> None:
    assert likelihood.pass_tokens(2_048) == 2_048
    assert likelihood.pass_tokens(150_000) * 150_000 <= 2**24
    sequences = {key: tuple(range(length)) for key, length in enumerate([5, 300, 7, 90, 2, 6, 95])}
    batches = list(likelihood.passes(sequences, 100))
    assert sorted(key for batch in batches for key in batch) == list(range(7))
    assert batches[0] == [4, 0, 5, 2]
    for batch in batches:
        assert len(batch) == 1 or len(batch) * max(len(sequences[key]) for key in batch) <= 100


def test_weights_that_give_no_numbers_are_a_reason_and_no_likelihood(tmp_path: Path) -> None:
    import torch
    from safetensors.torch import load_file, save_file

    folder = tiny_model(tmp_path / "damaged")
    weights = load_file(folder / "model.safetensors")
    weights["model.norm.weight"] = torch.full_like(weights["model.norm.weight"], torch.nan)
    save_file(weights, folder / "model.safetensors", {"format": "pt"})
    found = asked(folder, ["a b c", "a b"])
    assert all(isinstance(one, str) and "NaN" in one for one in found)


def test_answers_that_are_being_written_are_not_disturbed(folder: Path) -> None:
    requests = [
        Request(({"role": "user", "content": f"row {n}"},), Sampling(temperature=0.0, max_tokens=60, seed=1))
        for n in range(6)
    ]

    async def whole(beside: bool) -> tuple[list[Completion], list[Found]]:
        model = a_model(folder)
        try:
            answers = asyncio.gather(*map(model.complete, requests))
            found = await model.log_likelihoods(TEXTS) if beside else []
            return list(await answers), found
        finally:
            await model.close()

    alone, (answers, found) = asyncio.run(whole(False))[0], asyncio.run(whole(True))
    assert [answer.text for answer in answers] == [answer.text for answer in alone]
    assert found == asked(folder, TEXTS)


def test_a_pass_that_fails_and_a_model_that_is_closed_are_sentences(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def whole() -> None:
        model = a_model(folder, quantization="bf16")  # nobody else holds it so
        await model.warm()
        assert model._lease is not None
        batcher = model._lease.resident.batcher
        with monkeypatch.context() as patch:
            patch.setattr(batcher._decoder, "log_likelihoods", lambda *_: 1 / 0)
            with pytest.raises(ModelUnavailable, match="Model 'tiny': reading failed"):
                await model.log_likelihoods(["a b"])
        assert await model.log_likelihoods(["a b"])  # the thread goes on
        await model.close()
        with pytest.raises(ModelUnavailable, match="closed"):
            await batcher.between_steps(lambda decoder: None)

    asyncio.run(whole())
