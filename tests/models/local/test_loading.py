"""Promises of loading: what cannot be loaded says why in one sentence, and nothing of it stays behind."""

from __future__ import annotations

import asyncio
import json
import re
import shutil
import struct
from pathlib import Path
from typing import Any

import pytest

from tests.models.tiny import tiny_model
from workbench.core.model import Completion, ModelSpec, Request
from workbench.core.prompt import Sampling
from workbench.errors import ModelUnavailable
from workbench.models.local.loading import device_name, devices
from workbench.models.transformers_local import TransformersModel

HELLO = Request(({"role": "user", "content": "hello"},), Sampling(temperature=0.0, max_tokens=6, seed=1))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tiny_model(tmp_path / "tiny")


def answered(folder: Path, **row: Any) -> Completion:
    async def whole() -> Completion:
        spec = {"name": "mine", "provider": "transformers", "model": str(folder)} | row
        model = TransformersModel(ModelSpec(**spec))
        try:
            return await model.complete(HELLO)
        finally:
            await model.close()

    return asyncio.run(whole())


def refusal(folder: Path, **row: Any) -> str:
    with pytest.raises(ModelUnavailable) as caught:
        answered(folder, **row)
    sentence = str(caught.value)
    assert sentence.startswith("Model 'mine': ") and "\n" not in sentence
    return sentence


def with_config(folder: Path, **changes: Any) -> Path:
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | changes))
    return folder


