"""`workbench score`: metrics with settings over a file, and a dataset that answers itself perfectly."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Command
from workbench.metrics import score_table

SHARED = Path(__file__).parents[3] / "shared" / "data" / "gsm8k_test.jsonl"
RULE = ["--answer", '{after: "####", type: number}']
SOLUTIONS = [
    "She makes 9 * 2 = $<<9*2=18>>18 every day.\n#### 18",
    "It costs 80,000+50,000=<<80000+50000=130000>>130,000.\n#### 1,130,000",
    "He loses 2.5 - 5 = -2.5\n#### -2.5",
    "Half of it.\n#### 50%",
]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "solutions.jsonl"
    path.write_text("\n".join(json.dumps({"question": "?", "answer": text}) for text in SOLUTIONS), "utf-8")
    return path


def itself(column: str = "answer") -> list[str]:
    return ["--prediction", column, "--reference", column]


def test_solutions_scored_against_themselves_are_exactly_right(workbench: Command, file: Path):
    options = [*itself(), *RULE, "--metrics", "exact_match,numeric,accuracy,f1,math"]
    document = workbench("score", file, *options, "--json").json
    for name, one in document["metrics"].items():
        assert (one["value"], one["n"], one["unscored"], one["reasons"]) == (1.0, 4, 0, []), name


def test_the_whole_published_test_set_scored_against_itself_is_exactly_right(workbench: Command):
    if not SHARED.exists():
        pytest.skip("needs gsm8k_test.jsonl, which is no part of the repository")
    document = workbench("score", SHARED, *itself(), *RULE, "--json").json
    assert document["rows"] == 1319
    assert document["metrics"]["exact_match"]["value"] == 1.0
    assert document["metrics"]["exact_match"]["n"] == 1319


def test_metrics_take_settings_and_may_stand_twice(workbench: Command, file: Path):
    options = [
        *itself(),
        *("--metrics", "exact_match"),
        *("--metric", "{name: length, max: 9}"),
        *("--metric", "{name: length, max: 90, as: short}"),
        *("--metric", "json_valid"),
    ]
    document = workbench("score", file, *options, "--json").json
    assert list(document["metrics"]) == ["exact_match", "length", "short", "json_valid"]
    assert [one["value"] for one in document["metrics"].values()] == [1.0, 0.5, 1.0, 0.0]


def test_rows_that_cannot_be_scored_are_counted_and_say_why(workbench: Command, tmp_path: Path):
    path = tmp_path / "answers.jsonl"
    rows = [{"said": "7", "gold": gold} for gold in ("7", "a few", None, *["none"] * 6)]
    path.write_text("\n".join(map(json.dumps, rows)), "utf-8")
    options = ["--prediction", "said", "--reference", "gold", "--metrics", "numeric"]
    one = workbench("score", path, *options, "--json").json["metrics"]["numeric"]
    assert (one["value"], one["n"], one["unscored"]) == (1.0, 1, 8)
    assert one["reasons"][0] == {"row": 2, "reason": "The reference is no number: a few"}
    assert len(one["reasons"]) == 5
    shown = workbench("score", path, *options)
    assert "unscored" in shown.out and "numeric, row 2: The reference is no number: a few" in shown.err


def test_references_are_needed_only_by_metrics_that_need_them(workbench: Command, file: Path):
    options = ["--prediction", "answer", "--metric", "{name: regex, pattern: '#### '}"]
    assert workbench("score", file, *options, "--json").json["metrics"]["regex"]["value"] == 1.0
    missing = workbench("score", file, *options, "--metrics", "f1", code=1).err
    assert "Metric 'f1' needs right answers" in missing
    own = [*options[:2], "--metric", "{name: f1, reference: answer}"]
    assert workbench("score", file, *own, "--json").json["metrics"]["f1"]["value"] == 1.0


@pytest.mark.parametrize(
    ("spec", "code", "words"),
    [
        ("{name: regex, pattern: (}", 1, "no regular expression"),
        ("{name: length, maximum: 5}", 1, "has no setting 'maximum'. Did you mean 'max'?"),
        ("{name: f1, reference: anwser}", 1, "Did you mean 'answer'?"),
        ("{name: f1, of: words}", 1, "`of` is answer or text"),
        ("{name: f1", 2, "not valid YAML"),
        ("[f1]", 2, "write a name or a mapping"),
    ],
)
def test_a_metric_that_cannot_be_used_is_one_sentence(workbench: Command, file: Path, spec, code, words):
    shown = workbench("score", file, *itself(), "--metric", spec, code=code).err
    assert words in shown and "Traceback" not in shown


def test_options_and_other_columns_reach_the_metrics():
    rows = [
        {"said": "Paris", "options": ["Rome", "Paris"], "gold": "B", "also": "paris"},
        {"said": "A", "options": ["Rome", "Paris"], "gold": 1, "also": None},
    ]
    specs = [{"name": "choice", "options": "options"}, {"name": "exact_match", "reference": "also"}]
    found = score_table(rows, "said", "gold", specs)["metrics"]
    assert found["choice"]["value"] == 0.5
    assert (found["exact_match"]["value"], found["exact_match"]["unscored"]) == (1.0, 1)
