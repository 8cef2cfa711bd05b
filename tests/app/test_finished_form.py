"""Finished outputs on the Datasets page: recognised or mapped, what was left out, and where to go next."""

from __future__ import annotations

import json
from pathlib import Path

from streamlit.testing.v1 import AppTest

from tests.app.conftest import Visit, press, texts
from workbench.engine import Workspace, find_run, report

ANSWERS = [
    {"instruction": f"Name {n} primes.", "output": f"{n} <b>primes</b>", "generator": model, "raw": 1}
    for n in (1, 2)
    for model in ("m1", "m2")
]


def upload(test: AppTest, name: str, content: bytes) -> AppTest:
    test.file_uploader[0].upload(name, content, "application/octet-stream")
    return test.run()


def test_a_file_of_another_tool_is_recognised_imported_and_linked(visit: Visit, root: Path) -> None:
    test = upload(visit("datasets", view="outputs"), "ours.json", json.dumps(ANSWERS).encode())
    assert "AlpacaEval" in texts(test)
    press(test, "Import as a run")
    assert not test.error, [error.value for error in test.error]
    said = texts(test).replace("\\", "")
    assert "Imported ours: 2 rows, 2 cells, 4 outputs" in said
    assert "key 'raw' of an output (4 times)" in said
    ws = Workspace.open(root)
    run = find_run(ws, "ours")
    ws.close()
    for page in ("compare", "run"):
        shown = visit(page, run=run)
        assert not shown.error, [error.value for error in shown.error]
    assert "Retry the errors" not in [button.label for button in shown.button]
    assert not visit("compare", run=run, view="rows").error


def test_a_tables_columns_are_guessed_and_chosen(visit: Visit, root: Path) -> None:
    table = b"q,gold,model,reply,ok\n1+1?,2,a,2,1\n1+1?,2,b,3,0\n"
    test = upload(visit("datasets", view="outputs"), "replies.csv", table)
    boxes = {box.label: box for box in test.selectbox}
    assert boxes["The outputs stand in"].value == "reply"
    assert boxes["The model stands in"].value == "model"
    boxes["The right answer stands in"].set_value("gold")
    next(box for box in test.multiselect if box.label == "Scores to keep").set_value(["ok"])
    press(test, "Import as a run")
    assert not test.error, [error.value for error in test.error]
    ws = Workspace.open(root)
    cells = report(ws, find_run(ws, "replies")).cells
    ws.close()
    assert [(cell.cell.model, cell.metrics["imported:ok"].mean) for cell in cells] == [("a", 1.0), ("b", 0.0)]


def test_a_damaged_file_is_one_sentence(visit: Visit) -> None:
    test = upload(visit("datasets", view="outputs"), "cut.json", json.dumps(ANSWERS).encode()[:-20])
    press(test, "Import as a run")
    assert len(test.error) == 1
    assert "cut.json, line 1" in test.error[0].value.replace("\\", "")
    assert "Imported" not in texts(test)
