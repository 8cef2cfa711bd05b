"""Slices: every group of rows has its own intervals and verdicts, and says where it has too few rows."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tests.engine.test_running import run_it
from tests.fake_openai import BROKEN, openai_server
from workbench.core.experiment import Experiment
from workbench.core.race import Race, RaceSettings, Stop
from workbench.engine import (
    Workspace,
    compare,
    delete_run,
    report,
    slice_choices,
    slices,
    slices_json,
)
from workbench.engine.slicing import Slices
from workbench.errors import RunError, UnknownName, UsageError
from workbench.statistics import holm, wilson
from workbench.storage.scores import CellScores

Build = Callable[..., Experiment]


def rewrite(workspace: Workspace, count: int, more: Callable[[int], dict[str, Any]]) -> None:
    """The dataset `sums` with other rows: `direct` is right where n is odd, `careful` always."""
    file = workspace.root / "experiments" / "datasets" / "sums" / "test.jsonl"
    rows = [
        {"id": f"r{n}", "question": f"What is {n} + 7?", "answer": str(n + 7), **more(n)}
        for n in range(count)
    ]
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))


def estimates(found: Slices) -> dict[str, list[float]]:
    return {one.name: [cell.estimate.mean for cell in one.cells] for one in found.slices}


def test_each_slice_has_its_own_estimates_intervals_and_verdicts(
    workspace: Workspace, experiment: Build
) -> None:
    rewrite(workspace, 80, lambda n: {"kind": "odd" if n % 2 else "even"})
    run = run_it(workspace, experiment())
    found = slices(workspace, run, "kind")
    assert estimates(found) == {"even": [0.0, 1.0], "odd": [1.0, 1.0]}
    even, odd = found.slices
    assert even.rows == odd.rows == 40 and not even.small
    assert (even.cells[0].estimate.low, even.cells[0].estimate.high) == wilson(0, 40)
    assert [one.cells[0].comparison for one in found.slices] == [None, None]
    verdicts = [one.cells[1].comparison.verdict for one in found.slices if one.cells[1].comparison]
    assert verdicts == ["better", "tied"]
    assert [cell.estimate for cell in found.whole] == [
        line.metrics["exact_match"] for line in report(workspace, run).cells
    ]


def test_p_values_are_adjusted_over_slices_and_cells(workspace: Workspace, experiment: Build) -> None:
    rewrite(workspace, 24, lambda n: {"part": n % 3})
    run = run_it(workspace, experiment(prompts=["direct", "careful", "three-shots"]))
    lines = [
        cell.comparison
        for one in slices(workspace, run, "part").slices
        for cell in one.cells
        if cell.comparison is not None
    ]
    assert len(lines) == 6
    assert [line.p_adjusted for line in lines] == holm([line.p for line in lines])


def test_small_slices_are_said_to_be_small(workspace: Workspace, experiment: Build) -> None:
    rewrite(workspace, 36, lambda n: {"kind": "rare" if n < 5 else "usual"})
    found = slices(workspace, run_it(workspace, experiment()), "kind")
    assert [one.small for one in found.slices] == [False, True]
    assert any("Few rows" in note and "'rare'" in note for note in found.notes)
    assert [one["few_rows"] for one in slices_json(found)["slices"]] == [False, True]


def test_a_slice_that_contradicts_the_whole_is_pointed_out(workspace: Workspace, experiment: Build) -> None:
    rewrite(workspace, 60, lambda n: {"kind": "a" if n < 20 else "b"})
    run = run_it(workspace, experiment())
    direct = np.concatenate([np.ones(20), np.zeros(40)])
    for cell, values in ((0, direct), (1, 1 - direct)):
        workspace.store.scores.put(
            run, CellScores(cell, "exact_match", 60, values, None, _estimate(values), (), {})
        )
    found = slices(workspace, run, "kind")
    assert compare(workspace, run).comparisons[0].verdict == "better"
    assert [one.cells[1].contradicts for one in found.slices] == [False, True]
    assert any("better over all rows but worse in 'a'" in note for note in found.notes)


def _estimate(values: np.ndarray) -> dict[str, Any]:
    return {"mean": float(values.mean()), "low": 0.0, "high": 1.0, "n": len(values), "unscored": 0}


def test_repeats_of_a_row_are_not_more_rows(workspace: Workspace, experiment: Build) -> None:
    rewrite(workspace, 40, lambda n: {"kind": "odd" if n % 2 else "even", "half": n % 4 < 2})
    run = run_it(workspace, experiment(repeats=3))
    one = slices(workspace, run, "half").slices[0]
    assert one.rows == 20 and one.cells[0].estimate.n == 60
    assert one.cells[0].estimate.high - one.cells[0].estimate.low > 0.35  # as of 20 rows, not 60


def test_rows_without_a_score_are_counted(workspace: Workspace, experiment: Build) -> None:
    rewrite(workspace, 12, lambda n: {"kind": "x"} if n % 2 else {"kind": "y"})
    file = workspace.root / "experiments" / "datasets" / "sums" / "test.jsonl"
    rows = [json.loads(line) for line in file.read_text().splitlines()]
    for row in rows[:3]:
        row["answer"] = None
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    found = slices(workspace, run_it(workspace, experiment()), "kind")
    assert {one.name: one.cells[0].estimate.unscored for one in found.slices} == {"x": 1, "y": 2}


@pytest.mark.parametrize(
    ("by", "groups"),
    [
        ("length", 1),
        ("length:reference", 1),
        ("length:note", 4),
        ("length:prompt", 1),
        ("reference", 4),
        ("column:answer", 4),
        ("nested", 3),
        ("holes", 3),
    ],
)
def test_rows_are_sliced_by_whatever_they_have(
    workspace: Workspace, experiment: Build, by: str, groups: int
) -> None:
    def more(n: int) -> dict[str, Any]:
        hole = [None, "", "x", {"a": 1}][n % 4]
        return {"note": "word " * n, "nested": [[1], {"k": 2}, [1, 2]][n % 3], "holes": hole}

    rewrite(workspace, 30, more)
    found = slices(workspace, run_it(workspace, experiment()), by)
    assert len(found.slices) == groups
    assert sum(one.rows for one in found.slices) == 30
    json.dumps(slices_json(found), allow_nan=False)


def test_tags_are_slices(workspace: Workspace, experiment: Build) -> None:
    run = run_it(workspace, experiment())
    with pytest.raises(UsageError, match="No row of this run has a tag"):
        slices(workspace, run, "tags")
    for row in ("test-1", "test-3"):
        workspace.store.row_tags.add("sums", row, "ambiguous")
    assert {one.name: one.rows for one in slices(workspace, run, "tags").slices} == {
        "ambiguous": 2,
        "no tag": 10,
    }


def test_what_cannot_be_sliced_by_says_what_can(workspace: Workspace, experiment: Build) -> None:
    rewrite(workspace, 40, lambda n: {"kind": n % 2})
    run = run_it(workspace, experiment())
    with pytest.raises(UsageError, match=r"own; slice by its length with 'length:question'"):
        slices(workspace, run, "question")
    with pytest.raises(UsageError, match=r"no column 'kin'\. Did you mean 'kind'"):
        slices(workspace, run, "kin")
    with pytest.raises(UnknownName):
        slices(workspace, run, "kind", metric="bleu")
    with pytest.raises(RunError, match="no cell 9"):
        slices(workspace, run, "kind", baseline=9)
    delete_run(workspace, run)
    with pytest.raises(UnknownName):
        slices(workspace, run, "kind")


def test_what_is_offered_can_be_sliced_by(workspace: Workspace, experiment: Build) -> None:
    rewrite(
        workspace, 40, lambda n: {"kind": "a" if n % 2 else "b", "only": "one", "size": n, "why": f"w {n}"}
    )
    run = run_it(workspace, experiment())
    offered = [choice.by for choice in slice_choices(workspace, run)]
    assert "column:kind" in offered and "column:size" in offered and "length:question" in offered
    assert "column:only" not in offered and "column:why" not in offered and "tags" not in offered
    for by in offered:
        assert slices(workspace, run, by).slices


def test_one_cell_and_one_row_have_slices_too(workspace: Workspace, experiment: Build) -> None:
    rewrite(workspace, 1, lambda n: {"kind": "x"})
    found = slices(workspace, run_it(workspace, experiment(prompts=["careful"], baseline=None)), "kind")
    assert [(one.rows, len(one.cells)) for one in found.slices] == [(1, 1)]
    assert found.slices[0].cells[0].comparison is None


def test_a_run_of_errors_has_slices_without_scores(workspace: Workspace, experiment: Build) -> None:
    rewrite(workspace, 6, lambda n: {"kind": n % 2})
    with openai_server(answer=lambda _: BROKEN) as broken:
        models = workspace.root / "experiments" / "models.yaml"
        text = models.read_text()
        start = text.index("base_url: '") + len("base_url: '")
        models.write_text(text[:start] + broken + text[text.index("'", start) :])
        run = run_it(workspace, experiment())
    found = slices(workspace, run, "kind")
    assert all(
        cell.estimate.n == 0 and cell.estimate.unscored == 3 for one in found.slices for cell in one.cells
    )
    json.dumps(slices_json(found), allow_nan=False)


def test_a_corpus_metric_is_recomputed_from_the_rows_of_each_slice(
    workspace: Workspace, experiment: Build
) -> None:
    rewrite(workspace, 16, lambda n: {"kind": n % 2})
    run = run_it(workspace, experiment(metrics=["chrf"]))
    found = slices(workspace, run, "kind")
    by_hand = [cell.estimate.mean for one in found.slices for cell in one.cells]
    assert all(0 <= value <= 100 for value in by_hand)
    assert by_hand[0] < by_hand[1]  # `direct` is wrong where n is even


def test_a_cell_that_a_race_stopped_has_no_verdict_in_a_slice(
    workspace: Workspace, experiment: Build
) -> None:
    rewrite(workspace, 40, lambda n: {"kind": n % 2})
    run = run_it(workspace, experiment(prompts=["direct", "careful", "three-shots"]))
    race = Race(RaceSettings("exact_match"), of_rows=40, rows=20, stopped={2: Stop(20, 1)})
    workspace.store.runs.set(run, race=race.to_json())
    found = slices(workspace, run, "kind")
    wide = [one.cells[2].estimate.high - one.cells[2].estimate.low for one in found.slices]
    whole = [one.cells[1].estimate.high - one.cells[1].estimate.low for one in found.slices]
    assert all(raced > full for raced, full in zip(wide, whole))
    verdicts = [[c.comparison.verdict for c in one.cells if c.comparison] for one in found.slices]
    assert verdicts == [["better", "stopped"], ["tied", "stopped"]]
    assert any("A race stopped three-shots" in note for note in found.notes)
    json.dumps(slices_json(found), allow_nan=False)
