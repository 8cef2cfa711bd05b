"""Promises of tuned models: saved whole or not at all, measured as any other, known to the last row."""

from __future__ import annotations

import json
import resource
import shutil
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from tests.require import require
from tests.tuning.tuned_nano import learnt, random_adapter, tuned_workspace
from workbench.core.collection import CollectionItem, collection_version
from workbench.core.document import dump, load
from workbench.core.tuning import Recipe, Train
from workbench.engine import Workspace
from workbench.errors import StorageError, TuningError, UnknownName
from workbench.models.embedded import embedded_path
from workbench.tuning import (
    continue_tuning,
    create_tuning,
    delete_tuned_model,
    delete_tuning,
    execute_tuning,
    get_tuning,
    lineage,
    lineage_items,
    lineage_json,
    model_card,
    model_card_markdown,
    resume_tuning,
    tuned_names,
    tuning_json,
    undelete_tuned_model,
)
from workbench.tuning.collecting import reject, undo
from workbench.tuning.folders import TuningFolder
from workbench.tuning.job import TrainingJob
from workbench.tuning.snapshot import write_items
from workbench.tuning.stages import save_model
from workbench.tuning.telling import Telling
from workbench.tuning.tuned_models import experiments_with, free_name, models_dir

RECIPE = """\
name: rides
base: nano
collection: rides
evaluate: {experiment: transit-samples, forgetting: [labels], limit: 4, prompts: [direct]}
"""

REPORT = {"taught": {"prompt": "direct", "version": "1" * 64}}


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    require(find_spec("trl"), "the packages to train with: pip install 'workbench[tuning]'")
    monkeypatch.setenv("WORKBENCH_CACHE", str(tmp_path / "cache"))
    opened = tuned_workspace(tmp_path / "root")
    opened.models.remove("tuned")
    return opened


def trained(workspace: Workspace, base: str = "nano", **changes: Any) -> str:
    """A tuning whose training is done: a random adapter over nano lies in its folder."""
    items = learnt()
    if workspace.store.collections.get("c1") is None:
        kept = [CollectionItem(number, one) for number, one in enumerate(items)]
        workspace.store.collections.create("c1", "rides", "completion", {}, REPORT, kept)
    recipe = load(Recipe, RECIPE.replace("base: nano", f"base: {base}"))
    tuning = create_tuning(workspace, recipe, owner="command", **changes)
    folder = TuningFolder.of(workspace.state_dir, tuning)
    random_adapter(folder.model)
    write_items(folder, items)
    TrainingJob(tuning, str(embedded_path("nano")), Train(epochs=1, batch=2)).write(folder.job)
    workspace.store.tunings.set(
        tuning, stage="saving", collection="c1", collection_version=collection_version(items)
    )
    return tuning


def test_a_trained_tuning_becomes_a_model_with_a_verdict_and_a_line(workspace: Workspace) -> None:
    tuning = trained(workspace)
    record = execute_tuning(workspace, tuning)
    assert (record.status, record.stage, record.model) == ("completed", "done", "nano-rides")
    assert workspace.models.names() == ["nano-rides", "nano", "small"]
    assert workspace.models.check("nano-rides").ok
    document = tuning_json(workspace, tuning)
    assert document["base"]["model"] == "nano" and document["tuned"]["model"] == "nano-rides"
    assert document["comparison"]["verdict"] in ("better", "worse", "tied", "undecided")
    assert {"difference", "low", "high", "p"} <= document["comparison"].keys()
    assert [one["experiment"] for one in document["forgetting"]] == ["labels"]
    json.dumps(document, allow_nan=False)
    card = model_card_markdown(model_card(workspace, tuning))
    asked = workspace.prompts.get(document["headline"]["prompt"])
    assert f"Prompt {asked.name}, version {asked.version}:" in card and dump(asked) in card

    found = lineage(workspace, "nano-rides@int8")
    assert (found.tuning, found.recipe, found.base) == (tuning, "rides", "nano")
    assert found.collection_version == record.collection_version and len(found.weights) == 64
    assert found.items == found.rows == 12 and found.learnt + found.held_back == 12
    assert found.held_back == 1 and found.parent is None and found.lost == ""
    (maker,) = found.made_by
    assert (maker.prompt, maker.version, maker.model) == ("step-by-step", "0" * 12, "nano")
    assert found.taught == REPORT["taught"]
    assert lineage_items(workspace, "nano-rides") == learnt()
    origins = lineage_json(found, lineage_items(workspace, "nano-rides"))["origins"]
    assert origins[0]["row_id"] == learnt()[0].origin.row_id

    # stopped while it was measured: what was asked is not asked again
    workspace.store.tunings.set(tuning, status="interrupted", stage="evaluating")
    runs = len(workspace.store.runs.newest())
    resume_tuning(workspace, tuning, owner="command")
    execute_tuning(workspace, tuning)
    assert len(workspace.store.runs.newest()) == runs
    assert tuning_json(workspace, tuning)["base"] == document["base"]

    # the folder has no path that ties it to this place
    moved = workspace.root.parent / "moved"
    shutil.copytree(workspace.root, moved)
    elsewhere = Workspace.open(moved).models
    assert elsewhere.spec("nano-rides").adapter == str(moved / ".workbench/models/nano-rides/adapter")
    assert elsewhere.open("nano-rides").identity() == workspace.models.open("nano-rides").identity()


def saved(workspace: Workspace, base: str = "nano", **changes: Any) -> str:
    """A tuned model without the measuring; gives the tuning."""
    tuning = trained(workspace, base, **changes)
    record = get_tuning(workspace, tuning)
    save_model(workspace, record, Telling(workspace, record))
    workspace.store.tunings.set(tuning, status="cancelled")
    return tuning


