"""Promises of quantizations: each one answers, holds what it says, and looks at each row by itself."""

from __future__ import annotations

import copy
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from tests.models.tiny import tiny_model
from tests.require import require
from workbench.errors import ModelUnavailable
from workbench.models.local import quantization
from workbench.models.local.quantization import (
    QUANTIZATIONS,
    available,
    check_quantization,
    rest_dtype,
    weights_dtype,
)

ON_CPU = [name for name, kind in QUANTIZATIONS.items() if "cpu" in kind.devices]
SMALL_LOSS = {"fp32": 1e-6, "bf16": 0.02, "int8": 0.05, "bnb_int8": 0.03, "quanto_int8": 0.04}


@pytest.fixture(scope="module")
def networks(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """A usual model, and one whose widths are multiples of nothing."""
    from transformers import AutoModelForCausalLM

    folder = tmp_path_factory.mktemp("models")
    usual = tiny_model(folder / "usual", hidden_size=64, intermediate_size=128, initializer_range=0.1)
    odd = tiny_model(
        folder / "odd",
        hidden_size=44,
        intermediate_size=75,
        num_attention_heads=2,
        initializer_range=0.1,
        tie_word_embeddings=True,
        attention_bias=True,
    )
    return {
        path.name: AutoModelForCausalLM.from_pretrained(path, attn_implementation="eager").eval()
        for path in (usual, odd)
    }


def held(networks: dict[str, Any], model: str, name: str) -> Any:
    from workbench.models.local.libraries import import_libraries
    from workbench.models.local.quantized_layers import quantize_network

    if QUANTIZATIONS[name].needs:
        require(QUANTIZATIONS[name].installed, f"the package {QUANTIZATIONS[name].needs}")
    import_libraries()
    network = copy.deepcopy(networks[model]).to(weights_dtype(name, "float32"))
    return quantize_network(network, name, "cpu")


def logits(network: Any, ids: Any) -> Any:
    import torch

    with torch.inference_mode():
        return network(input_ids=ids).logits.float()


@pytest.mark.parametrize("model", ["usual", "odd"])
@pytest.mark.parametrize("name", ON_CPU)
def test_every_quantization_of_the_cpu_stays_near_the_reference(
    networks: dict[str, Any], model: str, name: str
) -> None:
    import torch

    ids = torch.randint(6, 300, (3, 24), generator=torch.Generator().manual_seed(1))
    expected, found = logits(networks[model], ids), logits(held(networks, model, name), ids)
    assert float((found - expected).norm() / expected.norm()) < SMALL_LOSS.get(name, 0.3)


@pytest.mark.parametrize("name", ON_CPU)
def test_a_row_s_logits_do_not_depend_on_its_neighbours(networks: dict[str, Any], name: str) -> None:
    import torch

    assert QUANTIZATIONS[name].row_independent
    network = held(networks, "usual", name)
    ids = torch.randint(6, 300, (16, 12), generator=torch.Generator().manual_seed(2))
    together = logits(network, ids)
    alone = torch.cat([logits(network, ids[row : row + 1]) for row in range(16)])
    tolerance = 0.05 if QUANTIZATIONS[name].rest == "bfloat16" else 0.01
    assert float((together - alone).abs().max() / together.abs().max()) < tolerance


@pytest.mark.skipif(
    "fbgemm" not in __import__("torch").backends.quantized.supported_engines, reason="no such kernels here"
)
def test_an_int8_layer_gives_a_row_the_very_same_numbers_in_any_batch() -> None:
    import torch

    from workbench.models.local.quantized_layers import quantize_network

    class Network(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = torch.nn.Linear(48, 80)

        def forward(self, rows: Any) -> Any:
            return self.layer(rows)

    network = Network()
    rows = torch.randn(32, 48) * torch.logspace(-3, 3, 32)[:, None]
    expected = network(rows).detach()
    quantize_network(network, "int8", "cpu")
    together = network(rows)
    assert torch.equal(together, torch.cat([network(rows[at : at + 1]) for at in range(32)]))
    error = (together - expected).norm(dim=1) / expected.norm(dim=1)
    assert float(error.max()) < 0.03  # small rows are not drowned by large ones
    assert torch.equal(network(torch.zeros(2, 48))[0], network.layer.bias)


@pytest.mark.parametrize("name", [one for one in ON_CPU if QUANTIZATIONS[one].bits < 16])
def test_linear_layers_are_quantized_and_embedding_and_norms_are_not(
    networks: dict[str, Any], name: str
) -> None:
    import torch

    network = held(networks, "usual", name)
    layer, embedding = network.model.layers[0].mlp.up_proj, network.model.embed_tokens
    plain = type(layer) is torch.nn.Linear and type(layer.weight.data) is torch.Tensor
    assert not plain
    assert embedding.weight.is_floating_point() and type(embedding) is torch.nn.Embedding
    head = network.get_output_embeddings()
    assert (type(head) is torch.nn.Linear) is not QUANTIZATIONS[name].quantizes_head


@pytest.mark.parametrize("name", ["bnb_int8", "nf4", "quanto_int4", "torchao_int8"])
def test_tied_embeddings_stay_tied(networks: dict[str, Any], name: str) -> None:
    network = held(networks, "odd", name)
    assert network.get_output_embeddings().weight is network.model.embed_tokens.weight


def test_what_is_not_quantized_is_held_as_the_files_have_it() -> None:
    assert rest_dtype("nf4", "bfloat16") == "bfloat16" and rest_dtype("nf4", "float32") == "float32"
    assert rest_dtype("nf4", "float16") == "bfloat16"  # the CPU has few kernels for float16
    assert rest_dtype("nf4", "float16", "cuda") == "float16"
    assert rest_dtype("int8", "bfloat16") == "float32" and rest_dtype("fp32", "bfloat16") == "float32"


def test_16_bit_files_are_never_in_memory_at_32_bits_as_a_whole() -> None:
    import torch

    assert weights_dtype("int8", "bfloat16") is torch.bfloat16
    assert weights_dtype("fp32", "bfloat16") is torch.float32


def test_what_is_available_depends_on_device_and_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    assert {"fp32", "bf16", "int8"} <= {kind.name for kind in available("cpu")}
    assert "fp16" not in {kind.name for kind in available("cpu")}
    assert "fp16" in {kind.name for kind in available("cuda:1")}
    monkeypatch.setattr(quantization, "find_spec", lambda package: None)
    assert {kind.name for kind in available()} == {"fp32", "bf16", "fp16", "int8"}


def test_a_missing_package_is_one_sentence_that_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quantization, "find_spec", lambda package: None)
    with pytest.raises(ModelUnavailable, match=r"pip install 'workbench\[quantization\]'") as caught:
        check_quantization("quanto_int4", "mine")
    assert "optimum-quanto" in str(caught.value) and "\n" not in str(caught.value)


def test_every_label_says_whether_it_is_smaller_or_also_faster() -> None:
    for kind in QUANTIZATIONS.values():
        words = kind.good_for.lower()
        assert "memory" in words and kind.good_for.endswith(".")
        assert kind.bits == 32 or "faster" in words or "fastest" in words or "smaller only" in words


def test_the_names_can_be_listed_without_torch() -> None:
    names = "import sys, workbench.models.local.quantization as q; q.available('cpu'); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", names], capture_output=True, text=True, check=True)
    assert not {"torch", "transformers", "bitsandbytes", "torchao"} & set(done.stdout.split())


@pytest.mark.parametrize("name", ["quanto_int8", "quanto_int4", "torchao_int4"])
def test_an_odd_layer_that_a_method_cannot_take_stays_as_it_is(networks: dict[str, Any], name: str) -> None:
    import torch

    network = held(networks, "odd", name)
    assert type(network.model.layers[0].mlp.up_proj.weight.data) is torch.Tensor


def test_optional_packages_are_those_of_the_extra() -> None:
    root = Path(__file__).resolve().parents[3]
    extra = next(
        line
        for line in (root / "pyproject.toml").read_text("utf-8").splitlines()
        if line.startswith("quantization =")
    )
    for kind in QUANTIZATIONS.values():
        if kind.needs:
            assert kind.needs.replace(".", "-") in extra and find_spec(kind.needs.partition(".")[0])
