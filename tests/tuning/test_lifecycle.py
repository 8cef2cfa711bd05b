"""Promises of a tuning's life around its training: asked for, queued, cancelled, found, deleted, resumed."""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.engine.conftest import adds
from tests.fake_openai import Stalling, openai_server
from workbench.core.document import load
from workbench.core.tuning import Recipe, TuningProgress
from workbench.engine import Workspace, progress
from workbench.errors import (
    CollectionError,
    TuningCancelled,
    TuningError,
    UnknownName,
    UsageError,
    WorkbenchError,
)
from workbench.tuning import (
    cancel_tuning,
    create_tuning,
    delete_tuning,
    execute_tuning,
    find_tuning,
    get_tuning,
    resume_tuning,
    save_recipe,
    tuning_json,
    tuning_progress,
    tunings,
    undelete_tuning,
)
from workbench.tuning.dispatch import MOST_STARTS, TuningDispatch, note_start
from workbench.tuning.folders import TuningFolder
from workbench.tuning.records import hold, is_held
from workbench.tuning.telling import Telling
from workbench.tuning.turns import turn, turn_is_free, waiting_for


def changed(recipe: Recipe, **changes: Any) -> Recipe:
    """The recipe with other parts, validated anew."""
    return Recipe.model_validate(recipe.model_dump(exclude_defaults=True) | changes)


@contextlib.contextmanager
def in_background(function: Any, *arguments: Any) -> Iterator[list[BaseException]]:
    """Runs a function in a thread; what it raises is in the list once the block is left."""
    raised: list[BaseException] = []

    def work() -> None:
        try:
            function(*arguments)
        except WorkbenchError as problem:
            raised.append(problem)

    thread = threading.Thread(target=work)
    thread.start()
    yield raised
    thread.join(timeout=60)
    assert not thread.is_alive()


def test_a_recipe_becomes_a_queued_tuning_with_a_name_for_its_model(
    workspace: Workspace, recipe: Recipe
) -> None:
    first, second = create_tuning(workspace, recipe), create_tuning(workspace, recipe)
    assert [one.model for one in tunings(workspace)] == ["tiny-sums-lora-2", "tiny-sums-lora"]
    assert tuning_progress(workspace, first) == TuningProgress(first, "queued", "collecting")
    third = create_tuning(workspace, recipe, name="mine")
    assert get_tuning(workspace, third).definition["model"] == "mine"
    with pytest.raises(TuningError, match="'mine' already"):
        create_tuning(workspace, recipe, name="mine")
    assert second in {one.id for one in tunings(workspace, recipe="sums-lora")}


@pytest.mark.parametrize("name", ["../evil", "a b", "", ".hidden", "x" * 200])
def test_a_model_name_that_is_no_folder_name_is_refused(
    workspace: Workspace, recipe: Recipe, name: str
) -> None:
    with pytest.raises(TuningError, match="cannot be a tuned model's name"):
        create_tuning(workspace, recipe, name=name)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"base": "nobody"}, "no model named 'nobody'"),
        ({"base": "server"}, "another server"),
        ({"base": "tiny@int8"}, "quantized weights cannot be trained"),
        ({"train": {"objective": "orpo", "method": "prompt"}}, "does not go with method 'prompt'"),
        ({"evaluate": {"experiment": "nothing"}}, "no experiment named 'nothing'"),
        ({"evaluate": {"forgetting": ["nothing"]}}, "no experiment or dataset named 'nothing'"),
        ({"collect": {"runs": ["nothing"]}}, "nothing"),
        ({"collect": None, "collection": "nothing"}, "no collection named 'nothing'"),
    ],
)
def test_what_a_recipe_names_must_be_there_before_anything_begins(
    workspace: Workspace, recipe: Recipe, changes: dict[str, Any], words: str
) -> None:
    with pytest.raises(WorkbenchError, match=words):
        create_tuning(workspace, changed(recipe, **changes))
    assert tunings(workspace) == []


def test_a_limit_shortens_what_is_measured_and_is_no_less_than_one(
    workspace: Workspace, recipe: Recipe
) -> None:
    tuning = create_tuning(workspace, recipe, limit=5)
    assert get_tuning(workspace, tuning).definition["recipe"]["evaluate"]["limit"] == 5
    with pytest.raises(UsageError, match="at least 1"):
        create_tuning(workspace, recipe, limit=0)


