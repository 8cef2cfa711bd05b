"""How cells are called where people see them."""

from __future__ import annotations

from workbench.core.run import LIVE, Cell


def test_a_cell_is_labelled_by_what_makes_it_different():
    assert Cell(0, "direct", "v", "small@int8").label == "direct · small@int8"
    assert Cell(1, "direct", "v", "nano", {"temperature": 0.7}).label == "direct · nano · temperature 0.7"


def test_a_stopped_run_is_not_live():
    assert {"queued", "running"} == LIVE
