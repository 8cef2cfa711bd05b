"""Why cells fail: which rows count as failed, how they fall into groups, and of what the shares are."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tests.engine.test_running import run_it
from tests.fake_openai import BROKEN, openai_server
from workbench.core.experiment import Experiment
from workbench.engine import Workspace, create_run, delete_run, failures, failures_json
from workbench.errors import RunError, UnknownName, UsageError
from workbench.storage.scores import CellScores

Build = Callable[..., Experiment]
KINDS = (
    "The baker bakes {} loaves of bread, then 7 more. How many loaves in the oven?",
    "A train carries {} passengers and takes on 7 at the platform. How many travel?",
)


def rows_of(count: int) -> list[dict[str, Any]]:
    """Half of bread, half of trains. `direct` is wrong where the sum is odd, which all of bread is."""
    bread = [2 * n for n in range(count // 2)]
    trains = [2 * n + 1 for n in range(count // 2)]
    return [
        {"id": f"{'bt'[kind]}{n}", "question": KINDS[kind].format(n), "answer": str(n + 7)}
        for kind, numbers in enumerate((bread, trains))
        for n in numbers
    ]


def rewrite(workspace: Workspace, rows: list[dict[str, Any]]) -> None:
    file = workspace.root / "experiments" / "datasets" / "sums" / "test.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))


def rescored(workspace: Workspace, run: str, cell: int, values: Any, **more: Any) -> None:
    """Puts other scores in place of those of a cell."""
    column = np.asarray(values, dtype=np.float64)
    known = column[np.isfinite(column)]
    mean = float(known.mean()) if len(known) else None
    estimate = {
        "mean": mean,
        "low": mean,
        "high": mean,
        "n": len(known),
        "unscored": len(column) - len(known),
    }
    workspace.store.scores.put(
        run, CellScores(cell, "exact_match", len(column), column, None, estimate, **more)
    )


def test_the_failing_kind_is_found_and_named_and_its_rows_lead_to_it(
    workspace: Workspace, experiment: Build
) -> None:
    rewrite(workspace, rows_of(60))
    found = failures(workspace, run_it(workspace, experiment()))
    assert (found.rows, found.failing) == (60, 30)
    assert [one.failing for one in found.overall] == [30, 0]
    bread = found.groups[0]
    assert set(bread.words) & {"baker", "bread", "loaves", "bakes", "oven"}
    assert sum(group.failing for group in found.groups) == 30
    assert all(one.row_id.startswith("b") for group in found.groups for one in group.examples)
    assert 1 <= len(bread.examples) <= 3
    assert bread.examples[0].text.startswith("The baker")


def test_shares_are_of_all_rows_of_a_kind_not_of_the_failing_ones(
    workspace: Workspace, experiment: Build
) -> None:
    rewrite(workspace, rows_of(80))
    run = run_it(workspace, experiment())
    wrong = [1.0] * 40 + [0.0] * 40
    wrong[:10] = [0.0] * 10  # ten of forty about bread, all about trains
    rescored(workspace, run, 0, wrong)
    found = failures(workspace, run, cell=0)
    shares = {group.examples[0].row_id[0]: group.cells[0].share for group in found.groups}
    assert shares == {"b": 0.25, "t": 1.0}
    assert sum(group.rows for group in found.groups) == 80
    assert found.overall[0].share == 50 / 80
    low, high = found.overall[0].low, found.overall[0].high
    assert low < 50 / 80 < high


def test_errors_and_missing_answers_are_failures_and_unscored_rows_are_not(
    workspace: Workspace, experiment: Build
) -> None:
    def some(body: dict[str, Any]) -> Any:
        number = int(body["messages"][-1]["content"].split("is ")[1].split(" ")[0])
        return BROKEN if number < 2 else "no idea" if number < 5 else f"Answer: {number + 7}"

    with openai_server(answer=some) as server:
        models = workspace.root / "experiments" / "models.yaml"
        text = models.read_text()
        start = text.index("base_url: '") + len("base_url: '")
        models.write_text(text[:start] + server + text[text.index("'", start) :])
        file = workspace.root / "experiments" / "datasets" / "sums" / "test.jsonl"
        rows = [json.loads(line) for line in file.read_text().splitlines()]
        rows[11]["answer"] = None
        rewrite(workspace, rows)
        run = run_it(workspace, experiment(prompts=["direct"]))
    found = failures(workspace, run)
    assert found.failing == 5
    assert (found.overall[0].failing, found.overall[0].rows) == (5, 11)
    by_output = failures(workspace, run, read="output")
    assert any("error" in example.text.lower() for one in by_output.groups for example in one.examples)


def test_scores_of_degree_fail_below_the_median(workspace: Workspace, experiment: Build) -> None:
    run = run_it(workspace, experiment(prompts=["direct"]))
    rescored(workspace, run, 0, np.arange(12) / 20)
    assert failures(workspace, run).failing == 6
    rescored(workspace, run, 0, [0.5] * 12)
    assert failures(workspace, run).failing == 12  # all alike and none the best


def test_a_row_fails_where_half_of_its_repeats_do(workspace: Workspace, experiment: Build) -> None:
    run = run_it(workspace, experiment(prompts=["direct"], repeats=2))
    values = np.ones(24)
    values[0] = 0  # one of two
    values[2:4] = np.nan, 1  # one unscored, one right
    rescored(workspace, run, 0, values)
    assert failures(workspace, run).failing == 1


def test_nothing_fails_and_everything_fails(workspace: Workspace, experiment: Build) -> None:
    run = run_it(workspace, experiment(prompts=["careful"], baseline=None))
    none = failures(workspace, run)
    assert none.failing == 0 and none.groups == () and none.overall[0].share == 0
    rescored(workspace, run, 0, np.zeros(12))
    every = failures(workspace, run)
    assert every.failing == 12 and sum(group.failing for group in every.groups) == 12
    rescored(workspace, run, 0, np.full(12, np.nan))
    unscored = failures(workspace, run)
    assert unscored.failing == 0 and unscored.overall[0].rows == 0
    for found in (none, every, unscored):
        json.dumps(failures_json(found), allow_nan=False)


@pytest.mark.parametrize(
    "question", ["", "😀😀", "7", "{{ x }} <b>![](http://a.b)", "\u202eabc", "x" * 50_000]
)
def test_texts_of_any_kind_can_be_grouped(workspace: Workspace, experiment: Build, question: str) -> None:
    rewrite(workspace, [{"id": str(n), "question": question, "answer": "1"} for n in range(12)])
    prompt = workspace.root / "prompts" / "direct.yaml"
    prompt.write_text('name: direct\nmessages:\n  - {role: user, content: "What is 1 + 7? {{ question }}"}\n')
    found = failures(workspace, run_it(workspace, experiment(prompts=["direct"])))
    assert len(found.groups) == 1 and found.groups[0].failing == 12
    assert found.groups[0].name and len(found.groups[0].examples[0].text) <= 300
    assert any("too few, or too much alike" in note for note in found.notes)


def test_reasons_are_grouped_where_the_metric_gave_some(workspace: Workspace, experiment: Build) -> None:
    rewrite(workspace, rows_of(40))
    run = run_it(workspace, experiment())
    silent = failures(workspace, run, read="reason")
    assert silent.groups == () and any("gave no reasons" in note for note in silent.notes)
    said = {n: "It misses the unit of length" if n < 10 else "Tone is rude to customers" for n in range(19)}
    rescored(workspace, run, 0, np.zeros(40), reasons=said)
    found = failures(workspace, run, cell=0, read="reason")
    assert {word for group in found.groups for word in group.words} & {"unit", "rude", "tone", "misses"}
    assert sum(group.failing for group in found.groups) == 19
    assert any("21 failing rows have no reason" in note for note in found.notes)


def test_outputs_are_of_the_cell_that_fails_most(workspace: Workspace, experiment: Build) -> None:
    run = run_it(workspace, experiment())
    found = failures(workspace, run, read="output")
    assert found.cell is not None and found.cell.prompt == "direct"
    assert found.groups[0].examples[0].text.startswith("Answer:")


def test_of_many_rows_a_part_is_read_and_stands_for_all(
    workspace: Workspace, experiment: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    rewrite(workspace, rows_of(120))
    run = run_it(workspace, experiment())
    monkeypatch.setattr("workbench.engine.failure_groups.MOST_TEXTS", 20)
    found = failures(workspace, run)
    assert found.sampled == 40 and found.failing == 60
    assert abs(sum(group.rows for group in found.groups) - 120) <= len(found.groups)
    assert abs(sum(group.failing for group in found.groups) - 60) <= len(found.groups)
    assert found == failures(workspace, run)


def test_bad_questions_get_one_sentence(workspace: Workspace, experiment: Build) -> None:
    run = create_run(workspace, experiment(), owner="command")
    assert failures(workspace, run).failing == 0  # nothing is answered yet
    with pytest.raises(UsageError, match="'mood' is no text"):
        failures(workspace, run, read="mood")  # type: ignore[arg-type]
    with pytest.raises(RunError, match="no cell 7"):
        failures(workspace, run, cell=7)
    with pytest.raises(UnknownName):
        failures(workspace, run, metric="bleu")
    workspace.store.runs.set(run, status="cancelled")
    delete_run(workspace, run)
    with pytest.raises(UnknownName):
        failures(workspace, run)