def test_the_run_that_is_missing_is_made_and_nothing_to_learn_from_says_why(
    workspace: Workspace, recipe: Recipe
) -> None:
    impossible = {"runs": ["samples"], "pick": {"metric": "exact_match", "at_least": 2}}
    tuning = create_tuning(workspace, changed(recipe, collect=impossible), limit=8)
    seen: list[TuningProgress] = []
    with pytest.raises(CollectionError) as found:
        execute_tuning(workspace, tuning, seen.append)
    state = tuning_progress(workspace, tuning)
    assert (state.status, state.stage, state.message) == ("failed", "collecting", str(found.value))
    run = get_tuning(workspace, tuning).definition["sources"]["samples"]
    assert progress(workspace, run).status == "completed" and progress(workspace, run).total == 8
    assert {one.status for one in seen} == {"running"}
    # asked again, it is the same run that is looked at
    resume_tuning(workspace, tuning, owner="command")
    with pytest.raises(WorkbenchError):
        execute_tuning(workspace, tuning)
    assert len(workspace.store.runs.newest()) == 1


def test_cancelled_while_it_collects_it_asks_only_the_rest_afterwards(
    workspace: Workspace, recipe: Recipe
) -> None:
    answer = Stalling(adds, 8)
    with openai_server(answer=answer) as slow:
        rows = workspace.models.models_file
        (tiny,) = (line for line in rows.read_text().splitlines() if "name: tiny" in line)
        server = f"{{name: server, provider: openai, model: fake, base_url: '{slow}', concurrency: 2}}"
        rows.write_text(f"models:\n  - {server}\n{tiny}\n")
        impossible = {"runs": ["samples"], "pick": {"metric": "exact_match", "at_least": 2}}
        tuning = create_tuning(workspace, changed(recipe, collect=impossible), owner="command")
        with in_background(execute_tuning, workspace, tuning) as raised:
            while tuning_progress(workspace, tuning).step < 4:
                time.sleep(0.05)
            cancel_tuning(workspace, tuning)
        assert isinstance(raised[0], TuningCancelled)
        assert tuning_progress(workspace, tuning).status == "cancelled"
        run = get_tuning(workspace, tuning).definition["sources"]["samples"]
        assert progress(workspace, run).status == "cancelled" and 4 <= progress(workspace, run).done <= 8
        answer.go_on()
        resume_tuning(workspace, tuning, owner="command")
        with pytest.raises(CollectionError):
            execute_tuning(workspace, tuning)
        assert progress(workspace, run).status == "completed"
        assert len(slow.bodies) <= 24 + 2, "only what was in flight is asked twice"


def test_a_recipe_that_was_mended_is_what_a_refused_tuning_goes_on_with(
    workspace: Workspace, recipe: Recipe
) -> None:
    tuning = create_tuning(workspace, recipe, owner="command", limit=4)
    workspace.store.tunings.set(tuning, status="failed", stage="checking", collection="c1")
    resume_tuning(workspace, tuning)
    unchanged = get_tuning(workspace, tuning)
    assert (unchanged.stage, unchanged.definition["recipe"]["train"].get("rank")) == ("checking", None)

    save_recipe(workspace, changed(recipe, train={"rank": 4}))
    workspace.store.tunings.set(tuning, status="failed")
    resume_tuning(workspace, tuning)
    again = get_tuning(workspace, tuning)
    assert (again.status, again.stage) == ("queued", "collecting")
    assert again.definition["recipe"]["train"] == {"rank": 4}
    assert again.definition["recipe"]["evaluate"]["limit"] == 4

    save_recipe(workspace, changed(recipe, base="nobody"))
    workspace.store.tunings.set(tuning, status="failed")
    with pytest.raises(UnknownName, match="no model named 'nobody'"):
        resume_tuning(workspace, tuning)


