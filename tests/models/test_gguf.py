"""Promises of GGUF files: what is converted answers as before, what cannot be read is one sentence."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from tests.models.tiny import CHAT_TEMPLATE, tiny_model
from tests.require import require
from workbench.core.model import ModelSpec
from workbench.errors import ModelUnavailable, UnknownName
from workbench.models.embedded import embedded_path
from workbench.models.gguf.convert import convert
from workbench.models.gguf.files import cache_folder, check_source, gguf_file
from workbench.models.gguf.header import TYPES, read_header
from workbench.models.gguf.quantizations import GGUF_QUANTIZATIONS, stored_type
from workbench.models.gguf.vocabulary import LLAMA_3_PATTERN, without_generation_tags

pytestmark = pytest.mark.usefixtures("_gguf_is_installed")


@pytest.fixture(scope="module")
def _gguf_is_installed() -> None:
    require(find_spec("gguf"), "the package gguf")


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_model(tmp_path_factory.mktemp("tiny") / "model")


@pytest.fixture(scope="module")
def tiny_file(tiny: Path) -> Path:
    return convert(tiny, tiny.parent / "tiny.gguf", "f32", "tiny").file


def change_json(file: Path, **changes: Any) -> None:
    file.write_text(json.dumps(json.loads(file.read_text("utf-8")) | changes), "utf-8")


def refusal(folder: Path, quantization: str = "f16") -> str:
    target = folder.parent / "refused.gguf"
    with pytest.raises(ModelUnavailable) as caught:
        convert(folder, target, quantization, "mine")
    assert not target.exists() and "\n" not in str(caught.value)
    return str(caught.value)


def test_the_header_says_what_the_model_is_made_of(tiny_file: Path):
    header = read_header(tiny_file, "tiny")
    assert (header.architecture, header.context) == ("llama", 256)
    assert header.number("embedding_length") == 32 and header.number("attention.head_count_kv") == 2
    assert header.cache_bytes_per_token() == 2 * 2 * 8 * 2 * 2  # keys and values, heads, width, layers, bytes
    shapes = {tensor.name: tensor.shape for tensor in header.tensors}
    assert shapes["blk.1.ffn_down.weight"] == (32, 64)


def test_as_many_parameters_are_written_as_the_model_has(tiny: Path, tmp_path: Path):
    from transformers import AutoModelForCausalLM

    written = convert(tiny, tmp_path / "tiny.gguf", "f16", "tiny")
    network = AutoModelForCausalLM.from_pretrained(tiny)
    assert written.parameters == sum(part.numel() for part in network.parameters())
    assert written.bytes == (tmp_path / "tiny.gguf").stat().st_size


@pytest.mark.parametrize("quantization", GGUF_QUANTIZATIONS)
def test_every_quantization_can_be_written_and_read(quantization: str, tmp_path: Path):
    if GGUF_QUANTIZATIONS[quantization].by_llama_cpp:
        require(find_spec("xllamacpp"), "the package xllamacpp")
    file = convert(embedded_path("small"), tmp_path / "small.gguf", quantization, "small").file
    header = read_header(file, "small")
    held = GGUF_QUANTIZATIONS[quantization]
    kinds = {tensor.name: tensor.kind for tensor in header.tensors}
    assert kinds["blk.0.attn_q.weight"] == stored_type(held, 128, is_output=False)
    assert kinds["token_embd.weight"] == stored_type(held, 128, is_output=True), "it is the output as well"
    assert kinds["blk.0.attn_norm.weight"] == "F32"


def test_fewer_bits_are_fewer_bytes(tmp_path: Path):
    sizes = [
        convert(embedded_path("small"), tmp_path / name, name, "small").bytes
        for name in ("f32", "f16", "q8_0", "q5_0", "q4_1", "q4_0")
    ]
    assert sizes == sorted(sizes, reverse=True) and sizes[-1] < sizes[0] / 5


def test_rows_that_a_block_does_not_divide_are_held_in_a_type_that_fits():
    assert stored_type(GGUF_QUANTIZATIONS["q4_k_m"], 512, is_output=False) == "Q4_K"
    assert stored_type(GGUF_QUANTIZATIONS["q4_k_m"], 96, is_output=False) == "Q5_0"
    assert stored_type(GGUF_QUANTIZATIONS["q4_k_m"], 96, is_output=True) == "Q8_0"
    assert stored_type(GGUF_QUANTIZATIONS["q8_0"], 40, is_output=False) == "F16"


def test_the_sizes_of_types_are_those_of_the_format():
    import gguf

    for number, (name, weights, size) in TYPES.items():
        assert gguf.GGMLQuantizationType(number).name == name
        assert gguf.GGML_QUANT_SIZES[gguf.GGMLQuantizationType(number)] == (weights, size)


def test_a_chat_template_keeps_its_text_and_loses_its_training_tags():
    import jinja2

    template = "{% generation %}{{ x }}{%- endgeneration -%} \n {{ y }}"
    plain = without_generation_tags(template)
    assert "generation" not in plain
    assert jinja2.Template(plain).render(x="a ", y="b") == "a b"


def test_a_file_cut_anywhere_is_one_sentence(tiny_file: Path, tmp_path: Path):
    whole = tiny_file.read_bytes()
    cut = tmp_path / "cut.gguf"
    for size in [0, 3, 4, 8, 20, 24, 60, 500, 5000, len(whole) // 2, len(whole) - 1]:
        cut.write_bytes(whole[:size])
        with pytest.raises(ModelUnavailable, match=r"cut off|is not a GGUF file") as caught:
            read_header(cut, "cut")
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda whole: b"PK\x03\x04" + whole[4:], "not a GGUF file"),
        (lambda whole: whole[:4] + b"\x63\0\0\0" + whole[8:], "version 99"),
        (lambda whole: whole[:8] + b"\xff" * 8 + whole[16:], "damaged"),
        (lambda whole: whole[:16] + b"\xff" * 8 + whole[24:], "damaged"),
        (lambda whole: whole[:24] + b"\xff" * 8 + whole[32:], "damaged"),
        (lambda whole: whole[:8] + b"\0" * 8 + whole[16:], "no weights"),
        (lambda whole: whole.replace(b"general.architecture", b"general.architectura"), "what kind of model"),
    ],
    ids=["zip", "version", "tensors", "settings", "key", "no tensors", "no architecture"],
)
def test_a_foreign_or_lying_file_is_one_sentence(change: Any, words: str, tiny_file: Path, tmp_path: Path):
    bad = tmp_path / "bad.gguf"
    bad.write_bytes(change(tiny_file.read_bytes()))
    with pytest.raises(ModelUnavailable, match=words):
        read_header(bad, "bad")


def test_another_architecture_is_refused(tmp_path: Path):
    folder = tiny_model(tmp_path / "model")
    change_json(folder / "config.json", architectures=["Qwen2ForCausalLM"])
    assert "Qwen2ForCausalLM" in refusal(folder)


@pytest.mark.parametrize(
    "change",
    [
        {"normalizer": {"type": "NFC"}},
        {"pre_tokenizer": {"type": "Metaspace"}},
        {"pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": True, "use_regex": True}},
        {"model": {"type": "Unigram", "vocab": []}},
    ],
    ids=["normalizes", "metaspace", "space before", "unigram"],
)
def test_another_tokenizer_is_refused(change: dict[str, Any], tmp_path: Path):
    folder = tiny_model(tmp_path / "model")
    change_json(folder / "tokenizer.json", **change)
    assert "cannot be converted to GGUF" in refusal(folder)


def test_weights_that_are_cut_off_or_missing_are_refused(tmp_path: Path):
    folder = tiny_model(tmp_path / "model")
    file = folder / "model.safetensors"
    whole = file.read_bytes()
    file.write_bytes(whole[:-100])
    assert "not whole" in refusal(folder)
    file.write_bytes(whole)
    change_json(folder / "config.json", num_hidden_layers=3)
    assert "blk.2.attn_norm.weight is missing" in refusal(folder)
    file.unlink()
    assert "no safetensors" in refusal(folder)


def test_an_unknown_quantization_offers_the_nearest(tiny: Path, tmp_path: Path):
    with pytest.raises(UnknownName, match="q8_0"):
        convert(tiny, tmp_path / "x.gguf", "q8", "tiny")


def test_a_conversion_that_fails_leaves_the_old_file(tmp_path: Path):
    folder = tiny_model(tmp_path / "model")
    target = tmp_path / "kept.gguf"
    target.write_bytes(b"old")
    change_json(folder / "config.json", num_hidden_layers=3)
    with pytest.raises(ModelUnavailable):
        convert(folder, target, "f16", "mine")
    assert target.read_bytes() == b"old" and [file.name for file in tmp_path.glob("*kept*")] == ["kept.gguf"]


def test_llama_3_stretches_its_frequencies_and_splits_words_its_own_way(tmp_path: Path):
    rope = {
        "rope_type": "llama3",
        "rope_theta": 10000.0,
        "factor": 8.0,
        "low_freq_factor": 1.0,
        "high_freq_factor": 4.0,
        "original_max_position_embeddings": 64,
    }
    folder = tiny_model(tmp_path / "model", rope_parameters=rope)
    tokenizer = json.loads((folder / "tokenizer.json").read_text("utf-8"))
    tokenizer["model"]["ignore_merges"] = True
    split = {"type": "Split", "pattern": {"Regex": LLAMA_3_PATTERN}, "behavior": "Isolated", "invert": False}
    bytes_ = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": False}
    change_json(
        folder / "tokenizer.json",
        model=tokenizer["model"],
        pre_tokenizer={"type": "Sequence", "pretokenizers": [split, bytes_]},
    )
    header = read_header(convert(folder, tmp_path / "x.gguf", "f32", "mine").file, "mine")
    assert header.settings["tokenizer.ggml.pre"] == "llama-bpe"
    assert {tensor.name: tensor.shape for tensor in header.tensors}["rope_freqs.weight"] == (4,)


def converted_row(folder: Path, quantization: str = "q8_0") -> ModelSpec:
    return ModelSpec(name="mine", provider="llama_cpp", model=str(folder), quantization=quantization)


def test_a_folder_is_converted_once_and_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("WORKBENCH_CACHE", str(tmp_path / "cache"))
    folder = tiny_model(tmp_path / "model")
    assert "is converted to GGUF at its first use" in check_source(converted_row(folder))
    file = gguf_file(converted_row(folder))
    written = file.stat().st_mtime_ns
    assert file.parent == cache_folder() and "and kept" in check_source(converted_row(folder))
    assert gguf_file(converted_row(folder)).stat().st_mtime_ns == written
    assert gguf_file(converted_row(folder, "q4_0")) != file
    change_json(folder / "tokenizer_config.json", chat_template=CHAT_TEMPLATE + " ")
    (folder / "chat_template.jinja").unlink(missing_ok=True)
    assert gguf_file(converted_row(folder)) != file, "another chat template is another model"


def test_two_processes_that_convert_at_once_end_with_one_whole_file(tmp_path: Path):
    folder = tiny_model(tmp_path / "model")
    script = (
        "import sys; from workbench.core.model import ModelSpec;"
        "from workbench.models.gguf.files import gguf_file;"
        "print(gguf_file(ModelSpec(name='m', provider='llama_cpp', model=sys.argv[1], quantization='q8_0')))"
    )
    environment = {"WORKBENCH_CACHE": str(tmp_path / "cache"), "PATH": "", "HOME": str(tmp_path)}
    running = [
        subprocess.Popen([sys.executable, "-c", script, str(folder)], stdout=subprocess.PIPE, env=environment)
        for _ in range(2)
    ]
    said = [process.communicate(timeout=120)[0].decode().strip() for process in running]
    assert said[0] == said[1] and [process.returncode for process in running] == [0, 0]
    assert read_header(Path(said[0]), "m").context == 256
    assert [file.name for file in Path(said[0]).parent.glob("*.tmp")] == []
