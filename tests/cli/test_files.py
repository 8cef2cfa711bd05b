"""Importing, exporting and scoring files; prompts and datasets from the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Command
from tests.cli.shapes import SCORE, SCORED, problems
from workbench.core.document import load
from workbench.core.prompt import Prompt


def test_the_exported_winner_loads_back_to_the_same_version(workbench: Command, root: Path):
    run = workbench("run", "sums", "--json").json
    best = next(cell for cell in run["cells"] if cell["prompt"] == "careful")
    workbench("export", "winner", run["run"], "-o", root / "best.yaml")
    prompt = load(Prompt, (root / "best.yaml").read_text("utf-8"))
    assert prompt.version == best["version"]
    evidence = prompt.provenance or {}
    assert evidence["run"] == run["run"]
    assert evidence["model"] == "server"
    assert evidence["metric"]["mean"] == 1.0
    assert evidence["verdict"]["verdict"] == "better"
    assert len(evidence["dataset"]["hash"]) == 64


def test_the_winner_is_yaml_on_stdout_and_json_on_request(workbench: Command):
    workbench("run", "sums")
    text = workbench("export", "winner").out
    assert load(Prompt, text).name == "careful"
    document = workbench("export", "winner", "--json").json
    assert document["prompt"] == "careful"
    assert load(Prompt, document["text"]).version == document["version"]
    assert load(Prompt, workbench("export", "winner", "--cell", 0).out).name == "direct"
    assert workbench("export", "winner", "--cell", 0, "--json").json["prompt"] == "direct"
    assert "cells 0 to 1" in workbench("export", "winner", "--cell", 9, code=1).err


def test_an_exported_winner_comes_back_under_another_name(workbench: Command, root: Path):
    workbench("run", "sums", "--limit", 4)
    workbench("export", "winner", "-o", root / "best.yaml")
    document = workbench("import", root / "best.yaml", "--name", "winner", "--json").json
    assert (document["kind"], document["name"], document["unmapped"]) == ("prompt", "winner", [])
    assert "winner" in [one["name"] for one in workbench("prompts", "--json").json["prompts"]]


@pytest.mark.parametrize("kind", ["csv", "jsonl", "parquet"])
def test_outputs_are_written_by_the_files_name(workbench: Command, root: Path, kind: str):
    workbench("run", "sums")
    file = root / f"outputs.{kind}"
    workbench("export", "outputs", "latest", "-o", file)
    scored = workbench("score", file, "--prediction", "answer", "--reference", "reference", "--json")
    assert scored.json["rows"] == 24
    assert scored.json["metrics"]["exact_match"]["value"] == pytest.approx(0.75)


def test_an_output_file_of_an_unknown_kind_is_wrong_usage(workbench: Command, root: Path):
    workbench("run", "sums", "--limit", 1)
    assert "add --format" in workbench("export", "outputs", "-o", root / "outputs.xyz", code=2).err


def test_a_place_that_cannot_be_written_is_one_sentence(workbench: Command, root: Path):
    workbench("run", "sums", "--limit", 1)
    (root / "file").write_text("")
    assert "cannot be written" in workbench("report", "-o", root / "file" / "report.md", code=1).err


def test_score_reads_answers_out_of_both_columns(workbench: Command, root: Path):
    file = root / "finished.jsonl"
    lines = [
        {"said": "So 3 + 4. A: 7", "gold": "steps #1 A: 7"},
        {"said": "A: 1,200", "gold": "A: 1200"},
        {"said": "no idea", "gold": "A: 5"},
    ]
    file.write_text("\n".join(map(json.dumps, lines)))
    rule = '{after: "A:", type: number}'
    options = [
        "--prediction",
        "said",
        "--reference",
        "gold",
        "--metrics",
        "exact_match,chrf",
        "--answer",
        rule,
    ]
    document = workbench("score", file, *options, "--json").json
    assert problems(document, SCORE) == []
    assert problems(document["metrics"]["exact_match"], SCORED) == []
    assert document["metrics"]["exact_match"]["value"] == pytest.approx(2 / 3)
    assert "version" in document["metrics"]["chrf"]["signature"]
    assert "exact_match" in workbench("score", file, *options).out


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        (["--prediction", "sayd", "--reference", "gold"], 1, "Did you mean 'said'?"),
        (["--prediction", "said", "--reference", "gold", "--metrics", "exact_mach"], 1, "'exact_match'"),
        (["--prediction", "said", "--reference", "gold", "--metrics", ","], 2, "no metric"),
        (["--prediction", "said", "--reference", "gold", "--answer", "{aftr: x}"], 2, "'after'"),
    ],
)
def test_a_score_that_cannot_be_computed_says_why(workbench: Command, root: Path, options, code, words):
    (root / "finished.jsonl").write_text('{"said": "7", "gold": "7"}\n')
    assert words in workbench("score", root / "finished.jsonl", *options, code=code).err


def test_score_needs_no_workspace(workbench_in, tmp_path: Path):
    (tmp_path / "a.csv").write_text("p,r\n1,1\n2,3\n")
    run = workbench_in(tmp_path)
    assert run("score", "a.csv", "--prediction", "p", "--reference", "r", "--json").json["rows"] == 2
    assert not (tmp_path / ".workbench").exists()


def test_score_asks_an_embedded_model_without_a_workspace(workbench_in, tmp_path: Path):
    (tmp_path / "a.csv").write_text("p,r\n3 + 4 = 7,7\n7,7\nThe answer is 12.,12\n")
    spec = "{name: perplexity, model: nano, as: ppl}"
    run = workbench_in(tmp_path)
    found = run("score", "a.csv", "--prediction", "p", "--metric", spec, "--json").json["metrics"]["ppl"]
    assert found["n"] == 2 and found["value"] > 1 and found["signature"] == "model:nano|target:output"
    assert found["reasons"] == [{"row": 2, "reason": "It has fewer than two tokens."}]
    ended = run("score", "a.csv", "--prediction", "p", "--metric", "{name: perplexity, model: nana}", code=1)
    assert "Did you mean 'nano'?" in ended.err
    assert (
        "needs a local `model`"
        in run("score", "a.csv", "--prediction", "p", "--metric", "perplexity", code=1).err
    )
    assert not (tmp_path / ".workbench").exists()


def test_a_table_becomes_a_dataset_that_can_be_run(workbench: Command, root: Path):
    (root / "My sums (2).csv").write_text(
        "Task,Solution\nWhat is 2 + 2?,steps #### 4\nWhat is 3 + 4?,x #### 7\n"
    )
    document = workbench(
        "import",
        root / "My sums (2).csv",
        *("--map", "question=Task", "--map", "answer=Solution"),
        *("--reference", "answer", "--reference-after", "####", "--json"),
    ).json
    assert (document["kind"], document["name"], document["rows"]) == ("dataset", "My-sums-2", 2)
    assert document["reference"] == "reference"
    experiment = (root / "experiments" / "sums.yaml").read_text().replace("{name: sums}", "{name: My-sums-2}")
    (root / "mine.yaml").write_text(experiment)
    cells = workbench("run", "mine.yaml", "--json").json["cells"]
    assert {cell["prompt"]: cell["metrics"]["exact_match"]["mean"] for cell in cells}["careful"] == 1.0


def test_a_broken_table_is_one_error_with_its_line_and_nothing_is_imported(workbench: Command, root: Path):
    (root / "ragged.csv").write_text("a,b\n1,2\n1,2,3\n")
    ended = workbench("import", root / "ragged.csv", code=1)
    assert "line 3" in ended.err
    assert [one["name"] for one in workbench("datasets", "--json").json["datasets"]] == ["sums"]


def test_a_second_split_joins_its_dataset_and_a_repeated_one_is_refused(workbench: Command, root: Path):
    (root / "more.csv").write_text("question,answer\nWhat is 1 + 1?,2\n")
    workbench("import", root / "more.csv", "--name", "sums", "--split", "dev")
    splits = workbench("datasets", "list", "--json").json["datasets"][0]["splits"]
    assert splits == {"train": 12, "dev": 1, "test": 12}
    assert "already" in workbench("import", root / "more.csv", "--name", "sums", "--split", "dev", code=1).err
    workbench("import", root / "more.csv", "--name", "sums", "--replace")
    assert workbench("datasets", "list", "--json").json["datasets"][0]["splits"] == {"test": 1}
    workbench("datasets", "delete", "sums")
    workbench("datasets", "undelete", "sums")


def test_experiments_and_ensembles_are_recognised_by_their_keys(workbench: Command, root: Path):
    (root / "vote5.yaml").write_text("name: vote5\nmembers:\n  - {prompt: careful, samples: 5}\n")
    assert workbench("import", "vote5.yaml", "--json").json["kind"] == "ensemble"
    text = (root / "experiments" / "sums.yaml").read_text()
    (root / "other.yaml").write_text(text.replace("name: sums\n", "name: other\n", 1))
    assert workbench("import", "other.yaml", "--json").json["kind"] == "experiment"
    assert "already an experiment 'other'" in workbench("import", "other.yaml", code=1).err
    workbench("import", "other.yaml", "--replace")
    (root / "odd.yaml").write_text("something: else\n")
    assert "neither a prompt" in workbench("import", "odd.yaml", code=1).err
    assert "line 1, key `mesages`" in _error_of(workbench, root, "mesages: []\nmessages: []\nname: x\n")


def _error_of(workbench: Command, root: Path, text: str) -> str:
    (root / "wrong.yaml").write_text(text)
    return workbench("import", "wrong.yaml", code=1).err


@pytest.mark.parametrize(
    "options",
    [["--map", "question"], ["--splits", "train"], ["--splits", "train=0.5"], ["--map", "=x"]],
    ids=" ".join,
)
def test_import_options_that_cannot_be_read_are_wrong_usage(workbench: Command, root: Path, options):
    (root / "a.csv").write_text("question,answer\na,b\nc,d\n")
    workbench("import", "a.csv", *options, code=2)


def test_an_edited_prompt_can_be_compared_and_restored(workbench: Command, root: Path):
    file = root / "prompts" / "direct.yaml"
    first = workbench("prompts", "show", "direct", "--json").json
    (root / "new.yaml").write_text(file.read_text().replace("{{ question }}", "Please: {{ question }}"))
    workbench("import", "new.yaml", "--replace")
    versions = workbench("prompts", "history", "direct", "--json").json["versions"]
    assert [one["version"] for one in versions][-1] == first["version"]
    assert len(versions) == 2
    shown = workbench("prompts", "diff", "direct", first["version"][:8]).out
    assert "{+Please" in shown
    parts = workbench("prompts", "diff", "direct", first["version"], versions[0]["version"], "--json").json[
        "parts"
    ]
    assert any(part["change"] == "added" and "Please" in part["text"] for part in parts)
    workbench("prompts", "restore", "direct", first["version"][:8])
    assert workbench("prompts", "show", "direct", "--json").json["version"] == first["version"]
    assert "There is no version" in workbench("prompts", "diff", "direct", "zzzz", code=1).err


def test_a_broken_prompt_is_named_and_the_good_ones_still_load(workbench: Command, root: Path):
    (root / "prompts" / "broken.yaml").write_text("name: broken\nmesages: []\n")
    listed = workbench("prompts", "--json").json
    assert "direct" in [one["name"] for one in listed["prompts"]]
    assert "line 2, key `mesages`" in listed["broken"][0]
    assert "broken.yaml" in workbench("prompts").err
    workbench("run", "sums", "--limit", 1)
    assert workbench("prompts", "check", code=1).out.startswith("prompts/broken.yaml")
    assert workbench("prompts", "check", "--json", code=1).json["ok"] is False


def test_check_finds_what_a_dataset_lacks(workbench: Command, root: Path):
    workbench("prompts", "check", "direct", "--dataset", "sums")
    text = (root / "prompts" / "direct.yaml").read_text()
    (root / "prompts" / "direct.yaml").write_text(text.replace("question", "qestion"))
    notes = workbench("prompts", "check", "direct", "--dataset", "sums", "--json", code=1).json["notes"]
    assert any(note["level"] == "error" and "qestion" in note["message"] for note in notes["direct"])


def test_a_dataset_is_shown_profiled_and_checked(workbench: Command, root: Path):
    shown = workbench("datasets", "show", "sums", "--split", "train", "--contains", "1003", "--json").json
    assert [row["id"] for row in shown["rows"]] == ["train-3"]
    assert shown["total"] == 1
    assert "What is 0 + 7?" in workbench("datasets", "show", "sums", "--limit", 1).out
    assert workbench("datasets", "profile", "sums", "--json").json["rows"] == 12
    assert "question" in workbench("datasets", "profile", "sums").out
    assert workbench("datasets", "check", "--json").json == {"ok": True, "rows": 24, "problems": []}
    with (root / "experiments" / "datasets" / "sums" / "test.jsonl").open("a") as file:
        file.write("{broken\n")
    assert "line 13" in workbench("datasets", "check", "sums", code=1).out


def test_escape_sequences_in_data_do_not_reach_the_terminal(workbench: Command, root: Path):
    (root / "nasty.jsonl").write_text(
        json.dumps({"question": "\x1b]0;owned\x07\x1b[31mred", "answer": "1"}) + "\n"
    )
    workbench("import", "nasty.jsonl")
    shown = workbench("datasets", "show", "nasty").out
    assert "\x1b" not in shown
    assert "red" in shown
