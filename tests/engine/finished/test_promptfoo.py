"""promptfoo's results become runs: version 3, older ones, tables alone, JSON lines."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.engine.finished.conftest import stored
from tests.engine.finished.samples import QUESTIONS, by_line, evaluation, tried
from workbench.engine import Workspace, add_metrics, report, rows
from workbench.engine.finished.importing import import_finished
from workbench.errors import InvalidFile, WorkbenchError

Write = Callable[[str, Any], Path]

RESULTS = [tried(0, 0, "2"), tried(0, 1, "two", False), tried(1, 0, "3"), tried(1, 1, "3")]


def outputs(workspace: Workspace, run: str) -> list[Any]:
    cells = workspace.store.outputs.counts(run)
    return [one for cell in sorted(cells) for one in workspace.store.outputs.of_cell(run, cell)]


def bare(result: dict[str, Any]) -> dict[str, Any]:
    """As files of version 2 and before have a result."""
    left_out = ("promptIdx", "testIdx", "testCase", "failureReason", "promptId", "id", "cost", "metadata")
    kept = {key: value for key, value in result.items() if key not in left_out}
    return kept | {"prompt": {"raw": result["prompt"]["raw"], "display": result["prompt"]["label"]}}


def table(cells: list[list[Any]], prompts: list[Any]) -> dict[str, Any]:
    lines = [
        {"outputs": line, "vars": list(QUESTIONS[index]), "test": {}} for index, line in enumerate(cells)
    ]
    return {"head": {"prompts": prompts, "vars": ["question", "answer"]}, "body": lines}


@pytest.mark.parametrize("kind", ["3", "prompts last", "summary alone", "lines", "2"])
def test_a_result_is_the_same_however_the_file_is_laid_out(workspace: Workspace, write: Write, kind: str):
    whole = evaluation(RESULTS)
    inner = whole["results"]
    if kind == "3":
        file = write("results.json", whole)
    elif kind == "prompts last":
        file = write("results.json", whole | {"results": inner | {"prompts": inner.pop("prompts")}})
    elif kind == "summary alone":
        file = write("results.json", inner)
    elif kind == "lines":
        file = write("results.jsonl", by_line(RESULTS))
    else:
        older = {"version": 2, "results": [bare(one) for one in RESULTS], "stats": {}, "table": table([], [])}
        file = write("results.json", {"results": older, "config": {}})
    made = import_finished(workspace, [file])
    assert (made.rows, made.cells, made.outputs) == (2, 2, 4)
    assert made.scores == ("imported:pass", "imported:score", "imported:right")
    cells = report(workspace, made.run).cells
    assert [one.cell.model for one in cells] == ["openai:gpt-4o"] * 2
    assert [one.cell.prompt for one in cells] == ["Q-question", "Think.-question"]
    assert [one.metrics["imported:pass"].mean for one in cells] == [1.0, 0.5]
    assert (cells[0].errors, cells[1].errors, cells[0].prompt_tokens, cells[0].latency_p50_s) == (
        0,
        0,
        18,
        0.54,
    )
    assert cells[0].cost_usd == pytest.approx(0.0004)
    assert "assert 'equals': what it asks for; its verdict is in the scores (4 times)" in made.unmapped
    add_metrics(workspace, made.run, ["exact_match"])
    assert [one.metrics["exact_match"].mean for one in report(workspace, made.run).cells] == [1.0, 0.5]
    messages = workspace.store.runs.get(made.run).definition["prompts"]["Q-question"]["messages"]
    assert [one["content"] for one in messages] == ["Q: {{question}}"]


def test_a_table_alone_is_read(workspace: Workspace, write: Write):
    prompts = [
        {"raw": "Q: {{question}}", "display": "short", "provider": "openai:gpt-4o"},
        {"raw": "Q: {{question}}", "display": "short", "provider": "ollama:llama"},
    ]
    graded = {"pass": False, "score": 0, "namedScores": {"tone": 0.5}, "text": "5", "latencyMs": 100}
    good = graded | {"pass": True, "score": 1, "text": "2", "tokenUsage": {"prompt": 3, "completion": 1}}
    file = write(
        "latest.json", {"version": 1, "results": {"table": table([[good, graded], [good, None]], prompts)}}
    )
    made = import_finished(workspace, [file])
    assert (made.rows, made.cells, made.outputs) == (2, 2, 3)
    assert [one.metrics["imported:pass"].mean for one in report(workspace, made.run).cells] == [1.0, 0.0]
    assert rows(workspace, made.run).rows[1].row["question"] == "2 + 1?"


def test_the_first_tables_had_verdicts_in_their_texts(workspace: Workspace, write: Write):
    cells = [["[PASS] 2", "[FAIL] Expected 2\n---\n5"], ["plain", "[FAIL] 7"]]
    made = import_finished(workspace, [write("old.json", {"table": table(cells, ["one", "two"])})])
    found = sorted((one.position, one.cell, one.text) for one in outputs(workspace, made.run))
    assert [text for _, _, text in found] == ["2", "5", "plain", "7"]
    assert [one.metrics["imported:pass"].mean for one in report(workspace, made.run).cells] == [1.0, 0.0]


def test_what_an_assertion_objects_to_is_no_error_and_a_failed_call_is(workspace: Workspace, write: Write):
    failed = tried(1, 0, None, False, failureReason=2, error="429 Too Many Requests", response={})
    ungraded = tried(2, 0, "4", False, failureReason=2, error="grader is down")
    silent = tried(1, 1, "", False, response={"error": "refused"})
    made = import_finished(workspace, [write("r.json", evaluation([RESULTS[1], failed, ungraded, silent]))])
    found = {(one.text, one.error) for one in outputs(workspace, made.run)}
    assert found == {("two", None), ("", "429 Too Many Requests"), ("4", None), ("", "refused")}
    assert sum(one.metrics["imported:pass"].n for one in report(workspace, made.run).cells) == 1
    assert "scores of an output that could not be graded" in made.unmapped


def test_the_same_test_once_more_is_a_repeat_and_other_asserts_make_another_row(
    workspace: Workspace, write: Write
):
    again = tried(0, 0, "3", False, testIdx=2)
    other = tried(0, 0, "2", testIdx=3)
    other["testCase"] = other["testCase"] | {"assert": [{"type": "contains", "value": "zwei"}]}
    made = import_finished(workspace, [write("r.json", evaluation([RESULTS[0], again, other]))])
    assert (made.rows, sorted(one.repeat for one in outputs(workspace, made.run))) == (2, [0, 0, 1])
    assert [one.row["reference"] for one in rows(workspace, made.run).rows] == ["2", "zwei"]


def test_providers_and_prompts_of_one_name_stay_apart(workspace: Workspace, write: Write):
    file = evaluation([tried(0, 0, "2"), tried(0, 1, "3"), tried(0, 1, "4", promptIdx=2)])
    file["results"]["prompts"] = [
        {"raw": "Q: {{question}}", "label": "p", "provider": "openai:gpt-4o"},
        {"raw": "Q: {{question}}", "label": "p", "provider": "openai:gpt-4o"},
        {"raw": "Other {{question}}", "label": "p", "provider": "openai:gpt-4o"},
    ]
    made = import_finished(workspace, [write("r.json", file)])
    assert [(one.cell.prompt, one.cell.model) for one in report(workspace, made.run).cells] == [
        ("p", "openai:gpt-4o"),
        ("p", "openai:gpt-4o (2)"),
        ("p-2", "openai:gpt-4o"),
    ]


def test_chats_and_objects_are_kept_as_what_they_are(workspace: Workspace, write: Write):
    file = evaluation([tried(0, 0, {"sum": 2}, provider={"id": "x", "label": "mine"})])
    raw = '[{"role": "system", "content": "Terse."}, {"role": "user", "content": "{{question}}"}]'
    file["results"]["prompts"][0] |= {"raw": raw, "label": "chat"}
    made = import_finished(workspace, [write("r.json", file)])
    assert outputs(workspace, made.run)[0].text == '{"sum": 2}'
    messages = workspace.store.runs.get(made.run).definition["prompts"]["chat"]["messages"]
    assert [(one["role"], one["content"]) for one in messages] == [
        ("system", "Terse."),
        ("user", "{{question}}"),
    ]


@pytest.mark.parametrize(
    ("asserts", "reference"),
    [
        ([{"type": "equals", "value": "{{answer}}"}], "2"),
        ([{"type": "equals", "value": 2}, {"type": "cost", "threshold": 1}], 2),
        ([{"type": "assert-set", "assert": [{"type": "icontains", "value": "zwei"}]}], "zwei"),
        ([{"type": "equals", "value": "a"}, {"type": "contains", "value": "b"}], None),
        ([{"type": "equals", "value": "file://a.txt"}], None),
        ([{"type": "javascript", "value": "output.length"}, {"type": "not-equals", "value": "2"}], None),
        ([{"type": "equals", "value": "{{ answer }} and {{ question }}"}], None),
    ],
)
def test_a_right_answer_is_what_the_assertions_agree_on(
    workspace: Workspace, write: Write, asserts: list[Any], reference: Any
):
    result = tried(0, 0, "2")
    result["testCase"] = result["testCase"] | {"assert": asserts}
    made = import_finished(workspace, [write("r.json", evaluation([result]))])
    assert rows(workspace, made.run).rows[0].row.get("reference") == reference


def test_missing_keys_and_nan_leave_gaps(workspace: Workspace, write: Write):
    result = {"provider": "echo", "prompt": {"raw": "hi"}, "response": {"output": "x" * 1_000_000}}
    result |= {"success": True, "score": float("nan"), "latencyMs": None, "vars": None}
    made = import_finished(workspace, [write("r.json", {"results": [result], "stats": {}})])
    assert (made.rows, made.scores, len(outputs(workspace, made.run)[0].text)) == (
        1,
        ("imported:pass",),
        1_000_000,
    )


HOSTILE: dict[str, tuple[Any, str]] = {
    "cut": (evaluation(RESULTS), "not valid JSON"),
    "empty": (evaluation([]), "no results in it"),
    "numbers": (evaluation([1, 2]), "format promptfoo"),  # type: ignore[list-item]
    "odd": (evaluation([tried(0, 0, "x", vars=7, testCase=7)]), "format promptfoo"),
    "nul": (evaluation([tried(0, 0, "a\0")]), "NUL"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_is_one_sentence_and_changes_nothing(workspace: Workspace, write: Write, name: str):
    content, sentence = HOSTILE[name]
    file = write("r.json", content)
    if name == "cut":
        file.write_bytes(file.read_bytes()[:-40])
    before = stored(workspace)
    with pytest.raises(WorkbenchError, match=sentence):
        import_finished(workspace, [file], format_name="promptfoo")
    assert stored(workspace) == before


def test_lines_of_something_else_are_named(workspace: Workspace, write: Write):
    file = write("r.jsonl", by_line([RESULTS[0], {"a": 1}]))
    with pytest.raises(InvalidFile, match="line 2: a result has neither"):
        import_finished(workspace, [file])
