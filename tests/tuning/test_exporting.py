"""A tuned model as files: each form answers as base and adapter do, and nothing is overwritten unasked."""

from __future__ import annotations

import asyncio
import json
import os
import warnings
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from tests.models.local.test_adapters import tiny_adapter
from tests.models.test_soft_prompts import soft_adapter
from tests.models.tiny import tiny_model
from tests.require import require
from workbench.core.model import ModelSpec, Request
from workbench.core.prompt import Sampling
from workbench.engine.workspace import Workspace
from workbench.errors import ModelUnavailable, StorageError, UnknownName, UsageError
from workbench.models.embedded import embedded_path
from workbench.models.local.merging import merge_to_folder
from workbench.models.registry import find_provider
from workbench.tuning import export_process
from workbench.tuning.exporting import EXPORT_KINDS, export_tuned

require(find_spec("peft"), "the package peft")

PROMPTS = [
    "Tom has 3 apples and buys 4 more. How many apples has he? Think step by step.",
    "Repeat: blue river stone",
    "What is 12 + 30?",
]


@pytest.fixture(scope="module")
def nano_adapter(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small random change to every linear layer of the embedded model."""
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    folder = tmp_path_factory.mktemp("adapters") / "nano-lora"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        base = AutoModelForCausalLM.from_pretrained(embedded_path("nano"))
        network = get_peft_model(base, LoraConfig(r=4, lora_alpha=8, target_modules="all-linear"))
        torch.manual_seed(2)
        for name, weight in network.named_parameters():
            if "lora_" in name:
                torch.nn.init.normal_(weight, std=0.05)
        network.save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory, nano_adapter: Path) -> Workspace:
    root = tmp_path_factory.mktemp("root")
    for folder in ("prompts", "experiments"):
        (root / folder).mkdir()
    opened = Workspace.open(root)
    nano = str(embedded_path("nano"))
    rows: list[dict[str, Any]] = [
        {"name": "mine", "model": nano, "adapter": str(nano_adapter)},
        {"name": "whole", "model": nano},
        {"name": "soft", "model": nano, "adapter": str(soft_adapter(root / "soft", Path(nano), "prefix"))},
        {"name": "hosted", "model": "other", "provider": "openai", "base_url": "http://localhost:1/v1"},
        {"name": "templated", "model": nano, "adapter": str(nano_adapter), "chat_template": "plain"},
    ]
    for row in rows:
        opened.models.add(ModelSpec(**({"provider": "transformers"} | row)))
    return opened


def greedy(model: str | Path, provider: str = "transformers", **row: Any) -> list[str]:
    spec = ModelSpec(**({"name": "tried", "provider": provider, "model": str(model)} | row))
    sampling = Sampling(temperature=0.0, max_tokens=40, seed=1)
    requests = [Request(({"role": "user", "content": prompt},), sampling) for prompt in PROMPTS]

    async def whole() -> list[str]:
        opened = find_provider(provider)(spec)
        try:
            return [one.text for one in await asyncio.gather(*map(opened.complete, requests))]
        finally:
            await opened.close()

    return asyncio.run(whole())


def test_an_export_in_another_process_says_what_it_wrote_or_why_not(
    workspace: Workspace, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ["--root", str(workspace.root), "--kind", "adapter", "--out", str(tmp_path / "out")]
    export_process.main([*asked, "--model", "whole"])
    assert "whole weights without an adapter" in json.loads(capsys.readouterr().out)["problem"]
    export_process.main([*asked, "--model", "mine"])
    told = json.loads(capsys.readouterr().out)
    assert told["bytes"] == sum(file.stat().st_size for file in (tmp_path / "out").iterdir())


def test_every_form_answers_as_base_and_adapter_do(
    workspace: Workspace, nano_adapter: Path, tmp_path: Path
) -> None:
    require(find_spec("xllamacpp"), "the package xllamacpp")
    nano = embedded_path("nano")
    expected = greedy(nano, adapter=str(nano_adapter))
    assert expected != greedy(nano), "the adapter changes something"
    adapter = export_tuned(workspace, "mine", tmp_path / "adapter", "adapter")
    whole = export_tuned(workspace, "mine", tmp_path / "whole", "safetensors")
    gguf = export_tuned(workspace, "mine", tmp_path / "mine.gguf", "gguf")
    assert greedy(nano, adapter=str(adapter.path)) == expected
    assert greedy(whole.path) == expected
    assert (gguf.quantization, greedy(gguf.path, "llama_cpp")) == ("f16", expected)
    assert whole.bytes == sum(file.stat().st_size for file in whole.path.iterdir())


def test_what_is_written_names_no_folder_of_this_machine(workspace: Workspace, tmp_path: Path) -> None:
    adapter = export_tuned(workspace, "mine", tmp_path / "adapter", "adapter").path
    whole = export_tuned(workspace, "mine", tmp_path / "whole", "safetensors").path
    assert json.loads((adapter / "adapter_config.json").read_text())["base_model_name_or_path"] == "nano"
    assert sorted(file.name for file in adapter.iterdir()) == [
        "adapter_config.json",
        "adapter_model.safetensors",
    ]
    for file in (*adapter.glob("*.json"), *whole.glob("*.json")):
        assert str(embedded_path("nano").parent) not in file.read_text("utf-8")


def test_bf16_halves_the_folder(workspace: Workspace, tmp_path: Path) -> None:
    wide = export_tuned(workspace, "mine", tmp_path / "wide", "safetensors")
    half = export_tuned(workspace, "mine", tmp_path / "half", "safetensors", "bf16")
    assert half.quantization == "bf16"
    weights = [(one.path / "model.safetensors").stat().st_size for one in (wide, half)]
    assert weights[1] == pytest.approx(weights[0] / 2, rel=0.02)


def test_the_row_s_chat_template_goes_along(workspace: Workspace, tmp_path: Path) -> None:
    require(find_spec("xllamacpp"), "the package xllamacpp")
    own, given = (
        export_tuned(workspace, name, tmp_path / name, "safetensors").path for name in ("mine", "templated")
    )
    gguf = export_tuned(workspace, "templated", tmp_path / "templated.gguf", "gguf", "f32").path
    assert greedy(own) != greedy(given)
    assert greedy(gguf, "llama_cpp") == greedy(given)


def test_a_model_without_an_adapter_is_exported_as_a_whole(workspace: Workspace, tmp_path: Path) -> None:
    whole = export_tuned(workspace, "whole", tmp_path / "whole", "safetensors").path
    assert greedy(whole) == greedy(embedded_path("nano"))


def test_nothing_that_is_there_is_replaced_unless_asked(workspace: Workspace, tmp_path: Path) -> None:
    for kind in EXPORT_KINDS:
        out = tmp_path / f"{kind}.gguf"
        export_tuned(workspace, "mine", out, kind)
        with pytest.raises(UsageError, match="is there already"):
            export_tuned(workspace, "mine", out, kind)
        before = out.stat().st_ino
        export_tuned(workspace, "mine", out, kind, replace=True)
        assert out.stat().st_ino != before
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(f"{kind}.gguf" for kind in EXPORT_KINDS)


@pytest.mark.parametrize(
    ("name", "kind", "quantization", "sentence"),
    [
        ("soft", "safetensors", None, "cannot be merged into weights"),
        ("soft", "gguf", None, "cannot be merged into weights"),
        ("whole", "adapter", None, "whole weights without an adapter"),
        ("mine", "adapter", "bf16", "leave out the quantization"),
        ("mine", "safetensors", "q8_0", "as fp32 or bf16"),
        ("mine", "gguf", "q9", "no GGUF quantization named 'q9'"),
        ("hosted", "gguf", None, "`provider: openai`"),
        ("nobody", "adapter", None, "no model named 'nobody'"),
        ("mine", "zip", None, "no form of export named 'zip'"),
    ],
)
def test_what_does_not_go_together_is_one_sentence_and_writes_nothing(
    workspace: Workspace, tmp_path: Path, name: str, kind: Any, quantization: str | None, sentence: str
) -> None:
    with pytest.raises((UsageError, UnknownName, ModelUnavailable), match=sentence) as caught:
        export_tuned(workspace, name, tmp_path / "out.gguf", kind, quantization)
    assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_virtual_tokens_are_exported_as_an_adapter(workspace: Workspace, tmp_path: Path) -> None:
    out = export_tuned(workspace, "soft", tmp_path / "soft", "adapter").path
    given = workspace.models.spec("soft").adapter
    assert greedy(embedded_path("nano"), adapter=str(out)) == greedy(embedded_path("nano"), adapter=given)


def test_a_model_tuned_twice_is_one_whole_model(tmp_path: Path) -> None:
    base = tiny_model(tmp_path / "base")
    first = tiny_adapter(tmp_path / "first", base)
    once = merge_to_folder(base, first, tmp_path / "once", "mine")
    second = tiny_adapter(tmp_path / "second", once, "ia3")
    twice = merge_to_folder(base, [first, second], tmp_path / "twice", "mine")
    assert greedy(twice) == greedy(once, adapter=str(second))
    assert len({tuple(greedy(folder)) for folder in (base, once, twice)}) == 3


def test_a_write_that_fails_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    base = tiny_model(tmp_path / "base")
    adapter = tiny_adapter(tmp_path / "adapter", base)
    whole = merge_to_folder(base, adapter, tmp_path / "whole", "mine")
    before = {file.name: file.read_bytes() for file in whole.iterdir()}

    def full(*_: Any) -> None:
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr("workbench.models.local.merging._write_rest", full)
    with pytest.raises(StorageError, match="no space left on device"):
        merge_to_folder(base, adapter, whole, "mine", replace=True)
    assert {file.name: file.read_bytes() for file in whole.iterdir()} == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["adapter", "base", "whole"]
    with pytest.raises(StorageError, match="is there already"):
        merge_to_folder(base, adapter, whole, "mine")


def test_quantized_weights_take_in_no_adapter(tmp_path: Path) -> None:
    base = tiny_model(tmp_path / "base")
    adapter = tiny_adapter(tmp_path / "adapter", base)
    config = json.loads((base / "config.json").read_text())
    (base / "config.json").write_text(json.dumps(config | {"quantization_config": {"bits": 4}}))
    with pytest.raises(ModelUnavailable, match="quantized already"):
        merge_to_folder(base, adapter, tmp_path / "whole", "mine")
    assert not (tmp_path / "whole").exists()
