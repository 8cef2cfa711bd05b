"""`workbench import` of finished outputs: what it prints, what it refuses, what can be done with the run."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Command

ANSWERS = [
    {"instruction": f"Name {n} primes.", "output": f"{n}", "generator": model, "extra": 1}
    for n in (1, 2, 3)
    for model in ("m1", "m2")
]
TABLE = "q,gold,who,reply,ok\n1+1?,2,a,2,1\n1+1?,2,b,3,0\n2+1?,3,a,3,1\n2+1?,3,b,Answer: 3,1\n"


@pytest.fixture
def files(root: Path) -> Path:
    """The workspace's folder with a file of another tool, a table, and a prompt."""
    (root / "ours.json").write_text(json.dumps(ANSWERS), "utf-8")
    (root / "replies.csv").write_text(TABLE, "utf-8")
    (root / "p.yaml").write_text("name: p\nmessages: [{role: user, content: hi}]\n", "utf-8")
    return root


def test_files_of_another_tool_become_a_run_that_is_found_by_its_name(workbench: Command, files: Path):
    document = workbench("import", "ours.json", "--name", "ours", "--json").json
    assert set(document) == {"run", "rows", "cells", "ratings", "unmapped"}
    assert (document["rows"], document["cells"], document["ratings"]) == (3, 2, 0)
    assert document["unmapped"] == ["key 'extra' of an output (6 times)"]
    assert workbench("compare", "ours", "--json").json["run"] == document["run"]
    scored = workbench("runs", "score", "ours", "--metric", "{name: length, max: 1}", "--json").json
    assert scored["cells"][0]["metrics"]['length{"max": 1}']["mean"] == 1.0
    assert "not known here, as the outputs were imported" in workbench("sizes", "ours").err
    assert "Imported from ours.json (alpaca_eval)" in workbench("runs", "show", "ours").out
    refused = workbench("run", "--resume", "ours", code=1).err
    assert "were imported, so there is nothing to ask again" in refused


def test_a_table_is_a_dataset_until_a_column_of_outputs_is_named(workbench: Command, files: Path):
    assert workbench("import", "replies.csv", "--json").json["kind"] == "dataset"
    command = ("import", "replies.csv", "--output", "reply", "--model", "who", "--reference", "gold")
    said = workbench(*command, "--score", "ok")
    assert "2 rows, 2 cells, 4 outputs, 0 ratings" in said.out
    assert "imported:ok" in said.out
    rule = "{after: 'Answer:', type: number}"
    read = workbench(*command, "--answer", rule, "--name", "read", "--json").json
    cells = workbench("report", read["run"], "--json").json["cells"]
    assert [cell["metrics"]["exact_match"]["mean"] for cell in cells] == [0.0, 0.5]


def test_the_format_can_be_named(workbench: Command, files: Path):
    assert workbench("import", "ours.json", "--format", "dataset", "--json").json["kind"] == "dataset"
    table = ("import", "ours.json", "--format", "table", "--output", "output", "--model", "generator")
    assert workbench(*table, "--json").json["cells"] == 2
    assert "Did you mean 'table'" in workbench("import", "ours.json", "--format", "tabel", code=1).err


def test_wrong_usage_is_one_sentence(workbench: Command, files: Path):
    for arguments, sentence in {
        ("replies.csv", "p.yaml"): "imported together only where all hold finished outputs",
        ("ours.json", "replies.csv"): "replies.csv does not",
        ("replies.csv", "--score", "ok"): "--score has a meaning for finished outputs only",
        ("p.yaml", "--model-name", "m"): "--model-name has a meaning for finished outputs only",
        ("ours.json", "--replace"): "have a meaning for datasets only",
        ("ours.json", "--name", "sums"): "There is an experiment 'sums' already",
        ("ours.json", "--name", "../x"): "not a usable name",
        ("ours.json", "--answer", "{type: nombre}"): "--answer",
    }.items():
        said = workbench("import", *arguments, code=2).err
        assert sentence in said, said
        assert len(said.strip().splitlines()) == 1
    assert workbench("runs", "list", "--json").json["runs"] == []
