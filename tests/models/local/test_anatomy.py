"""What a model is made of: every stored number is in the tree once, and a broken file is one sentence."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.models.tiny import tiny_model
from workbench.errors import ModelUnavailable
from workbench.models.local.anatomy import Anatomy, adapter_anatomy, anatomy, describe
from workbench.models.local.components import place
from workbench.models.local.parts import Part
from workbench.models.local.tensors import Tensor, file_tensors, read_tensors


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_model(tmp_path_factory.mktemp("tiny"), context=128, tie_word_embeddings=False)


def leaves(part: Part) -> list[Part]:
    return [leaf for inner in part.parts for leaf in leaves(inner)] if part.parts else [part]


def sums_hold(part: Part) -> bool:
    inside = sum(inner.parameters for inner in part.parts)
    return (not part.parts or inside == part.parameters) and all(map(sums_hold, part.parts))


def component(found: Anatomy, name: str) -> dict[str, int]:
    part = next(part for part in found.components.parts if part.name == name)
    return {piece.name: piece.parameters for piece in part.parts}


def of_network(network: Any, folder: Path) -> Anatomy:
    network.save_pretrained(folder)
    return anatomy(folder)


def test_a_llama_is_described_as_its_configuration_says(tiny: Path) -> None:
    found = anatomy(tiny)
    assert found.architecture == "LlamaForCausalLM"
    assert (found.layers, found.width, found.feed_forward_width) == (2, 32, 64)
    assert (found.heads, found.key_value_heads, found.head_width) == (4, 2, 8)
    assert (found.norm, found.activation, found.positions) == ("RMSNorm", "silu", "rotary, base 10,000")
    assert (found.context, found.tied, found.quantized_as) == (128, False, None)
    assert found.dtypes == (("F32", found.parameters),)


def test_parameters_are_those_that_the_loaded_network_counts(tiny: Path) -> None:
    from transformers import AutoModelForCausalLM

    found = anatomy(tiny)
    network = AutoModelForCausalLM.from_pretrained(tiny)
    assert found.parameters == sum(weight.numel() for weight in network.parameters())
    assert found.disk_bytes == 4 * found.parameters
    assert component(found, "attention") == {"query": 2048, "key": 1024, "value": 1024, "output": 2048}
    assert component(found, "feed-forward") == {"gate": 4096, "up": 4096, "down": 4096}
    assert component(found, "norms") == {"in the layers": 128, "final": 32}
    assert component(found, "head") == component(found, "embedding")


def test_both_trees_hold_every_number_once(tiny: Path) -> None:
    found = anatomy(tiny)
    stored = sum(tensor.parameters for tensor in read_tensors(tiny))
    for tree in (found.components, found.by_layer):
        assert sums_hold(tree)
        assert sum(leaf.parameters for leaf in leaves(tree)) == tree.parameters == stored
    assert [part.name for part in found.by_layer.parts] == [
        "embedding",
        "layer 0",
        "layer 1",
        "norms",
        "head",
    ]


def test_tied_embeddings_are_counted_once_and_said(tmp_path: Path) -> None:
    found = anatomy(tiny_model(tmp_path, tie_word_embeddings=True))
    assert found.tied
    assert "head" not in {part.name for part in found.components.parts}


def test_shards_are_read_together(tiny: Path, tmp_path: Path) -> None:
    from transformers import AutoModelForCausalLM

    network = AutoModelForCausalLM.from_pretrained(tiny)
    network.save_pretrained(tmp_path, max_shard_size="40KB")
    assert len(list(tmp_path.glob("*.safetensors"))) > 1
    found, whole = anatomy(tmp_path), anatomy(tiny)
    assert found.parameters == whole.parameters
    assert component(found, "attention") == component(whole, "attention")


def test_other_architectures_fall_into_the_same_components(tmp_path: Path) -> None:
    from transformers import GPT2Config, GPT2LMHeadModel, MixtralConfig, MixtralForCausalLM

    older = of_network(
        GPT2LMHeadModel(GPT2Config(vocab_size=50, n_embd=16, n_layer=2, n_head=2, n_positions=32)),
        tmp_path / "gpt2",
    )
    assert (older.layers, older.width, older.feed_forward_width, older.context) == (2, 16, 64, 32)
    assert (older.norm, older.positions) == ("LayerNorm", "learned")
    assert component(older, "embedding") == {"tokens": 800, "positions": 512}
    assert set(component(older, "attention")) == {"query, key, value", "output"}
    mixed = of_network(
        MixtralForCausalLM(
            MixtralConfig(
                vocab_size=50,
                hidden_size=16,
                intermediate_size=24,
                num_hidden_layers=1,
                num_attention_heads=2,
                num_key_value_heads=1,
                num_local_experts=4,
                num_experts_per_tok=2,
            )
        ),
        tmp_path / "mixtral",
    )
    assert (mixed.experts, mixed.experts_per_token) == (4, 2)
    assert any(piece.startswith("experts: ") for piece in component(mixed, "feed-forward"))
    assert component(mixed, "feed-forward")["router"] == 64
    assert "other" not in {part.name for part in mixed.components.parts}


def test_unknown_names_are_kept_under_their_own_words() -> None:
    tensors = (
        Tensor("backbone.layers.0.mixer.conv1d.weight", "F32", (4, 4), 64),
        Tensor("strange.thing", "F32", (3,), 12),
        Tensor("vision_tower.encoder.layers.0.self_attn.q_proj.weight", "F32", (2, 2), 16),
    )
    found = describe({}, tensors)
    assert found.architecture == "not stated"
    assert component(found, "other") == {"mixer.conv1d": 16, "strange.thing": 3, "vision_tower": 4}
    assert found.parameters == 23
    assert sums_hold(found.by_layer)


@pytest.mark.parametrize(
    ("name", "where"),
    [
        ("model.layers.3.self_attn.q_proj.bias", ("attention", "query")),
        ("model.layers.3.self_attn.k_norm.weight", ("norms", "in the layers")),
        ("blk.7.attn_output.weight", ("attention", "output")),
        ("blk.7.ffn_gate_exps.weight", ("feed-forward", "experts: gate")),
        ("blk.7.ffn_norm.weight", ("norms", "in the layers")),
        ("output_norm.weight", ("norms", "final")),
        ("output.weight", ("head", "tokens")),
        ("token_embd.weight", ("embedding", "tokens")),
        ("gpt_neox.layers.0.attention.query_key_value.weight", ("attention", "query, key, value")),
        ("transformer.h.0.mlp.dense_4h_to_h.weight", ("feed-forward", "down")),
        ("model.decoder.layers.0.fc1.weight", ("feed-forward", "up")),
    ],
)
def test_names_of_many_families_are_known(name: str, where: tuple[str, str]) -> None:
    found = place(name)
    assert (found.component, found.piece) == where


def test_rope_scaling_is_told_in_the_old_and_the_new_way() -> None:
    old = {"rope_theta": 500000.0, "rope_scaling": {"type": "yarn", "factor": 4.0}}
    new = {"rope_parameters": {"rope_theta": 500000.0, "rope_type": "yarn", "factor": 4.0}}
    assert describe(old, ()).positions == describe(new, ()).positions == "rotary, base 500,000, yarn × 4"


def test_nothing_heavy_is_loaded(tiny: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from workbench.models.local.anatomy import anatomy; "
        f"anatomy(Path({str(tiny)!r})); "
        "print(*({'torch', 'transformers', 'safetensors', 'numpy'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


def test_an_adapter_tells_its_rank_targets_and_size(tiny: Path, tmp_path: Path) -> None:
    peft = pytest.importorskip("peft")
    from transformers import AutoModelForCausalLM

    network = AutoModelForCausalLM.from_pretrained(tiny)
    config = peft.LoraConfig(r=4, lora_alpha=8, target_modules=["q_proj", "down_proj"], task_type="CAUSAL_LM")
    peft.get_peft_model(network, config).save_pretrained(tmp_path)
    found = adapter_anatomy(tmp_path)
    assert (found.kind, found.rank, found.alpha) == ("LoRA", 4, 8.0)
    assert found.targets == ("down_proj", "q_proj")
    # two layers; a rank-4 pair over 32 → 32 and over 64 → 32
    assert found.parameters == 2 * (4 * 32 + 32 * 4) + 2 * (4 * 64 + 32 * 4)
    assert {part.name for part in found.components.parts} == {"attention", "feed-forward"}
    assert sums_hold(found.components)


# --- files that are not whole


@pytest.fixture
def copy(tiny: Path, tmp_path: Path) -> Path:
    for file in ("config.json", "model.safetensors"):
        (tmp_path / file).write_bytes((tiny / file).read_bytes())
    return tmp_path


@pytest.mark.parametrize("kept", [0, 4, 200, 5000, -1])
def test_a_truncated_file_is_one_sentence(copy: Path, kept: int) -> None:
    file = copy / "model.safetensors"
    file.write_bytes(file.read_bytes()[:kept])
    with pytest.raises(ModelUnavailable, match=r"model\.safetensors' is not whole: .* again\."):
        anatomy(copy)


def with_header(file: Path, header: object, held: int) -> Path:
    text = header if isinstance(header, str) else json.dumps(header)
    file.write_bytes(len(text).to_bytes(8, "little") + text.encode() + bytes(held))
    return file


@pytest.mark.parametrize(
    ("header", "held"),
    [
        ("[1, 2]", 0),
        ("{not json", 0),
        ("[" * 5000, 0),
        ({"a": {"dtype": "F32", "shape": [4], "data_offsets": [0, 4]}}, 4),
        ({"a": {"dtype": "F32", "shape": [-1, -1], "data_offsets": [0, 4]}}, 4),
        ({"a": {"dtype": "F32", "shape": [True], "data_offsets": [0, 4]}}, 4),
        ({"a": {"dtype": ["F32"], "shape": [1], "data_offsets": [0, 4]}}, 4),
        ({"a": {"dtype": "F32", "shape": 1, "data_offsets": [0, 4]}}, 4),
        ({"a": "x"}, 4),
        ({"a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}, 9),
    ],
)
def test_a_header_that_lies_is_one_sentence(tmp_path: Path, header: object, held: int) -> None:
    with pytest.raises(ModelUnavailable, match="is not whole"):
        file_tensors(with_header(tmp_path / "x.safetensors", header, held))


def test_an_absurd_header_length_allocates_nothing(tmp_path: Path) -> None:
    (tmp_path / "x.safetensors").write_bytes(b"\xff" * 64)
    with pytest.raises(ModelUnavailable, match="cut short"):
        file_tensors(tmp_path / "x.safetensors")


def test_missing_and_unreadable_files_are_named(copy: Path) -> None:
    (copy / "config.json").write_text("{")
    with pytest.raises(ModelUnavailable, match=r"config\.json' is not valid JSON"):
        anatomy(copy)
    (copy / "config.json").unlink()
    with pytest.raises(ModelUnavailable, match=r"has no config\.json"):
        anatomy(copy)


@pytest.mark.parametrize("shard", ["model-00002.safetensors", "../model.safetensors"])
def test_an_index_that_does_not_fit_its_folder_is_one_sentence(copy: Path, shard: str) -> None:
    (copy / "model.safetensors").rename(copy / "model-00001.safetensors")
    index = {"weight_map": {"a": "model-00001.safetensors", "b": shard}}
    (copy / "model.safetensors.index.json").write_text(json.dumps(index))
    with pytest.raises(ModelUnavailable, match="does not fit"):
        anatomy(copy)


def test_an_adapter_without_its_weights_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "adapter_config.json").write_text("{}")
    with pytest.raises(ModelUnavailable, match=r"no adapter_model\.safetensors"):
        adapter_anatomy(tmp_path)


def test_a_gguf_file_tells_the_same_as_the_folder_that_it_was_made_of(tmp_path: Path) -> None:
    pytest.importorskip("gguf")
    from workbench.models.embedded import embedded_path
    from workbench.models.gguf.convert import convert

    convert(embedded_path("nano"), tmp_path / "nano.gguf", "q8_0", "nano")
    file, folder = anatomy(tmp_path / "nano.gguf"), anatomy(embedded_path("nano"))
    same = ("layers", "width", "feed_forward_width", "heads", "head_width", "vocabulary", "context", "tied")
    assert {name: getattr(file, name) for name in same} == {name: getattr(folder, name) for name in same}
    assert (file.norm, file.positions) == (folder.norm, folder.positions)
    assert component(file, "attention") == component(folder, "attention")
    assert component(file, "feed-forward") == component(folder, "feed-forward")
    assert "Q8_0" in dict(file.dtypes)
    assert sums_hold(file.by_layer)


def test_a_file_that_is_no_gguf_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "x.gguf").write_bytes(b"no such thing")
    with pytest.raises(ModelUnavailable, match="is not a GGUF file"):
        anatomy(tmp_path / "x.gguf")