@pytest.mark.parametrize("kept", [0, 4, 100, 30_000])
def test_weights_that_are_cut_short_are_named_before_anything_is_loaded(folder: Path, kept: int) -> None:
    whole = (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").write_bytes(whole[:kept])
    assert "model.safetensors' is not whole" in refusal(folder)


def test_a_header_that_speaks_of_more_than_there_is_is_refused(folder: Path) -> None:
    header = json.dumps({"a": {"dtype": "F32", "shape": [1000], "data_offsets": [0, 4000]}}).encode()
    (folder / "model.safetensors").write_bytes(struct.pack("<Q", len(header)) + header + b"1234")
    assert "4,000 bytes of weights, it holds 4" in refusal(folder)


def test_a_header_that_claims_to_be_larger_than_memory_is_refused(folder: Path) -> None:
    (folder / "model.safetensors").write_bytes(struct.pack("<Q", 2**62) + b"{}")
    assert "is not whole" in refusal(folder)


def test_a_shard_that_is_missing_is_named(folder: Path) -> None:
    (folder / "model.safetensors").rename(folder / "model-00001-of-00002.safetensors")
    listed = {"a": "model-00001-of-00002.safetensors", "b": "model-00002-of-00002.safetensors"}
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": listed}))
    assert "'model-00002-of-00002.safetensors' is not in the folder" in refusal(folder)


def test_weights_of_another_shape_than_the_configuration_states_are_refused(folder: Path) -> None:
    assert "do not have the shapes" in refusal(with_config(folder, intermediate_size=80))


def test_weights_that_lack_a_layer_are_refused_and_never_made_up(folder: Path) -> None:
    sentence = refusal(with_config(folder, num_hidden_layers=3))
    assert "not complete" in sentence and "model.layers.2." in sentence


def test_pickled_weights_are_refused_with_the_reason(folder: Path) -> None:
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    assert "pickled ones (.bin, .pt) are never loaded" in refusal(folder)


def test_a_folder_without_tokenizer_says_so(folder: Path) -> None:
    for file in folder.glob("tokenizer*"):
        file.unlink()
    assert "has no tokenizer; copy tokenizer.json" in refusal(folder)


def test_a_tokenizer_that_is_cut_short_says_so(folder: Path) -> None:
    (folder / "tokenizer.json").write_text((folder / "tokenizer.json").read_text()[:500])
    assert "its tokenizer in" in refusal(folder)


@pytest.mark.parametrize("content", ["", "{", "[1, 2]", "\x00\x01"])
def test_a_configuration_that_cannot_be_read_is_named(folder: Path, content: str) -> None:
    (folder / "config.json").write_text(content)
    assert re.search(r"config\.json' (cannot be read|is not a JSON object)", refusal(folder))


@pytest.mark.parametrize("changes", [{"num_attention_heads": 0}, {"hidden_size": "wide"}], ids=str)
def test_a_configuration_with_impossible_values_is_blamed_itself(
    folder: Path, changes: dict[str, Any]
) -> None:
    said = refusal(with_config(folder, **changes))
    assert "config.json' states values" in said
    assert "tokenizer" not in said


def test_a_folder_without_configuration_says_so(folder: Path) -> None:
    (folder / "config.json").unlink()
    assert "has no config.json" in refusal(folder)


def test_a_model_that_does_not_complete_text_is_refused(folder: Path) -> None:
    changed = with_config(folder, model_type="t5", architectures=["T5ForConditionalGeneration"])
    assert "T5ForConditionalGeneration, which does not complete text" in refusal(changed)


def test_an_unknown_kind_of_model_is_refused_and_its_code_is_not_run(folder: Path) -> None:
    with_config(folder, model_type="own", auto_map={"AutoModelForCausalLM": "own.Own"})
    (folder / "own.py").write_text(f"open({str(folder / 'ran')!r}, 'w')")
    assert "'own', which the installed transformers does not know (it brings code" in refusal(folder)
    assert not (folder / "ran").exists()


def test_code_of_a_known_kind_of_model_is_not_run_either(folder: Path) -> None:
    with_config(folder, auto_map={"AutoModelForCausalLM": "own.Own", "AutoConfig": "own.Config"})
    (folder / "own.py").write_text(f"open({str(folder / 'ran')!r}, 'w')")
    answered(folder)
    assert not (folder / "ran").exists()


def test_weights_that_are_quantized_already_are_not_quantized_again(folder: Path) -> None:
    changed = with_config(folder, quantization_config={"quant_method": "bitsandbytes", "load_in_4bit": True})
    assert "are quantized already" in refusal(changed, quantization="int8")


def test_a_folder_that_vanishes_is_missed_only_by_the_next_loading(folder: Path) -> None:
    async def whole() -> str:
        model = TransformersModel(ModelSpec(name="mine", provider="transformers", model=str(folder)))
        await model.warm()
        shutil.rmtree(folder)
        text = (await model.complete(HELLO)).text
        await model.close()
        return text

    assert asyncio.run(whole())
    assert "there is no folder" in refusal(folder)


@pytest.mark.parametrize(
    "failure", [MemoryError(), RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried 9 bytes")]
)
def test_too_little_memory_names_two_things_to_try(
    folder: Path, failure: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    from transformers import LlamaForCausalLM

    def fails(*args: Any, **kwargs: Any) -> None:
        raise failure

    monkeypatch.setattr(LlamaForCausalLM, "__init__", fails)
    assert "hold it as bf16 (`mine@bf16`) or use a smaller model" in refusal(folder)


def test_a_device_that_is_not_there_names_what_is(folder: Path) -> None:
    if "cuda:7" in devices():
        pytest.skip("this machine has eight GPUs")
    sentence = refusal(folder, device="cuda:7")
    assert f"device 'cuda:7' is not on this machine; this machine has {', '.join(devices())}" in sentence


def test_the_row_s_device_comes_before_the_environment_s(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORKBENCH_DEVICE", "nowhere")
    assert device_name("fp32", "cpu") == "cpu"
    with pytest.raises(ModelUnavailable, match="device 'nowhere' is not on this machine"):
        device_name("fp32")


def test_a_quantization_that_the_device_cannot_run_says_where_it_runs(folder: Path) -> None:
    assert "does not run on 'cpu', only on cuda and mps" in refusal(folder, quantization="fp16", device="cpu")
