"""Every pair on the Compare page: a triangle that can be read without colour, and its table."""

from __future__ import annotations

from pathlib import Path

from tests.app.conftest import Visit, texts
from workbench.core.experiment import Experiment
from workbench.core.run import Output
from workbench.engine import Workspace, create_run, rows


def stored(root: Path, prompts: list[str]) -> str:
    """A run over 60 rows, its outputs written by hand: each prompt right on a third more than the last."""
    ws = Workspace.open(root)
    experiment = Experiment.model_validate(
        {
            "name": "stored",
            "dataset": {"name": "word-problems", "limit": 60},
            "prompts": prompts,
            "models": ["small"],
            "metrics": ["exact_match"],
            "confidence": 0.9,
        }
    )
    created = create_run(ws, experiment, owner="command")
    page = rows(ws, created, limit=60).rows
    outputs = [
        Output(cell, row.row_id, n, text="", answer=str(row.reference) if n % 3 < cell else "nothing")
        for cell in range(len(prompts))
        for n, row in enumerate(page)
    ]
    ws.store.outputs.add(created, outputs)
    ws.store.runs.set(created, status="completed", done=len(outputs))
    ws.close()
    return created


def test_every_pair_is_in_the_table_and_the_verdict_stands_in_words(visit: Visit, root: Path) -> None:
    page = visit("compare", run=stored(root, ["direct", "step-by-step", "three-shots"]), view="pairs")
    assert not page.error and not page.exception
    assert "corrected for all pairs (3), intervals at 90 %" in texts(page).replace("\\", "")
    shown = page.table[0].value
    assert list(shown["Against"]) == ["direct · small"] * 2 + ["step\\-by\\-step · small"]
    assert all("▲ better" in verdict for verdict in shown["Verdict"])


def test_one_cell_has_nothing_to_be_paired_with(visit: Visit, root: Path) -> None:
    page = visit("compare", run=stored(root, ["direct"]), view="pairs")
    assert not page.error and not page.exception
    assert "There is no pair to compare" in texts(page)


def test_the_result_table_says_the_experiments_own_confidence(visit: Visit, root: Path) -> None:
    page = visit("compare", run=stored(root, ["direct", "step-by-step"]), view="table")
    assert not page.error and not page.exception
    assert "intervals at 90 %" in texts(page).replace("\\", "")
