"""`workbench export model`: an embedded model as files, and what is refused."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from tests.cli.conftest import Command
from tests.require import require


def test_a_model_is_written_as_gguf_and_not_over_what_is_there(workbench: Command, tmp_path: Path) -> None:
    require(find_spec("gguf"), "the package gguf")
    file = tmp_path / "nano.gguf"
    arguments = ("export", "model", "nano", "--as", "gguf", "--quantization", "q8_0", "-o", file)
    found = workbench(*arguments, "--json").json
    assert (found["model"], found["as"], found["quantization"]) == ("nano", "gguf", "q8_0")
    assert found["bytes"] == file.stat().st_size
    assert "is there already" in workbench(*arguments, code=2).err
    before = file.stat().st_ino
    workbench(*arguments, "--force")
    assert file.stat().st_ino != before


def test_whole_weights_go_to_the_workspace_s_models_by_default(workbench: Command, root: Path) -> None:
    ended = workbench("export", "model", "nano")
    assert "models/nano-safetensors" in (ended.out + ended.err).replace("\n", "")
    assert (root / "models" / "nano-safetensors" / "model.safetensors").is_file()


def test_a_model_without_an_adapter_has_none_to_export(workbench: Command, tmp_path: Path) -> None:
    ended = workbench("export", "model", "nano", "--as", "adapter", "-o", tmp_path / "out", code=2)
    assert "whole weights without an adapter" in ended.err
    assert not (tmp_path / "out").exists()