def test_a_full_disk_while_saving_is_one_clear_error_and_nothing_is_lost(workspace: Workspace) -> None:
    tuning = trained(workspace)
    folder = TuningFolder.of(workspace.state_dir, tuning)
    shutil.rmtree(folder.model)
    random_adapter(folder.model, rank=4096)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(
        resource.RLIMIT_FSIZE, (3_000_000, before[1])
    )  # the database is smaller, the model larger
    try:
        with pytest.raises(StorageError) as found:
            execute_tuning(workspace, tuning)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert str(folder.model) in str(found.value) and "make room, then resume" in str(found.value)
    assert tuned_names(workspace) == [] and list(models_dir(workspace).iterdir()) == []
    resume_tuning(workspace, tuning, owner="command")
    record = get_tuning(workspace, tuning)
    save_model(workspace, record, Telling(workspace, record))
    assert lineage(workspace, "nano-rides").items == 12


def test_a_deleted_model_says_who_asks_it_and_comes_back_as_it_was(workspace: Workspace) -> None:
    saved(workspace)
    file = workspace.experiments_dir / "labels.yaml"
    file.write_text(file.read_text().replace("models: [nano]", "models: [nano, nano-rides@int8]"))
    identity = workspace.models.open("nano-rides").identity()
    assert experiments_with(workspace, "nano-rides") == ["labels"]
    assert delete_tuned_model(workspace, "nano-rides") == ["labels"]
    assert workspace.models.names() == ["nano", "small"]
    from workbench.engine import create_run

    with pytest.raises(UnknownName, match="workbench models undelete nano-rides"):
        create_run(workspace, workspace.experiment("labels"))
    undelete_tuned_model(workspace, "nano-rides")
    assert workspace.models.open("nano-rides").identity() == identity
    create_run(workspace, workspace.experiment("labels"))
    with pytest.raises(UnknownName):
        undelete_tuned_model(workspace, "nano-rides")


def test_a_new_model_of_a_deleted_name_stands_in_the_way_of_the_old_one(workspace: Workspace) -> None:
    saved(workspace)
    delete_tuned_model(workspace, "nano-rides")
    saved(workspace)
    assert tuned_names(workspace) == ["nano-rides"]
    with pytest.raises(TuningError, match="delete that one first"):
        undelete_tuned_model(workspace, "nano-rides")


@pytest.mark.parametrize("name", ["../../prompts", "nano", "", ".deleted", "a/b"])
def test_only_tuned_models_are_deleted(workspace: Workspace, name: str) -> None:
    saved(workspace)
    for change in (delete_tuned_model, undelete_tuned_model):
        with pytest.raises(UnknownName):
            change(workspace, name)
    assert (workspace.root / "prompts").is_dir()


def test_a_name_that_was_taken_meanwhile_is_numbered(workspace: Workspace) -> None:
    tuning = trained(workspace)
    rows = workspace.models.models_file
    rows.write_text("models:\n  - {name: nano-rides, provider: openai, model: m}\n")
    record = get_tuning(workspace, tuning)
    save_model(workspace, record, Telling(workspace, record))
    assert get_tuning(workspace, tuning).model == "nano-rides-2" and tuned_names(workspace) == [
        "nano-rides-2"
    ]
    assert free_name(workspace, "nano-rides") == "nano-rides-3"


def test_saved_again_by_the_same_tuning_it_keeps_its_name(workspace: Workspace) -> None:
    tuning = saved(workspace)
    before = lineage(workspace, "nano-rides").weights
    folder = TuningFolder.of(workspace.state_dir, tuning)
    shutil.rmtree(folder.model)
    random_adapter(folder.model, strength=0.3)
    record = get_tuning(workspace, tuning)
    save_model(workspace, record, Telling(workspace, record))
    assert tuned_names(workspace) == ["nano-rides"] and lineage(workspace, "nano-rides").weights != before
    assert sorted(path.name for path in models_dir(workspace).iterdir()) == ["nano-rides"]


def test_the_line_goes_back_through_a_model_that_was_tuned_itself(workspace: Workspace) -> None:
    first = saved(workspace)
    with pytest.raises(TuningError, match=f"Nothing has come since tuning {first}"):
        continue_tuning(workspace, first, owner="command")
    reject(workspace, "rides", [0])
    again = continue_tuning(workspace, first, owner="command")
    record = get_tuning(workspace, again)
    assert record.definition["recipe"]["base"] == "nano-rides"
    assert record.definition["model"] == "nano-rides-2" and record.definition["continues"] == first
    undo(workspace, "rides")  # while it waited
    with pytest.raises(TuningError, match=f"Nothing has come since tuning {first}"):
        execute_tuning(workspace, again)

    saved(workspace, base="nano-rides", name="third")
    line = lineage(workspace, "third")
    assert line.parent is not None and line.parent.model == "nano-rides" and line.parent.parent is None
    delete_tuned_model(workspace, "nano-rides")
    line = lineage(workspace, "third")
    assert line.parent is None and "workbench models undelete nano-rides" in line.lost


def test_a_line_survives_its_tuning_and_is_refused_for_what_was_not_tuned_here(workspace: Workspace) -> None:
    delete_tuning(workspace, saved(workspace))
    assert lineage(workspace, "nano-rides").items == 12
    with pytest.raises(TuningError, match=r"'nano' was not tuned here.*nano-rides"):
        lineage(workspace, "nano")
    with pytest.raises(UnknownName):
        lineage(workspace, "nobody")
    (models_dir(workspace) / "nano-rides" / "lineage.json").write_text("{}")
    with pytest.raises(TuningError, match=r"lineage\.json' is missing or damaged|missing or damaged"):
        lineage(workspace, "nano-rides")
