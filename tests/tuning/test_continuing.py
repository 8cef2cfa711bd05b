"""Going on from a tuned model: only on something new, and without what people decided being lost."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.tuning.finished_runs import finished_run, make_workspace, rate
from workbench.core.collection import BY_PERSON
from workbench.core.tuning import Collect
from workbench.engine import Workspace
from workbench.errors import TuningError, WorkbenchError
from workbench.tuning import continue_tuning, tunings
from workbench.tuning.collecting import accept, collect, edit, kept_items, reject

MODEL = "one-sums"


@pytest.fixture
def workspace(tmp_path: Path):
    opened = make_workspace(tmp_path / "root")
    yield opened
    opened.close()


def says(row: dict[str, Any], cell: int = 0, repeat: int = 0) -> str:
    """Right, in other words each time."""
    return f"{('It is', 'That makes', 'Altogether')[repeat % 3]} {row['answer']}. Answer: {row['answer']}"


def tuned(workspace: Workspace, learnt: str, **recipe: Any) -> str:
    """A tuning that learnt the collection, as it stands, and has a model."""
    definition = {"recipe": {"name": "sums", "base": "one", **recipe}, "model": MODEL}
    workspace.store.tunings.create("t1", "sums", definition, owner="command")
    version = workspace.store.collections.version(learnt)
    workspace.store.tunings.set(
        "t1", status="completed", model=MODEL, collection=learnt, collection_version=version
    )
    return "t1"


def test_what_people_decided_holds_when_the_collection_is_made_anew(workspace: Workspace):
    settings = Collect(runs=(finished_run(workspace, says),), clean=({"length": {"most": 30}},))
    first = collect(workspace, "sums", settings)
    reject(workspace, first, [1], detail="too curt")
    edit(workspace, first, 2, "Surely 109. Answer: 109")
    again = collect(workspace, "sums", settings, earlier=first)
    found = workspace.store.collections.items(again)
    assert (found[1].state, found[1].reason, found[1].detail) == ("dropped", BY_PERSON, "too curt")
    assert found[2].item.completion == "Surely 109. Answer: 109"
    assert found[2].item.original == "It is 109. Answer: 109"
    version = workspace.store.collections.version
    assert version(again) == version(first)
    assert version(collect(workspace, "sums", settings)) != version(first)


def test_what_was_dropped_and_accepted_stays_accepted(workspace: Workspace):
    settings = Collect(runs=(finished_run(workspace, says),), clean=({"contains": {"phrases": ["109"]}},))
    first = collect(workspace, "sums", settings)
    (dropped,) = workspace.store.collections.items(first, state="dropped")
    accept(workspace, first, [dropped.number])
    again = collect(workspace, "sums", settings, earlier=first)
    assert len(kept_items(workspace, again)) == 6


@pytest.mark.parametrize("by_name", [False, True])
def test_with_nothing_new_it_is_refused_before_anything_is_made(workspace: Workspace, by_name: bool):
    run = finished_run(workspace, says, repeats=2)
    settings = Collect(runs=(run,))
    collection = collect(workspace, "sums", settings)
    reject(workspace, collection, [0])
    source = {"collection": "sums"} if by_name else {"collect": settings.model_dump(exclude_defaults=True)}
    tuning = tuned(workspace, collection, **source)
    with pytest.raises(TuningError, match="Nothing has come since tuning t1"):
        continue_tuning(workspace, tuning)
    assert len(tunings(workspace)) == 1 and len(workspace.store.collections.newest("sums")) == 1

    reject(workspace, collection, [3])  # curated since: now the base is what is missing here
    with pytest.raises(WorkbenchError, match=f"no model named '{MODEL}'"):
        continue_tuning(workspace, tuning)


def test_a_rating_since_is_something_new(workspace: Workspace):
    run = finished_run(workspace, says, repeats=2)
    rate(workspace, run, {"mode": "thumbs", "value": 1.0})
    settings = Collect.model_validate({"runs": [run], "pick": {"by": "rating"}})
    tuning = tuned(workspace, collect(workspace, "sums", settings), collect=settings.model_dump(mode="json"))
    with pytest.raises(TuningError, match="Nothing has come"):
        continue_tuning(workspace, tuning)
    rate(workspace, run, {"mode": "thumbs", "value": 1.0, "position": 1})
    with pytest.raises(WorkbenchError, match=f"no model named '{MODEL}'"):
        continue_tuning(workspace, tuning)
