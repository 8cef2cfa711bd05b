"""Probes on the Compare page: shown on one row, started, and reported."""

from __future__ import annotations

import os
from pathlib import Path

from tests.app.conftest import Visit, texts
from workbench.engine import Workspace, create_probe, execute_run, probes_of


def test_a_probe_is_shown_on_a_row_and_started(visit: Visit, finished_run: str) -> None:
    test = visit("compare", run=finished_run, view="probes")
    next(box for box in test.selectbox if box.label == "What is changed").set_value("case")
    test.run()
    assert not test.error, [error.value for error in test.error]
    assert "6 rows of the first 6 would be changed" in texts(test)
    start = next(button for button in test.button if button.label.startswith("Start the probe"))
    start.click().run()
    ws = Workspace.open(Path(os.environ["WORKBENCH_ROOT"]))
    (probe,) = probes_of(ws, finished_run)
    ws.close()
    assert probe.experiment == "quickstart (case probe)" and probe.total == 6 * probe.cells


def test_a_change_that_changes_nothing_is_said_and_cannot_be_started(visit: Visit, finished_run: str) -> None:
    test = visit("compare", run=finished_run, view="probes")
    next(box for box in test.multiselect if box.label == "Lists of terms").set_value([])
    area = next(area for area in test.text_area if area.label.startswith("Pairs"))
    area.set_value("zebra = unicorn").run()
    assert "No row is changed" in test.error[0].value
    assert not [button for button in test.button if button.label.startswith("Start the probe")]
    area.set_value("zebra").run()
    assert "Write pairs as A" in test.error[0].value


def test_a_finished_probe_is_reported_cell_by_cell(visit: Visit, finished_run: str) -> None:
    ws = Workspace.open(Path(os.environ["WORKBENCH_ROOT"]))
    probe = create_probe(ws, finished_run, [{"case": "upper"}], owner="command")
    execute_run(ws, probe)
    ws.close()
    test = visit("compare", run=finished_run, view="probes", probe=probe)
    assert not test.error, [error.value for error in test.error]
    assert "6 rows of 6 were changed." in texts(test)
    shown = test.table[0].value.to_string()
    assert "Answers changed" in shown and "By themselves" not in shown