def test_a_recipe_changed_since_is_not_taken_by_a_tuning_that_trained_or_was_asked_with_another(
    workspace: Workspace, recipe: Recipe
) -> None:
    trained, other = create_tuning(workspace, recipe), create_tuning(workspace, changed(recipe, train={}))
    save_recipe(workspace, changed(recipe, train={"rank": 4}))
    for tuning, stage in ((trained, "training"), (other, "checking")):
        before = get_tuning(workspace, tuning).definition["recipe"]
        workspace.store.tunings.set(tuning, status="failed", stage=stage)
        resume_tuning(workspace, tuning)
        assert get_tuning(workspace, tuning).definition["recipe"] == before
        assert get_tuning(workspace, tuning).stage == stage


def test_a_queued_tuning_is_cancelled_at_once_and_can_be_resumed(
    workspace: Workspace, recipe: Recipe
) -> None:
    tuning = create_tuning(workspace, recipe)
    cancel_tuning(workspace, tuning)
    assert tuning_progress(workspace, tuning).status == "cancelled"
    with pytest.raises(TuningError, match="nothing to cancel"):
        cancel_tuning(workspace, tuning)
    with pytest.raises(TuningError, match="before it had weights"):
        resume_tuning(workspace, tuning, as_it_is=True)
    with pytest.raises(TuningCancelled):
        execute_tuning(workspace, tuning)
    resume_tuning(workspace, tuning)
    assert tuning_progress(workspace, tuning).status == "queued"
    # a terminal may take over what the worker has not begun
    resume_tuning(workspace, tuning, owner="command")
    assert get_tuning(workspace, tuning).owner == "command"
    with hold(workspace, tuning), pytest.raises(TuningError, match="nothing to resume"):
        resume_tuning(workspace, tuning)


def test_of_two_tunings_at_once_one_waits_and_says_for_whom(workspace: Workspace, recipe: Recipe) -> None:
    tuning = create_tuning(workspace, recipe, owner="command")
    with turn(workspace, "20261121-other", "quickstart"):
        assert not turn_is_free(workspace)
        with in_background(execute_tuning, workspace, tuning) as raised:
            while "20261121-other" not in (said := tuning_progress(workspace, tuning)).message:
                pass
            assert said.status == "queued" and "'quickstart'" in said.message
            cancel_tuning(workspace, tuning)
    assert isinstance(raised[0], TuningCancelled) and turn_is_free(workspace)
    assert not is_held(workspace, tuning)


def test_whom_one_waits_for_is_told_across_workspaces(workspace: Workspace) -> None:
    elsewhere = Workspace(workspace.root / "experiments")
    with turn(elsewhere, "20261121-other", "quickstart"):
        assert f"in {elsewhere.root}" in waiting_for(workspace)


def test_a_tuning_whose_process_died_is_interrupted(workspace: Workspace, recipe: Recipe) -> None:
    tuning = create_tuning(workspace, recipe)
    workspace.store.tunings.set(tuning, status="running", stage="training", step=7)
    assert tuning_progress(workspace, tuning).status == "interrupted"
    with hold(workspace, tuning):
        assert tuning_progress(workspace, tuning).status == "running"


def test_a_tuning_that_dies_again_and_again_at_one_place_has_failed(
    workspace: Workspace, recipe: Recipe
) -> None:
    tuning = create_tuning(workspace, recipe)
    workspace.store.tunings.set(tuning, status="running", stage="training", step=7)
    assert [note_start(workspace, get_tuning(workspace, tuning)) for _ in range(2)] == [1, 2]
    workspace.store.tunings.set(tuning, step=9)  # it got further: counting begins anew
    assert note_start(workspace, get_tuning(workspace, tuning)) == 1
    for _ in range(MOST_STARTS - 1):
        note_start(workspace, get_tuning(workspace, tuning))
    dispatch = TuningDispatch()
    assert dispatch(workspace)
    state = tuning_progress(workspace, tuning)
    assert state.status == "failed" and "died 3 times while training at step 9" in state.message
    assert not dispatch(workspace)
    resume_tuning(workspace, tuning)  # a person may try again
    assert note_start(workspace, get_tuning(workspace, tuning)) == 1


def test_the_worker_leaves_tunings_of_a_terminal_alone(workspace: Workspace, recipe: Recipe) -> None:
    create_tuning(workspace, recipe, owner="command")
    assert not TuningDispatch()(workspace)


