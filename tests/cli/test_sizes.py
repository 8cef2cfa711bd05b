"""`workbench sizes`: its JSON, its files, and wrong usage."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest

from tests.cli.conftest import Command
from tests.cli.shapes import METRIC, problems


def test_sizes_prints_one_document(workbench: Command):
    run = workbench("run", "sums", "--json").json["run"]
    document = workbench("sizes", run, "--margin", "0.1", "--json").json
    assert (document["run"], document["metric"], document["margin"]) == (run, "exact_match", 0.1)
    assert document["prompt"] == "careful", "the prompt with the best cell"
    (point,) = document["points"]
    assert problems(point["quality"], METRIC) == []
    assert point["cost_basis"] == "api" and point["usd_per_1000_rows"] > 0
    assert document["best"]["model"] == document["smallest_good_enough"]["model"] == "server"
    assert workbench("sizes", "--format", "json", "--margin", "0.1").json == document


def test_sizes_shows_a_table_and_says_what_follows(workbench: Command):
    workbench("run", "sums")
    ended = workbench("sizes", "latest", "--prompt", "direct")
    assert "tokens/s" in ended.out and "server" in ended.out
    assert "No smaller model" in ended.out


def test_sizes_is_written_to_a_file(workbench: Command, root: Path):
    workbench("run", "sums")
    file = root / "out" / "sizes.csv"
    assert workbench("sizes", "--format", "csv", "-o", file).out == ""
    (line,) = csv.DictReader(io.StringIO(file.read_text("utf-8")))
    assert (line["prompt"], line["model"], line["verdict"]) == ("careful", "server", "best")


@pytest.mark.parametrize(
    "wrong",
    [["--margin", "0"], ["--confidence", "2"], ["--cost", "beauty"], ["--machine-usd-per-hour", "-1"]],
    ids=" ".join,
)
def test_a_setting_that_means_nothing_is_wrong_usage(workbench: Command, wrong: list[str]):
    workbench("run", "sums", "--limit", 1)
    ended = workbench("sizes", "latest", *wrong, code=2)
    assert ended.out == "" and len(ended.err.strip()) > 10
