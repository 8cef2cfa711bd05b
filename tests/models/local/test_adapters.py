"""Promises of adapters that are merged: they answer as peft does, and a foreign one is refused first."""

from __future__ import annotations

import asyncio
import json
import warnings
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from tests.models.tiny import tiny_model
from tests.require import require
from workbench.core.model import ModelSpec, Request
from workbench.core.prompt import Sampling
from workbench.errors import ModelUnavailable
from workbench.models.catalog import Catalog
from workbench.models.transformers_local import TransformersModel

require(find_spec("peft"), "the package peft")

PROMPTS = [f"row {number}?" for number in range(4)]


def tiny_adapter(folder: Path, base: Path, kind: str = "lora", **config: Any) -> Path:
    """An adapter over the base (lora or ia3) with random weights that change its answers."""
    import torch
    from peft import IA3Config, LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        layers = {"target_modules": ["q_proj", "v_proj", "down_proj"]}
        if kind == "ia3":
            wanted: Any = IA3Config(**(layers | {"feedforward_modules": ["down_proj"]} | config))
        else:
            wanted = LoraConfig(**({"r": 4, "lora_alpha": 8} | layers | config))
        network = get_peft_model(AutoModelForCausalLM.from_pretrained(base), wanted)
        torch.manual_seed(3)
        for name, weight in network.named_parameters():
            if "lora_magnitude" in name or "ia3_" in name:
                torch.nn.init.uniform_(weight, 0.3, 2.0)
            elif "lora_" in name:
                torch.nn.init.normal_(weight, std=0.3)
        network.save_pretrained(folder)
    return folder


def greedy_of_peft(base: Path, adapter: Path, tokens: int = 12) -> list[str]:
    """What peft's own generate answers to PROMPTS, prompt by prompt, with the adapter beside the base."""
    import torch
    from peft import PeftModel
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer, expected = AutoTokenizer.from_pretrained(base), []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        network = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(base), str(adapter)).eval()
        for prompt in PROMPTS:
            ids = tokenizer.apply_chat_template(
                [{"role": "user", "content": prompt}],
                add_generation_prompt=True,
                return_tensors="pt",
                return_dict=True,
            )["input_ids"]
            out = network.generate(
                input_ids=ids, attention_mask=torch.ones_like(ids), max_new_tokens=tokens, do_sample=False
            )
            expected.append(tokenizer.decode(out[0, ids.shape[1] :], skip_special_tokens=True).lstrip())
    return expected


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_model(tmp_path_factory.mktemp("models") / "base")


@pytest.fixture
def adapter(tmp_path: Path, base: Path) -> Path:
    return tiny_adapter(tmp_path / "adapter", base)


def spec(base: Path, **row: Any) -> ModelSpec:
    return ModelSpec(**{"name": "mine", "provider": "transformers", "model": str(base)} | row)


def texts(base: Path, **row: Any) -> list[str]:
    sampling = Sampling(temperature=0.0, max_tokens=12, seed=1)
    requests = [Request(({"role": "user", "content": prompt},), sampling) for prompt in PROMPTS]

    async def whole() -> list[str]:
        model = TransformersModel(spec(base, **row))
        try:
            return [answer.text for answer in await asyncio.gather(*map(model.complete, requests))]
        finally:
            await model.close()

    return asyncio.run(whole())


def refusal(base: Path, adapter: Path) -> str:
    with pytest.raises(ModelUnavailable) as caught:
        texts(base, adapter=str(adapter))
    assert "\n" not in str(caught.value)
    assert not TransformersModel.check(spec(base, adapter=str(adapter))).ok
    return str(caught.value)


@pytest.mark.parametrize(
    ("kind", "config", "told"),
    [
        ("lora", {}, "LoRA"),
        ("lora", {"use_rslora": True}, "rsLoRA"),
        ("lora", {"use_dora": True}, "DoRA"),
        ("ia3", {}, "(IA)³"),
    ],
)
def test_a_merged_adapter_answers_as_the_unmerged_one_of_peft(
    base: Path, tmp_path: Path, kind: str, config: dict[str, Any], told: str
) -> None:
    adapter = tiny_adapter(tmp_path / "adapter", base, kind, **config)
    expected = greedy_of_peft(base, adapter)
    assert texts(base, adapter=str(adapter)) == expected
    assert texts(base) != expected
    check = TransformersModel.check(spec(base, adapter=str(adapter)))
    assert check.ok and f"Its {told} adapter is merged in." in check.sentence


@pytest.mark.parametrize(
    ("kind", "config"), [("lora", {"use_dora": True}), ("ia3", {"feedforward_modules": []})]
)
def test_scales_of_another_base_are_refused(
    base: Path, tmp_path: Path, kind: str, config: dict[str, Any]
) -> None:
    wider = tiny_model(tmp_path / "wider", hidden_size=48)
    foreign = tiny_adapter(tmp_path / "foreign", wider, kind, target_modules=["q_proj"], **config)
    assert "does not fit the base" in refusal(base, foreign)