def test_what_waits_for_another_tuning_is_told_by_the_worker(workspace: Workspace, recipe: Recipe) -> None:
    tuning = create_tuning(workspace, recipe)
    with turn(workspace, "20261121-other", "quickstart"):
        assert TuningDispatch()(workspace)
    assert "20261121-other" in tuning_progress(workspace, tuning).message
    assert not (TuningFolder.of(workspace.state_dir, tuning).path / "attempts.json").exists()


def test_tunings_are_found_by_what_people_call_them(workspace: Workspace, recipe: Recipe) -> None:
    with pytest.raises(TuningError, match="no tuning yet"):
        find_tuning(workspace, "latest")
    first, second = create_tuning(workspace, recipe), create_tuning(workspace, recipe)
    workspace.store.tunings.set(first, model="mine")
    assert find_tuning(workspace, "latest") == find_tuning(workspace, "sums-lora") == second
    assert find_tuning(workspace, "mine") == find_tuning(workspace, first) == first
    assert find_tuning(workspace, second[:-1]) == find_tuning(workspace, second[1:]) == second
    with pytest.raises(TuningError, match="fits several"):
        find_tuning(workspace, first[:4])
    for nobody in ("nobody", ""):
        with pytest.raises(UnknownName):
            find_tuning(workspace, nobody)


def test_a_deleted_tuning_can_come_back(workspace: Workspace, recipe: Recipe) -> None:
    tuning = create_tuning(workspace, recipe)
    with pytest.raises(TuningError, match="cancel it first"):
        delete_tuning(workspace, tuning)
    cancel_tuning(workspace, tuning)
    delete_tuning(workspace, tuning)
    assert tunings(workspace) == []
    with pytest.raises(UnknownName, match="workbench tunings undelete"):
        get_tuning(workspace, tuning)
    undelete_tuning(workspace, tuning)
    assert [one.id for one in tunings(workspace)] == [tuning]
    with pytest.raises(UnknownName):
        undelete_tuning(workspace, "nobody")


def test_what_words_count_is_told_as_steps(workspace: Workspace, recipe: Recipe) -> None:
    tuning = create_tuning(workspace, recipe)
    seen: list[TuningProgress] = []
    telling = Telling(workspace, get_tuning(workspace, tuning), seen.append)
    telling.words("transit: 1,200 of 1,600 answers")
    assert [(one.step, one.steps, one.message) for one in seen] == [
        (1200, 1600, "transit: 1,200 of 1,600 answers")
    ]
    state = tuning_progress(workspace, tuning)
    assert (state.step, state.steps) == (1200, 1600)
    workspace.store.tunings.set(tuning, cancel_requested=True)
    with pytest.raises(TuningCancelled):
        Telling(workspace, get_tuning(workspace, tuning)).words("Perplexity")


def test_what_is_not_measured_yet_is_null(workspace: Workspace, recipe: Recipe) -> None:
    document = tuning_json(workspace, create_tuning(workspace, recipe))
    assert list(document)[:8] == [
        "tuning",
        "model",
        "status",
        "seconds",
        "base",
        "tuned",
        "comparison",
        "forgetting",
    ]
    assert document["comparison"] is None and document["forgetting"] == []
    json.dumps(document)


def test_a_collection_of_another_task_is_refused(workspace: Workspace, recipe: Recipe) -> None:
    from tests.tuning.tuned_nano import learnt
    from workbench.core.collection import CollectionItem

    items = [CollectionItem(number, one) for number, one in enumerate(learnt())]
    workspace.store.collections.create("c1", "mine", "completion", {}, {}, items)
    text = "name: by-dpo\nbase: tiny\ncollection: mine\ntrain: {objective: dpo}\n"
    tuning = create_tuning(workspace, load(Recipe, text))
    with pytest.raises(TuningError, match="teaches a completion"):
        execute_tuning(workspace, tuning)
    for number in range(len(items)):
        workspace.store.collections.change("c1", "reject", [_dropped(number)])
    with pytest.raises(CollectionError, match="no item that is kept"):
        execute_tuning(
            workspace, create_tuning(workspace, load(Recipe, "name: a\nbase: tiny\ncollection: mine\n"))
        )


def _dropped(number: int) -> Any:
    from workbench.storage.collection_changes import ItemChange

    return ItemChange(number, "dropped", "person")
