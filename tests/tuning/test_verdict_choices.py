"""Which experiment, rows and prompts a verdict asks, and one clear sentence where there are none."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.tuning.tuned_nano import learnt, tuned_workspace, write_experiment
from workbench.core.collection import CollectionItem
from workbench.core.tuning import Recipe
from workbench.engine import Workspace
from workbench.errors import TuningError, UnknownName, WorkbenchError
from workbench.tuning.verdict.evaluating import check_evaluation
from workbench.tuning.verdict.others import other_experiments
from workbench.tuning.verdict.source import Again, experiment_again


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    opened = tuned_workspace(tmp_path_factory.mktemp("choices"))
    yield opened
    opened.close()


def a_recipe(teach: str | None = None, **evaluate: Any) -> Recipe:
    collect = {"runs": ["transit-samples"], "teach": teach}
    return Recipe.model_validate({"name": "r", "base": "nano", "collect": collect, "evaluate": evaluate})


def again(workspace: Workspace, recipe: Recipe, **changes: Any) -> Again:
    items = learnt(**changes) if changes else learnt()
    return experiment_again(workspace, recipe, "nano", "tuned", items)


def test_train_gives_way_to_test_and_the_recipes_limit_counts(workspace: Workspace):
    found = again(workspace, a_recipe(experiment="transit-samples", limit=30))
    assert (found.experiment.dataset.split, found.experiment.dataset.limit) == ("test", 30)
    assert found.experiment.models == ("nano", "tuned")
    assert found.headline == found.experiment.baseline.prompt == "step-by-step"


def test_a_split_that_was_not_learnt_from_stays(workspace: Workspace):
    found = again(workspace, a_recipe(experiment="problems"))
    assert (found.experiment.dataset.split, found.experiment.dataset.limit, found.notes) == ("test", 8, ())


def test_a_test_split_that_was_learnt_from_gives_way_to_dev(workspace: Workspace):
    items = [replace(item, origin=replace(item.origin, split="test")) for item in learnt()]
    found = experiment_again(workspace, a_recipe(experiment="transit-samples"), "nano", "tuned", items)
    assert found.experiment.dataset.split == "dev"


def test_a_prompt_that_was_taught_is_asked_beside_the_one_that_made_the_outputs(workspace: Workspace):
    found = again(workspace, a_recipe("three-shots", experiment="transit-samples", prompts="step-by-step"))
    assert found.experiment.prompts == ("three-shots", "step-by-step")
    assert (found.headline, found.teacher) == ("three-shots", "step-by-step")


def test_what_a_stored_collection_was_made_to_teach_is_the_headline(workspace: Workspace):
    kept = [CollectionItem(number, one) for number, one in enumerate(learnt())]
    workspace.store.collections.create("c1", "short", "completion", {"teach": "direct"}, {}, kept)
    recipe = Recipe.model_validate({"name": "r", "base": "nano", "collection": "short"})
    recipe = recipe.model_copy(update={"evaluate": a_recipe(experiment="transit-samples").evaluate})
    found = again(workspace, recipe)
    assert (found.headline, found.teacher) == ("direct", "step-by-step")
    workspace.store.collections.set("c1", deleted_at=datetime.datetime.now(datetime.UTC))
    assert again(workspace, recipe).headline == "step-by-step"


def test_a_metric_of_the_recipe_is_measured_too(workspace: Workspace):
    found = again(workspace, a_recipe(experiment="transit-samples", metric="token_f1"))
    assert found.metric == "token_f1" and found.experiment.metrics == ("exact_match", "token_f1")


def test_a_prompt_that_the_experiment_does_not_have_is_told_with_those_it_has(workspace: Workspace):
    with pytest.raises(UnknownName, match=r"prompt in experiment 'transit-samples' named 'dirct'.*direct"):
        again(workspace, a_recipe(experiment="transit-samples", prompts=["dirct"]))


def test_items_of_no_run_need_an_experiment_in_the_recipe(workspace: Workspace):
    with pytest.raises(TuningError, match=r"name one in the recipe: `evaluate: \{experiment: NAME\}`"):
        again(workspace, a_recipe())


@pytest.mark.parametrize(
    ("evaluate", "told"),
    [
        ({"experiment": "transit-sampels"}, "Did you mean 'transit-samples'"),
        ({"metric": "exact_mach"}, "Did you mean 'exact_match'"),
        ({"prompts": ["rewrite"]}, "prompt in experiment 'transit-samples' named 'rewrite'"),
        ({"forgetting": ["labls"]}, "Did you mean 'labels'"),
    ],
)
def test_what_cannot_be_measured_is_told_before_anything_is_trained(
    workspace: Workspace, evaluate: dict[str, Any], told: str
):
    recipe = a_recipe(**({"experiment": "transit-samples"} | evaluate))
    with pytest.raises(WorkbenchError, match=told):
        check_evaluation(workspace, recipe, learnt())
    check_evaluation(workspace, a_recipe(experiment="transit-samples", metric="bleu"), learnt())


def test_a_dataset_of_train_rows_alone_cannot_give_a_verdict(workspace: Workspace, tmp_path: Path):
    folder = workspace.root / "experiments" / "datasets" / "lone"
    folder.mkdir()
    (folder / "train.jsonl").write_text('{"id": "a", "question": "1 + 1?", "answer": "2"}\n')
    write_experiment(workspace.root, "lone", "lone", "train", "direct")
    with pytest.raises(TuningError, match="'lone' has no test or dev split that was not learnt from"):
        again(workspace, a_recipe(experiment="lone"))
    (workspace.root / "experiments" / "lone.yaml").unlink()
    (folder / "train.jsonl").unlink()
    folder.rmdir()


def forgetting(workspace: Workspace, **evaluate: Any) -> tuple[list[Any], list[str]]:
    recipe = a_recipe(**evaluate)
    source = workspace.experiment("transit-samples")
    return other_experiments(workspace, recipe, source, "nano", "tuned")


def test_forgetting_may_name_an_experiment_or_a_dataset(workspace: Workspace):
    found, _ = forgetting(workspace, forgetting=["labels", "word-problems"], limit=5)
    assert [(one.name, one.prompts, one.dataset.limit) for one in found] == [
        ("labels", ("label-four-shots",), 5),
        ("problems", ("step-by-step",), 5),
    ]
    with pytest.raises(UnknownName, match="Did you mean 'labels'"):
        forgetting(workspace, forgetting=["lables"])


def test_forgetting_is_not_told_by_rows_that_were_learnt(workspace: Workspace):
    write_experiment(workspace.root, "drill", "word-problems", "train", "direct")
    items = [replace(one, origin=replace(one.origin, dataset="word-problems")) for one in learnt()]
    recipe, source = a_recipe(forgetting="drill"), workspace.experiment("transit-samples")
    (apart,), _ = other_experiments(workspace, recipe, source, "nano", "tuned", learnt())
    (unseen,), notes = other_experiments(workspace, recipe, source, "nano", "tuned", items)
    (workspace.root / "experiments" / "drill.yaml").unlink()
    assert (apart.dataset.split, unseen.dataset.split, notes) == ("train", "test", [])


def test_forgetting_of_nothing_asks_nothing(workspace: Workspace):
    assert forgetting(workspace, forgetting=[]) == ([], [])


def test_a_dataset_without_an_experiment_is_told(workspace: Workspace):
    kept = (workspace.root / "experiments" / "labels.yaml").read_text()
    (workspace.root / "experiments" / "labels.yaml").unlink()
    found, notes = forgetting(workspace)
    (workspace.root / "experiments" / "labels.yaml").write_text(kept)
    assert [one.name for one in found] == ["problems"]
    assert notes and "'team-labels'" in notes[0]