def test_an_adapter_trained_over_a_4_bit_base_is_merged_into_the_whole_one(tmp_path: Path) -> None:
    require(find_spec("bitsandbytes"), "the package bitsandbytes")
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM, BitsAndBytesConfig

    base = tiny_model(tmp_path / "base", hidden_size=64)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        held = BitsAndBytesConfig(load_in_4bit=True, bnb_4bit_quant_type="nf4")
        network = AutoModelForCausalLM.from_pretrained(base, quantization_config=held, device_map="cpu")
        network = get_peft_model(network, LoraConfig(r=4, target_modules=["q_proj", "down_proj"]))
        for name, weight in network.named_parameters():
            if "lora_" in name:
                torch.nn.init.normal_(weight, std=0.3)
        network.save_pretrained(tmp_path / "qlora")
    expected = greedy_of_peft(base, tmp_path / "qlora")
    assert texts(base, adapter=str(tmp_path / "qlora")) == expected != texts(base)


@pytest.mark.parametrize("quantization", ["bf16", "int8"])
def test_a_quantized_model_keeps_its_adapter(base: Path, adapter: Path, quantization: str) -> None:
    plain = texts(base, quantization=quantization)
    assert texts(base, quantization=quantization, adapter=str(adapter)) != plain


def test_a_name_with_a_quantization_keeps_the_adapter(base: Path, adapter: Path, tmp_path: Path) -> None:
    file = tmp_path / "models.yaml"
    catalog = Catalog(file)
    catalog.add(spec(base, adapter=str(adapter)))
    assert catalog.spec("mine@int8").adapter == str(adapter)


def test_the_identity_follows_the_adapter_s_files_and_not_its_folder(
    base: Path, adapter: Path, tmp_path: Path
) -> None:
    other = tiny_adapter(tmp_path / "other", base, lora_alpha=16)
    adapter.rename(tmp_path / "moved")
    here = [None, str(tmp_path / "moved"), str(other)]
    found = [TransformersModel(spec(base, adapter=one)).identity() for one in here]
    (tmp_path / "moved").rename(adapter)
    assert len(set(found)) == 3
    assert TransformersModel(spec(base, adapter=str(adapter))).identity() == found[1]


def test_an_adapter_of_another_base_is_refused_before_anything_is_loaded(
    base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from transformers import AutoModelForCausalLM

    wider = tiny_model(tmp_path / "wider", hidden_size=48)
    foreign = tiny_adapter(tmp_path / "foreign", wider)
    config = json.loads((foreign / "adapter_config.json").read_text())
    config["base_model_name_or_path"] = str(base)  # a name alone is no proof
    (foreign / "adapter_config.json").write_text(json.dumps(config))
    monkeypatch.setattr(AutoModelForCausalLM, "from_pretrained", lambda *_, **__: pytest.fail("was loaded"))
    sentence = refusal(base, foreign)
    assert str(foreign) in sentence and f"does not fit the base '{base}'" in sentence and "32×64" in sentence


def test_an_adapter_of_a_deeper_base_is_refused(base: Path, tmp_path: Path) -> None:
    deeper = tiny_adapter(tmp_path / "deep", tiny_model(tmp_path / "deeper", num_hidden_layers=3))
    assert "it changes 'model.layers.2." in refusal(base, deeper)


def test_an_adapter_of_the_head_and_the_embedding_fits(base: Path, tmp_path: Path) -> None:
    both = tiny_adapter(tmp_path / "both", base, target_modules=["lm_head", "embed_tokens", "q_proj"])
    assert texts(base, adapter=str(both)) != texts(base)


@pytest.mark.parametrize("file", ["adapter_config.json", "adapter_model.safetensors"])
def test_a_missing_file_of_an_adapter_is_named(base: Path, adapter: Path, file: str) -> None:
    (adapter / file).unlink()
    assert f"has no {file}" in refusal(base, adapter)


def test_a_truncated_adapter_is_one_sentence(base: Path, adapter: Path) -> None:
    whole = (adapter / "adapter_model.safetensors").read_bytes()
    (adapter / "adapter_model.safetensors").write_bytes(whole[:-100])
    assert "adapter_model.safetensors' is not whole" in refusal(base, adapter)


def test_a_pickled_adapter_is_refused(base: Path, adapter: Path) -> None:
    (adapter / "adapter_model.safetensors").rename(adapter / "adapter_model.bin")
    assert "pickled weights (.bin) are never loaded" in refusal(base, adapter)


@pytest.mark.parametrize("content", ["", "[]", '{"peft_type": "XLORA"}'])
def test_an_adapter_of_a_kind_that_is_not_known_is_refused(base: Path, adapter: Path, content: str) -> None:
    (adapter / "adapter_config.json").write_text(content)
    sentence = refusal(base, adapter)
    assert "cannot be read" in sentence or "of the kind XLORA; LoRA, DoRA" in sentence
