"""What can be seen of a model before it is loaded, whatever it is."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.models.tiny import tiny_model
from workbench.core.model import ModelSpec
from workbench.engine import Workspace, inspect_model
from workbench.engine.inspecting import adapter_facts, facts, inspection_json
from workbench.errors import UnknownName


@pytest.fixture
def ws(tmp_path: Path) -> Iterator[Workspace]:
    for folder in ("prompts", "experiments"):
        (tmp_path / folder).mkdir()
    opened = Workspace.open(tmp_path)
    yield opened
    opened.close()


def test_a_quantization_changes_nothing_of_what_the_files_hold(ws: Workspace) -> None:
    plain, held = inspect_model(ws, "small"), inspect_model(ws, "small@int8")
    assert plain.anatomy == held.anatomy
    assert held.spec.quantization == "int8"


def test_an_adapter_is_told_beside_its_base(ws: Workspace, tmp_path: Path) -> None:
    peft = pytest.importorskip("peft")
    from transformers import AutoModelForCausalLM

    base = tiny_model(tmp_path / "base")
    config = peft.LoraConfig(r=2, target_modules=["v_proj"], task_type="CAUSAL_LM")
    network = peft.get_peft_model(AutoModelForCausalLM.from_pretrained(base), config)
    network.save_pretrained(tmp_path / "adapter")
    ws.models.add(
        ModelSpec(name="tuned", provider="transformers", model=str(base), adapter=str(tmp_path / "adapter"))
    )
    found = inspect_model(ws, "tuned")
    assert found.anatomy is not None
    assert found.adapter is not None
    told = dict(adapter_facts(found.adapter, found.anatomy))
    assert told["rank"] == "2"
    assert told["adapts"] == "v_proj"
    assert "of the base" in told["adds"]
    assert inspection_json(found)["adapter_adds"]["parameters"] == found.adapter.parameters
    (tmp_path / "adapter" / "adapter_model.safetensors").write_bytes(b"")
    broken = inspect_model(ws, "tuned")
    assert broken.anatomy is not None
    assert "is not whole" in broken.unseen_adapter


def test_what_is_not_here_or_elsewhere_says_so(ws: Workspace, tmp_path: Path) -> None:
    ws.models.add(ModelSpec(name="far", provider="transformers", model="nobody/such-model"))
    ws.models.add(ModelSpec(name="gone", provider="transformers", model=str(tmp_path / "gone")))
    ws.models.add(ModelSpec(name="gpt", provider="openai", model="gpt"))
    assert inspect_model(ws, "far").to_download
    assert "There is no folder" in inspect_model(ws, "gone").unseen
    assert not inspect_model(ws, "gpt").local
    with pytest.raises(UnknownName):
        inspect_model(ws, "nobody")


def test_facts_and_json_say_the_same(ws: Workspace) -> None:
    found = inspect_model(ws, "nano")
    assert found.anatomy is not None
    told, document = dict(facts(found.anatomy)), inspection_json(found)["anatomy"]
    assert told["parameters"] == f"{document['parameters']:,}"
    assert told["head"] == "shares the embedding's weights"
    json.dumps(document)
