"""`compare --by`, `compare --failures` and `runs history`: tables for people, one document for programs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Command


@pytest.fixture
def ran(workbench: Command, root: Path) -> Command:
    """The workspace of sums with a column to slice by, run once."""
    file = root / "experiments" / "datasets" / "sums" / "test.jsonl"
    rows = [json.loads(line) for line in file.read_text().splitlines()]
    lines = [json.dumps(row | {"kind": "odd" if n % 2 else "even"}) for n, row in enumerate(rows)]
    file.write_text("\n".join(lines) + "\n")
    workbench("run", "sums")
    return workbench


def test_slices_are_a_table_or_one_document(ran: Command):
    ended = ran("compare", "--by", "kind")
    assert "exact_match by kind, against the baseline, direct · server" in ended.out
    assert [line.split()[0] for line in ended.out.splitlines()[4::2]] == ["even", "odd"]
    assert "Few rows (under 30)" in ended.err
    found = ran("compare", "--by", "kind", "--json").json
    assert [(one["value"], one["rows"], one["few_rows"]) for one in found["slices"]] == [
        ("even", 6, True),
        ("odd", 6, True),
    ]
    assert [cell["estimate"]["mean"] for cell in found["slices"][0]["cells"]] == [0.0, 1.0]
    assert "no column 'knd'" in ran("compare", "--by", "knd", code=2).err


def test_failures_are_a_table_or_one_document(ran: Command):
    ended = ran("compare", "--failures")
    assert "6 rows of 12 failed by any cell (exact_match)" in ended.out
    assert "[0] direct · server" in ended.out and "all rows" in ended.out
    found = ran("compare", "--failures", "--cell", 0, "--text", "output", "--json").json
    assert (found["failing"], found["text"], found["cell"]["prompt"]) == (6, "output", "direct")
    assert sum(group["failing"] for group in found["groups"]) == 6
    assert found["groups"][0]["cells"][0]["share"] == 1.0 or len(found["groups"]) == 1
    assert "no cell 5" in ran("compare", "--failures", "--cell", 5, code=1).err
    assert "one at a time" in ran("compare", "--failures", "--by", "kind", code=2).err
    assert "one at a time" in ran("compare", "--failures", "--format", "md", code=2).err


def test_history_shows_runs_over_time_and_what_changed(ran: Command, root: Path):
    first = ran("runs", "history", "sums")
    assert "From" not in first.out and "exact_match of sums" in first.out
    prompt = root / "prompts" / "direct.yaml"
    prompt.write_text(prompt.read_text().replace("{{ question }}", "{{ question }} Think step by step."))
    ran("run", "sums")
    ended = ran("runs", "history", "sums")
    assert "+ Think step by step." in ended.out
    assert "changed" in ended.out and "+0.500" in ended.out
    found = ran("runs", "history", "sums", "--json").json
    assert [len(line["points"]) for line in found["cells"]] == [2, 2]
    assert found["change"]["cells"][0]["prompt_changed"] is True
    assert found["change"]["cells"][0]["comparison"]["difference"] == 0.5
    older, newer = (run["run"] for run in found["runs"])
    back = ran("runs", "history", "sums", "--older", newer, "--newer", older, "--json").json
    assert back["change"]["cells"][0]["comparison"]["difference"] == -0.5
    assert "no experiment with a completed run" in ran("runs", "history", "sumz", code=1).err
