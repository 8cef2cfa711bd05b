"""The recipes of a workspace, ROOT/experiments/recipes/NAME.yaml: as strict as all that a person writes."""

from __future__ import annotations

from pathlib import Path

from workbench.core.document import check_name, dump, load
from workbench.core.files import write_text
from workbench.core.tuning import Recipe
from workbench.engine.workspace import Workspace
from workbench.errors import InvalidFile, StorageError, UnknownName

SUFFIXES = (".yaml", ".yml")


def recipes_dir(workspace: Workspace) -> Path:
    """Where recipe YAML lives."""
    return workspace.experiments_dir / "recipes"


def recipe_names(workspace: Workspace) -> list[str]:
    """Names of the recipes that can be read."""
    return sorted(_recipes(workspace)[0])


def broken_recipes(workspace: Workspace) -> list[InvalidFile]:
    """What is wrong with the recipe files that cannot be read."""
    return _recipes(workspace)[1]


def load_recipe(workspace: Workspace, name: str | Path) -> Recipe:
    """A recipe by name, or by the path of its YAML file. Raises InvalidFile, UnknownName."""
    path = Path(name)
    if path.suffix in SUFFIXES:
        if not path.is_absolute() and not path.exists():
            path = workspace.root / path
        if not path.exists():
            raise UnknownName("recipe file", str(name))
        return _read(path, workspace.root)
    good, broken = _recipes(workspace)
    if str(name) in good:
        return good[str(name)]
    for problem in broken:
        if problem.file and Path(problem.file).stem == str(name):
            raise problem
    raise UnknownName("recipe", str(name), good)


def save_recipe(workspace: Workspace, recipe: Recipe) -> Path:
    """Writes experiments/recipes/NAME.yaml in one step. Raises StorageError."""
    path = _file(workspace, recipe.name)
    write_text(path, dump(recipe))
    return path


def delete_recipe(workspace: Workspace, name: str) -> str:
    """Removes a recipe's file and returns its text, so that a page can undo it. Raises UnknownName."""
    good = _recipes(workspace)[0]
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


def _recipes(workspace: Workspace) -> tuple[dict[str, Recipe], list[InvalidFile]]:
    good: dict[str, Recipe] = {}
    broken: list[InvalidFile] = []
    for path in sorted(recipes_dir(workspace).glob("*.y*ml")):
        if path.suffix not in SUFFIXES:
            continue
        try:
            recipe = _read(path, workspace.root)
            if recipe.name != path.stem:
                raise InvalidFile(
                    f"the name must be the file's name: write `name: {path.stem}`.",
                    _shown(path, workspace.root),
                    1,
                    "name",
                )
            good[recipe.name] = recipe
        except InvalidFile as problem:
            broken.append(problem)
    return good, broken


def _read(path: Path, root: Path) -> Recipe:
    shown = _shown(path, root)
    try:
        text = path.read_text("utf-8")
    except UnicodeDecodeError:
        raise InvalidFile("the file is not UTF-8 text.", shown) from None
    except OSError as problem:
        raise InvalidFile(f"the file cannot be read: {problem.strerror}.", shown) from None
    return load(Recipe, text, shown)


def _shown(path: Path, root: Path) -> str:
    return str(path.relative_to(root)) if path.is_relative_to(root) else str(path)
