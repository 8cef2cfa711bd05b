"""`workbench compare --pairs`, and what `workbench run` says of its rows before it starts."""

from __future__ import annotations

from pathlib import Path

from tests.cli.conftest import Command


def three_prompts(root: Path) -> None:
    path = root / "experiments" / "sums.yaml"
    path.write_text(path.read_text().replace("[direct, careful]", "[direct, careful, three-shots]"))


def test_every_pair_is_a_line_and_the_json_says_the_same(workbench: Command, root: Path):
    three_prompts(root)
    workbench("run", "sums")
    shown = workbench("compare", "--pairs").out
    assert "3 pairs" in shown and shown.count("· server") == 6
    found = workbench("compare", "latest", "--pairs", "--json").json
    assert set(found) == {"run", "metric", "margin", "confidence", "pairs", "stopped"}
    assert [(pair["first"]["prompt"], pair["second"]["prompt"]) for pair in found["pairs"]] == [
        ("direct", "careful"),
        ("direct", "three-shots"),
        ("careful", "three-shots"),
    ]
    first = found["pairs"][0]
    assert first["low"] <= first["difference"] <= first["high"]
    assert first["p"] <= first["p_adjusted"] and first["verdict"] in shown
    assert (
        "--pairs, --by and --failures stand alone"
        in workbench("compare", "--pairs", "--by", "length", code=2).err
    )


def test_before_it_starts_a_run_says_which_differences_its_rows_will_show(workbench: Command):
    ended = workbench("run", "sums", "--json")
    said = ended.err.splitlines()
    assert said[0].startswith(
        "With 12 rows no difference can be shown, if two cells disagree on 20 % of rows"
    )
    assert "With 12 rows" not in ended.out
    assert "With 12 rows" not in workbench("run", "sums", "--race", "exact_match").err
