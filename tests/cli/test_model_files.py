"""`workbench models convert`, and experiments whose models are held as GGUF."""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.cli.conftest import Command
from tests.fake_openai import BaseUrl
from tests.require import require
from workbench.models import Catalog

SCHEMA = {
    "type": "object",
    "properties": {"sum": {"type": "integer", "minimum": 0, "maximum": 99}},
    "required": ["sum"],
    "additionalProperties": False,
}
IN_JSON = """\
name: in-json
messages:
  - {role: user, content: "As JSON: {{ question }}"}
answer:
  type: json
  path: sum
  schema:
    type: object
    properties: {sum: {type: integer, minimum: 0, maximum: 99}}
    required: [sum]
    additionalProperties: false
sampling: {max_tokens: 40}
"""
EXPERIMENT = """\
name: held
dataset: {name: sums, split: test, limit: 2}
prompts: [in-json]
models: [MODEL]
metrics: [exact_match]
"""


@pytest.fixture(autouse=True)
def _gguf_is_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    require(find_spec("xllamacpp") and find_spec("gguf"), "the packages xllamacpp and gguf")
    monkeypatch.setenv("WORKBENCH_CACHE", str(tmp_path / "cache"))


def test_a_model_is_converted_and_its_row_works_at_once(root: Path, workbench: Command):
    told = workbench("models", "convert", "small", "--to", "q8_0", "--json").json
    assert told["model"] == "small-q8_0" and told["bytes"] < told["source_bytes"] / 3
    assert Path(told["file"]) == root / "models" / "small-q8_0.gguf"
    row = Catalog(root / "experiments" / "models.yaml").spec("small-q8_0")
    assert (row.provider, row.model) == ("llama_cpp", "./models/small-q8_0.gguf")
    assert "answered" in workbench("models", "check", "small-q8_0", "--call").out


def test_nothing_that_is_there_is_replaced_unless_asked(root: Path, workbench: Command):
    workbench("models", "convert", "nano", "--to", "q4_0")
    assert "--force" in workbench("models", "convert", "nano", "--to", "q4_0", code=2).err
    assert "--as" in workbench("models", "convert", "nano", "--as", "small", code=2).err
    assert not (root / "models" / "small.gguf").exists()
    assert "MB" in workbench("models", "convert", "nano", "--to", "q4_0", "--force").err


def test_what_cannot_be_converted_is_one_sentence(workbench: Command):
    assert "q8_0" in workbench("models", "convert", "nano", "--to", "q8", code=1).err
    assert "asks a server" in workbench("models", "convert", "server", code=1).err
    assert ".gguf" in workbench("models", "convert", "nano", "--output", "nano.bin", code=2).err
    workbench("models", "convert", "nano", "--as", "again")
    assert "GGUF file already" in workbench("models", "convert", "again", "--as", "twice", code=1).err


def test_a_prompt_s_schema_reaches_llama_cpp_and_servers(root: Path, server: BaseUrl, workbench: Command):
    (root / "prompts" / "in-json.yaml").write_text(IN_JSON, "utf-8")
    experiment = root / "experiments" / "held.yaml"
    experiment.write_text(EXPERIMENT.replace("MODEL", "small@q8_0"), "utf-8")
    done = workbench("run", "held", "--json").json
    assert (done["errors"], done["calls"]) == (0, 2)
    written = workbench("export", "outputs", "held", "--format", "jsonl").out.splitlines()
    assert [isinstance(json.loads(json.loads(line)["text"])["sum"], int) for line in written] == [True, True]
    experiment.write_text(EXPERIMENT.replace("MODEL", "server"), "utf-8")
    workbench("run", "held")
    sent = server.bodies[-1]["response_format"]
    assert sent["type"] == "json_schema" and sent["json_schema"]["schema"] == SCHEMA
