"""Scoring says how far it is, and scores the same however many processes take part."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from workbench.core.experiment import Experiment
from workbench.engine import Workspace, create_run, execute_run, report
from workbench.engine.score import score_run
from workbench.metrics import parallel


def test_scoring_says_how_many_rows_are_done(
    workspace: Workspace, experiment: Callable[..., Experiment], monkeypatch: pytest.MonkeyPatch
) -> None:
    run = create_run(workspace, experiment(metrics=["exact_match", "chrf"]), owner="command")
    execute_run(workspace, run)
    quick = report(workspace, run)
    for name in ("PROBE_S", "PAYS_S", "BETWEEN_S"):
        monkeypatch.setattr(parallel, name, 0.0)
    monkeypatch.setattr(parallel, "FIRST_ROWS", 4)
    monkeypatch.setattr(parallel, "MOST_ROWS", 4)
    monkeypatch.setattr(parallel, "usable_cores", lambda: 2)
    words: list[str] = []
    with workspace.store.database.write() as connection:
        connection.exec_driver_sql("DELETE FROM scores")
    score_run(workspace, run, on_scoring=words.append)
    assert words[0] == "Scoring direct · server by exact_match"
    assert "Scoring careful · server by chrf: 12 of 12" in words
    assert [cell.metrics for cell in report(workspace, run).cells] == [cell.metrics for cell in quick.cells]
