"""Runs made elsewhere are written whole or not at all, on both databases."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import numpy as np
import pytest

from workbench.core.rating import Rating
from workbench.core.run import Output
from workbench.storage import Store
from workbench.storage.imported_runs import BATCH_ROWS, ImportedContent
from workbench.storage.scores import CellScores

OUTPUTS = [Output(0, f"row-{n}", n, text=f"text {n}", answer="a") for n in range(BATCH_ROWS + 5)]
CONTENT = ImportedContent(
    run="r1",
    name="ours",
    definition={"experiment": {}, "imported": []},
    row_set="h1",
    rows=[(n, f"row-{n}", f'{{"id": "row-{n}"}}') for n in range(len(OUTPUTS))],
    outputs=OUTPUTS,
    total=len(OUTPUTS),
    errors=0,
    cost_usd=0.5,
    scores=[CellScores(0, "imported:ok", len(OUTPUTS), np.ones(len(OUTPUTS)), None, {"mean": 1.0})],
    ratings=[Rating("r1", "i1", "ada", "pairwise", 0, 0, 0, 1, value=0.5, chosen="import")],
)


def test_everything_is_there_and_the_run_is_completed(store: Store):
    store.imported_runs.add(CONTENT)
    record = store.runs.get("r1")
    assert record is not None
    assert (record.status, record.done, record.cost_usd) == ("completed", len(OUTPUTS), 0.5)
    assert store.runs.waiting() == []
    assert store.outputs.of_cell("r1", 0) == OUTPUTS
    assert store.runs.count_rows("h1") == len(OUTPUTS)
    assert store.scores.of_run("r1")[0, "imported:ok"].values.sum() == len(OUTPUTS)
    assert [rating.value for rating in store.ratings.current("r1")] == [0.5]


def test_rows_that_another_run_has_are_not_written_again(store: Store):
    store.imported_runs.add(CONTENT)
    store.imported_runs.add(dataclasses.replace(CONTENT, run="r2", ratings=[]))
    assert store.runs.count_rows("h1") == len(OUTPUTS)
    assert len(store.outputs.of_cell("r2", 0)) == len(OUTPUTS)


def test_a_failure_on_the_way_leaves_nothing(store: Store):
    def broken() -> Iterator[Output]:
        yield from OUTPUTS
        raise ValueError("the disk was pulled out")

    with pytest.raises(ValueError, match="pulled out"):
        store.imported_runs.add(dataclasses.replace(CONTENT, outputs=broken()))
    assert store.runs.get("r1") is None
    assert store.runs.count_rows("h1") == 0
    assert store.outputs.counts("r1") == {}
