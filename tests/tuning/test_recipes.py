"""Promises of recipes: strict files of their own, which experiments do not see."""

from __future__ import annotations

from pathlib import Path

import pytest

from workbench.core.document import dump, load
from workbench.core.tuning import Recipe
from workbench.engine import Workspace
from workbench.errors import InvalidFile, UnknownName
from workbench.tuning import broken_recipes, delete_recipe, load_recipe, recipe_names, save_recipe

TEXT = "name: quick\nbase: nano\ncollect: {runs: [samples]}\ntrain: {epochs: 2}\n"


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    for folder in ("prompts", "experiments/recipes"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "experiments/recipes/quick.yaml").write_text(TEXT)
    return Workspace.open(tmp_path)


def test_a_recipe_is_found_by_name_and_by_file(workspace: Workspace) -> None:
    assert recipe_names(workspace) == ["quick"]
    assert load_recipe(workspace, "quick") == load_recipe(workspace, "experiments/recipes/quick.yaml")
    assert load_recipe(workspace, workspace.root / "experiments/recipes/quick.yaml").train.epochs == 2


def test_experiments_do_not_list_recipes(workspace: Workspace) -> None:
    assert workspace.experiment_names() == [] and workspace.broken() == []


def test_a_saved_recipe_is_read_back(workspace: Workspace) -> None:
    recipe = load(Recipe, TEXT.replace("quick", "other"))
    path = save_recipe(workspace, recipe)
    assert path == workspace.root / "experiments/recipes/other.yaml"
    assert load_recipe(workspace, "other") == recipe and path.read_text() == dump(recipe)


def test_a_deleted_recipe_can_be_written_again_from_its_text(workspace: Workspace) -> None:
    assert delete_recipe(workspace, "quick") == TEXT
    assert recipe_names(workspace) == []
    with pytest.raises(UnknownName):
        delete_recipe(workspace, "quick")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (TEXT.replace("epochs", "epoch"), r"line 4.*Did you mean 'epochs'"),
        (TEXT.replace("collect: {runs: [samples]}\n", ""), "collection"),
        (TEXT.replace("runs: [samples]", "runs: []"), "runs"),
        (TEXT.replace("quick", "../evil"), "usable name"),
        (TEXT.replace("quick", "other"), "name: quick"),
        (TEXT.replace("epochs: 2", "epochs: -1"), "greater than 0"),
        ("nothing", "key: value"),
    ],
)
def test_a_broken_recipe_says_where_and_the_others_work(workspace: Workspace, text: str, words: str) -> None:
    save_recipe(workspace, load(Recipe, TEXT.replace("quick", "good")))
    (workspace.root / "experiments/recipes/quick.yaml").write_text(text)
    assert recipe_names(workspace) == ["good"]
    (problem,) = broken_recipes(workspace)
    assert "experiments/recipes/quick.yaml" in str(problem)
    with pytest.raises(InvalidFile, match=words):
        load_recipe(workspace, "quick")


@pytest.mark.parametrize("name", ["qick", "nowhere.yaml", "../quick"])
def test_an_unknown_recipe_is_one_clear_error(workspace: Workspace, name: str) -> None:
    with pytest.raises(UnknownName):
        load_recipe(workspace, name)


def test_every_recipe_that_ships_can_be_asked_for(workspace_root: Path) -> None:
    opened = Workspace.open(workspace_root)
    assert broken_recipes(opened) == []
    for name in recipe_names(opened):
        recipe = load_recipe(opened, name)
        assert recipe.base in opened.models.names()
        for experiment in (*(recipe.collect.runs if recipe.collect else ()), recipe.evaluate.experiment):
            assert experiment is None or opened.experiment(experiment).name == experiment
