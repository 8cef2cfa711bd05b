"""Samples of lm-evaluation-harness become runs: generated texts, options, filters, several models."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.engine.finished.conftest import stored
from tests.engine.finished.samples import by_line, chosen, generated
from workbench.engine import Workspace, add_metrics, compare, report, rows
from workbench.engine.finished.importing import import_finished
from workbench.engine.finished.records import ImportSettings
from workbench.errors import WorkbenchError

Write = Callable[[str, Any], Path]

SUMS = [generated(0, "#### 2", "2", 1.0), generated(1, "#### 4", "4", 0.0), generated(2, "#### 4", "4", 1.0)]
FLEXIBLE = [one | {"filter": "flexible-extract", "exact_match": 1.0} for one in SUMS]


def put(folder: Path, name: str, items: list[Any]) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(by_line(items), "utf-8")
    return folder / name


def outputs(workspace: Workspace, run: str) -> list[Any]:
    cells = workspace.store.outputs.counts(run)
    return [one for cell in sorted(cells) for one in workspace.store.outputs.of_cell(run, cell)]


def test_filters_are_cells_and_the_folder_is_the_model(workspace: Workspace, tmp_path: Path):
    name = "samples_gsm8k_2026-01-01T10-00-00.123456.jsonl"
    file = put(tmp_path / "meta-llama__Llama-3.1-8B", name, SUMS + FLEXIBLE)
    made = import_finished(workspace, [file])
    cells = report(workspace, made.run).cells
    assert (made.rows, made.scores) == (3, ("imported:exact_match",))
    assert [(one.cell.prompt, one.cell.model) for one in cells] == [
        ("gsm8k-strict-match", "meta-llama/Llama-3.1-8B"),
        ("gsm8k-flexible-extract", "meta-llama/Llama-3.1-8B"),
    ]
    assert [one.metrics["imported:exact_match"].mean for one in cells] == [pytest.approx(2 / 3), 1.0]
    add_metrics(workspace, made.run, ["exact_match"])
    assert report(workspace, made.run).cells[0].metrics["exact_match"].mean == pytest.approx(2 / 3)
    first = outputs(workspace, made.run)[0]
    assert (first.text, first.answer) == ("#### 2", "2")
    assert rows(workspace, made.run).rows[0].row.keys() == {"id", "question", "answer", "reference"}


def test_several_models_meet_on_the_same_rows(workspace: Workspace, tmp_path: Path):
    files = [put(tmp_path / model, "samples_gsm8k.jsonl", SUMS) for model in ("base", "tuned")]
    made = import_finished(workspace, files)
    assert (made.rows, made.cells, made.outputs) == (3, 2, 6)
    assert compare(workspace, made.run).comparisons[0].n == 3


def test_the_models_name_may_be_given(workspace: Workspace, tmp_path: Path):
    file = put(tmp_path / "results", "samples_gsm8k.jsonl", SUMS)
    made = import_finished(workspace, [file], settings=ImportSettings(model_name="pythia"))
    assert report(workspace, made.run).cells[0].cell.model == "pythia"
    made = import_finished(workspace, [("samples_gsm8k.jsonl", file.read_bytes())], name="upload")
    assert report(workspace, made.run).cells[0].cell.model == "unknown"
    assert any("folder" in said for said in made.unmapped)


@pytest.mark.parametrize("old", [False, True], ids=["new", "old"])
def test_of_options_the_likeliest_is_the_output(workspace: Workspace, tmp_path: Path, old: bool):
    items = [chosen(0, [-9.0, -2.5, -1.25], 2, old), chosen(1, [-1.0, -2.0, -3.0], 1, old)]
    made = import_finished(workspace, [put(tmp_path / "m", "samples_sun.jsonl", items)])
    assert [(one.text, one.answer) for one in outputs(workspace, made.run)] == [
        (" hot", "hot"),
        (" cold", "cold"),
    ]
    assert [one.row["reference"] for one in rows(workspace, made.run).rows] == ["hot", "warm"]
    add_metrics(workspace, made.run, ["exact_match"])
    metrics = report(workspace, made.run).cells[0].metrics
    assert metrics["exact_match"].mean == metrics["imported:acc"].mean == 0.5
    assert report(workspace, made.run).cells[0].cell.prompt == "sun"


def test_options_may_differ_in_the_context_or_stand_twice(workspace: Workspace, tmp_path: Path):
    contexts = chosen(0, [-1.0, -0.5, -9.0], 1)
    for name, option in zip(contexts["arguments"], ("Ann ran", "Bob ran", "Cy ran")):
        contexts["arguments"][name] = {"arg_0": option, "arg_1": " home."}
    twice = chosen(1, [-5.0, -1.0, -9.0, -0.1, -0.1, -0.1], 1)
    for index, option in enumerate((" cold", " warm", " hot")):
        twice["arguments"][f"gen_args_{index + 3}"] = {"arg_0": "", "arg_1": option}
    made = import_finished(workspace, [put(tmp_path / "m", "samples_x.jsonl", [contexts, twice])])
    assert [one.text for one in outputs(workspace, made.run)] == ["Bob ran", " warm"]
    assert [one.row["reference"] for one in rows(workspace, made.run).rows] == ["Bob ran", "warm"]


def test_targets_may_be_a_text_or_several_numbers(workspace: Workspace, tmp_path: Path):
    items = [
        chosen(n, [-1.0, -2.0, -3.0], 0) | {"target": target}
        for n, target in enumerate((" warm", "[0, 2]", "9"))
    ]
    made = import_finished(workspace, [put(tmp_path / "m", "samples_x.jsonl", items)])
    assert [one.row["reference"] for one in rows(workspace, made.run).rows] == ["warm", ["cold", "hot"], "9"]


def test_repeats_are_kept_and_the_first_has_the_score(workspace: Workspace, tmp_path: Path):
    item = SUMS[0] | {"resps": [["#### 2", "#### 3"]], "filtered_resps": [["2", "3"]]}
    made = import_finished(workspace, [put(tmp_path / "m", "samples_x.jsonl", [item])])
    assert [(one.repeat, one.answer) for one in outputs(workspace, made.run)] == [(0, "2"), (1, "3")]
    assert report(workspace, made.run).cells[0].metrics["imported:exact_match"].n == 1


def test_log_likelihoods_of_given_texts_are_scores_without_an_output(workspace: Workspace, tmp_path: Path):
    item = {"doc_id": 0, "doc": "a page", "target": "a page", "arguments": [["a page"]], "filter": "none"}
    item |= {"resps": [[["-12.5", "False"]]], "filtered_resps": [["-12.5", "False"]], "perplexity": -12.5}
    item |= {"word_perplexity": [-12.5, 2]}
    made = import_finished(workspace, [put(tmp_path / "m", "samples_x.jsonl", [item])])
    assert outputs(workspace, made.run)[0].text == ""
    assert made.scores == ("imported:perplexity",)
    assert "metric 'word_perplexity': parts of a score over all rows" in made.unmapped


def test_nan_is_missing_and_equal_questions_stay_two_rows(workspace: Workspace, tmp_path: Path):
    items = [SUMS[0] | {"exact_match": float("nan")}, SUMS[0] | {"doc_id": 7}]
    made = import_finished(workspace, [put(tmp_path / "m", "samples_x.jsonl", items)])
    assert made.rows == 2
    assert report(workspace, made.run).cells[0].metrics["imported:exact_match"].n == 1


HOSTILE: dict[str, tuple[str, str]] = {
    "broken in the middle": (by_line(SUMS[:1]) + "{broken\n" + by_line(SUMS[1:]), "line 2: not valid JSON"),
    "another object": (by_line([*SUMS, {"a": 1}]), "line 4: a sample has no `doc_id`"),
    "a list": (by_line([*SUMS, [1]]), "line 4: expected an object"),
    "a twin": (by_line([*SUMS, SUMS[0]]), "two outputs"),
    "half a character": (by_line(SUMS).replace("#### 2", "\\ud800"), "half of a character"),
    "odd arguments": (by_line([SUMS[0] | {"arguments": 7}]), "format lm_eval"),
    "digits": (by_line(SUMS).replace("1.0", "9" * 5000), "too many digits"),
    "depth": (by_line(SUMS) + "[" * 100_000 + "\n", "nested too deeply"),
}


@pytest.mark.parametrize("content", HOSTILE)
def test_a_hostile_file_is_one_sentence_and_changes_nothing(workspace: Workspace, write: Write, content: str):
    text, sentence = HOSTILE[content]
    before = stored(workspace)
    with pytest.raises(WorkbenchError, match=sentence):
        import_finished(workspace, [write("samples_x.jsonl", text)])
    assert stored(workspace) == before
