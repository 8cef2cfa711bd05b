"""The recipes of a workspace, ROOT/experiments/recipes/NAME.yaml: as strict as all that a person writes."""

from __future__ import annotations

from pathlib import Path

from workbench.core.document import check_name, dump
from workbench.core.files import write_text
from workbench.core.record_files import RecordFolder
from workbench.core.tuning import Recipe
from workbench.engine.workspace import Workspace
from workbench.errors import InvalidFile, StorageError, UnknownName


def recipes_dir(workspace: Workspace) -> Path:
    """Where recipe YAML lives."""
    return workspace.experiments_dir / "recipes"


def recipe_names(workspace: Workspace) -> list[str]:
    """Names of the recipes that can be read."""
    return sorted(_recipes(workspace).all()[0])


def broken_recipes(workspace: Workspace) -> list[InvalidFile]:
    """What is wrong with the recipe files that cannot be read."""
    return _recipes(workspace).all()[1]


def load_recipe(workspace: Workspace, name: str | Path) -> Recipe:
    """A recipe by name, or by the path of its YAML file. Raises InvalidFile, UnknownName."""
    return _recipes(workspace).find(name)


def save_recipe(workspace: Workspace, recipe: Recipe) -> Path:
    """Writes experiments/recipes/NAME.yaml in one step. Raises StorageError."""
    path = _file(workspace, recipe.name)
    write_text(path, dump(recipe))
    return path


def delete_recipe(workspace: Workspace, name: str) -> str:
    """Removes a recipe's file and returns its text, so that a page can undo it. Raises UnknownName."""
    good = _recipes(workspace).all()[0]
    if name not in good:
        raise UnknownName("recipe", name, good)
    path = _file(workspace, name)
    try:
        text = path.read_text("utf-8")
        path.unlink()
    except OSError as problem:
        raise StorageError(f"{path} cannot be deleted: {problem.strerror}.") from None
    return text


def _file(workspace: Workspace, name: str) -> Path:
    folder = recipes_dir(workspace)
    other = folder / f"{check_name(name)}.yml"
    return other if other.exists() else folder / f"{name}.yaml"


def _recipes(workspace: Workspace) -> RecordFolder[Recipe]:
    return RecordFolder(Recipe, "recipe", recipes_dir(workspace), workspace.root)
