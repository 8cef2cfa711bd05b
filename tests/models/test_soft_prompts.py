"""Virtual tokens before every prompt: batched answers are those of peft's own generate, one by one."""

from __future__ import annotations

import asyncio
import warnings
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from tests.models.local.test_adapters import greedy_of_peft, refusal, spec, texts
from tests.models.local.test_architectures import written
from tests.models.tiny import tiny_model
from tests.require import require
from workbench.core.model import Completion, Request
from workbench.core.prompt import Sampling
from workbench.errors import ModelUnavailable, PromptTooLong
from workbench.models.local.adapters import require_mergeable
from workbench.models.local.memory import estimate_memory
from workbench.models.local.soft_prompts import virtual_tokens
from workbench.models.transformers_local import TransformersModel

require(find_spec("peft"), "the package peft")

KINDS = {"prefix": "prefix tuning", "prompt": "prompt tuning", "p": "P-tuning"}
LONG = "The answer is 42 because six times seven is forty-two. " * 12
each_kind = pytest.mark.parametrize("kind", KINDS)


def soft_adapter(folder: Path, base: Path, kind: str, count: int = 5) -> Path:
    """Virtual tokens over the base with random numbers that change its answers."""
    import torch
    from peft import PrefixTuningConfig, PromptEncoderConfig, PromptTuningConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    configs = {"prefix": PrefixTuningConfig, "prompt": PromptTuningConfig, "p": PromptEncoderConfig}
    more = {"encoder_hidden_size": 16} if kind == "p" else {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        config = configs[kind](task_type="CAUSAL_LM", num_virtual_tokens=count, **more)
        network = get_peft_model(AutoModelForCausalLM.from_pretrained(base), config)
        torch.manual_seed(7)
        for name, weight in network.named_parameters():
            if "prompt_encoder" in name:
                torch.nn.init.normal_(weight, std=1.0)
        network.save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_model(tmp_path_factory.mktemp("models") / "base", context=1024)


@pytest.fixture(scope="module")
def adapters(tmp_path_factory: pytest.TempPathFactory, base: Path) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("adapters")
    return {kind: soft_adapter(root / kind, base, kind) for kind in KINDS}


def answers(base: Path, adapter: Path, requests: list[Request], **row: Any) -> list[Completion]:
    async def whole() -> list[Completion]:
        model = TransformersModel(spec(base, adapter=str(adapter), **row))
        try:
            return list(await asyncio.gather(*map(model.complete, requests)))
        finally:
            await model.close()

    return asyncio.run(whole())


def asked(text: str, **sampling: Any) -> Request:
    settings = Sampling(temperature=0.0, max_tokens=12, seed=1).model_copy(update=sampling)
    return Request(({"role": "user", "content": text},), settings)


@each_kind
def test_a_batch_answers_as_peft_does_one_by_one(base: Path, adapters: dict[str, Path], kind: str) -> None:
    expected = greedy_of_peft(base, adapters[kind])
    assert texts(base, adapter=str(adapters[kind])) == expected
    assert texts(base) != expected


@pytest.mark.parametrize("kind", ["prefix", "prompt"])
@pytest.mark.parametrize("architecture", ["Qwen3", "Gemma3Text"])
def test_other_architectures_answer_as_peft_does(tmp_path: Path, architecture: str, kind: str) -> None:
    base = written(tmp_path / "base", architecture)
    adapter = soft_adapter(tmp_path / "adapter", base, kind)
    assert texts(base, adapter=str(adapter)) == greedy_of_peft(base, adapter) != texts(base)


@each_kind
def test_rows_that_share_a_beginning_and_come_twice_answer_as_alone(
    base: Path, adapters: dict[str, Path], kind: str
) -> None:
    requests = [asked(f"{LONG}{text}") for text in ("one", "two", "three", "one")] + [asked("hi")] * 60
    alone = {at: answers(base, adapters[kind], [requests[at]])[0].text for at in (0, 1, 4)}

    async def twice() -> list[Completion]:
        model = TransformersModel(spec(base, adapter=str(adapters[kind])))
        try:
            first = await asyncio.gather(*map(model.complete, requests))
            return [*first, *await asyncio.gather(*map(model.complete, requests))]
        finally:
            await model.close()

    found = asyncio.run(twice())
    texts_found = [one.text for one in found]
    assert texts_found[:64] == texts_found[64:]
    assert texts_found[:2] == [alone[0], alone[1]] and texts_found[3] == alone[0]
    assert set(texts_found[4:64]) == {alone[4]}
    assert found[0].prompt_tokens > 100 and found[4].prompt_tokens < 30, "virtual tokens are not counted"
    assert all(0 <= one.cached_tokens <= one.prompt_tokens for one in found)


@each_kind
def test_samples_differ_by_seed_and_repeat_by_it(base: Path, adapters: dict[str, Path], kind: str) -> None:
    requests = [asked("row 1?", temperature=1.0, seed=seed) for seed in range(6)]
    found = [one.text for one in answers(base, adapters[kind], requests)]
    assert len(set(found)) > 1
    assert [one.text for one in answers(base, adapters[kind], requests[::-1])] == found[::-1]


@each_kind
def test_likelihoods_are_those_with_the_virtual_tokens_before_the_text(
    base: Path, adapters: dict[str, Path], kind: str
) -> None:
    import torch
    from peft import PeftModel
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(base)
    network = PeftModel.from_pretrained(
        AutoModelForCausalLM.from_pretrained(base), str(adapters[kind])
    ).eval()
    texts_read = ["The answer is 42.", "señor, ¿cuántas manzanas?", LONG]
    expected = []
    for text in texts_read:
        ids = tokenizer(text, return_tensors="pt")["input_ids"]
        with torch.no_grad():
            logits = network(input_ids=ids).logits[:, -ids.shape[1] :]
        chances = logits[0, :-1].log_softmax(-1)
        expected.append(float(chances.gather(1, ids[0, 1:, None]).sum()))

    async def whole() -> list[Any]:
        model = TransformersModel(spec(base, adapter=str(adapters[kind])))
        try:
            return [*await model.log_likelihoods(texts_read), *await model.log_likelihoods(texts_read[:1])]
        finally:
            await model.close()

    found = asyncio.run(whole())
    assert [value for value, _ in found] == pytest.approx([*expected, expected[0]], rel=1e-4)


@pytest.mark.parametrize("quantization", ["bf16", "int8"])
def test_a_quantized_base_keeps_its_virtual_tokens(
    base: Path, adapters: dict[str, Path], quantization: str
) -> None:
    plain = texts(base, quantization=quantization)
    for kind in ("prefix", "prompt"):
        assert texts(base, quantization=quantization, adapter=str(adapters[kind])) != plain


@each_kind
def test_the_check_and_the_estimate_tell_the_kind_and_its_size(
    base: Path, adapters: dict[str, Path], kind: str
) -> None:
    check = TransformersModel.check(spec(base, adapter=str(adapters[kind])))
    assert check.ok and f"5 virtual tokens ({KINDS[kind]}) stand before every prompt" in check.sentence
    assert virtual_tokens(adapters[kind]) == 5
    plain, more = (estimate_memory(base, "fp32", 256, 4, adapter=one) for one in (None, adapters[kind]))
    assert more.cache_bytes - plain.cache_bytes == 5 * 2 * 2 * 2 * 8 * 4  # layers, both, heads, width, fp32


@each_kind
def test_virtual_tokens_of_another_base_are_refused(base: Path, tmp_path: Path, kind: str) -> None:
    other = {"num_hidden_layers": 3} if kind == "prefix" else {"hidden_size": 48}
    foreign = soft_adapter(tmp_path / "foreign", tiny_model(tmp_path / "other", **other), kind)
    assert "does not fit the base" in refusal(base, foreign)


def test_a_table_of_virtual_tokens_that_is_missing_is_one_sentence(base: Path, tmp_path: Path) -> None:
    import torch
    from safetensors.torch import save_file

    folder = soft_adapter(tmp_path / "adapter", base, "prompt")
    save_file({"something": torch.zeros(3, 3)}, folder / "adapter_model.safetensors")
    assert "no 'prompt_embeddings'" in refusal(base, folder)


def test_virtual_tokens_are_not_merged_into_weights(base: Path, adapters: dict[str, Path]) -> None:
    with pytest.raises(ModelUnavailable, match=r"virtual tokens \(prefix tuning\), which cannot be merged"):
        require_mergeable(adapters["prefix"], "mine")


def test_messages_that_fit_only_without_the_virtual_tokens_are_too_long(
    base: Path, adapters: dict[str, Path]
) -> None:
    text = "How many rows are there?"
    count = TransformersModel(spec(base)).count_tokens(asked(text).messages)
    with pytest.raises(PromptTooLong, match=f"whose context holds {count:,} with the answer"):
        answers(base, adapters["prompt"], [asked(text)], context=count + 5)
    assert answers(base, adapters["prompt"], [asked(text)], context=count + 6)[0].completion_tokens == 1
