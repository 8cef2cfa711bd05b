"""What `workbench compare` writes and when it fails: formats, `--fail-on`, `--across previous`."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from xml.etree import ElementTree

from tests.cli.conftest import Command


def test_the_command_writes_each_format(workbench: Command, root: Path):
    workbench("run", "sums")
    assert workbench("compare", "--format", "md").out.startswith("<!-- workbench sums-exact_match -->")
    lines = list(csv.DictReader(io.StringIO(workbench("compare", "--format", "csv").out)))
    assert [line["verdict"] for line in lines] == ["better"]
    assert json.loads(workbench("compare", "--format", "json").out) == workbench("compare", "--json").json
    workbench("compare", "--format", "json", "-o", root / "c.json")
    assert json.loads((root / "c.json").read_text())["comparisons"][0]["verdict"] == "better"
    workbench("compare", "--format", "junit", "-o", root / "c.xml")
    assert ElementTree.parse(root / "c.xml").getroot().tag == "testsuites"


def test_a_verdict_can_fail_the_command(workbench: Command):
    workbench("run", "sums")
    assert "no completed run of 'sums' before" in workbench("compare", "--across", "previous", code=1).err
    workbench("run", "sums", "--no-cache")
    assert "Missed" not in workbench("compare", "--across", "previous", "--fail-on", "worse").err
    ended = workbench("compare", "--across", "previous", "--fail-on", "tied,worse", code=4)
    assert ended.err.count("Missed:") == 2
    assert "Missed: careful" in workbench("compare", "--fail-on", "better", code=4).err
    assert "--fail-on bad" in workbench("compare", "--fail-on", "bad", code=2).err
