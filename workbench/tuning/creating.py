"""Asking for a tuning: what its recipe names is looked at once more, and its model gets a name.

create_tuning(workspace, load_recipe(workspace, "quickstart"))  ->  "20261121-120000-3f9c1a"
"""

from __future__ import annotations

import contextlib
from typing import Any

from workbench.core.collection import collection_version
from workbench.core.tuning import Collect, Recipe, Stage
from workbench.engine.records import new_id
from workbench.engine.workspace import Workspace
from workbench.errors import TuningError, UnknownName, UsageError, WorkbenchError
from workbench.storage.tunings import TuningRecord
from workbench.tuning.recipes import load_recipe
from workbench.tuning.records import get_tuning
from workbench.tuning.stages import recipe_of, refuse_nothing_new
from workbench.tuning.tuned_models import free_name

BEFORE_TRAINING: tuple[Stage, ...] = ("collecting", "checking")
"""Stages in which nothing was learnt yet."""


def create_tuning(
    workspace: Workspace,
    recipe: Recipe,
    owner: str = "worker",
    name: str | None = None,
    limit: int | None = None,
    continues: str | None = None,
) -> str:
    """Queues a recipe as a tuning; returns the tuning's id.

    Args:
        owner: `worker` lets the worker start its process; `command` keeps it for `execute_tuning`.
        name: what the tuned model is called; default: the recipe's `model`, else BASE-RECIPE, with a number
            where that is taken.
        limit: at most this many rows of every experiment that is run for it, to try a recipe out.
        continues: the tuning that it goes on from.

    Raises WorkbenchError for what can be told at once: a base or an experiment that is not there, a name
    that is taken.
    """
    if limit is not None and limit < 1:
        raise UsageError("The limit must be at least 1 row.")
    of_file = continues is None and recipe == _in_file(workspace, recipe.name)
    recipe = _limited(recipe, limit)
    _check_names(workspace, recipe)
    definition: dict[str, Any] = {
        "recipe": recipe.model_dump(mode="json", exclude_defaults=True),
        "model": _model_name(workspace, recipe, name),
        "limit": limit,
        "continues": continues,
        "of_file": of_file,
        "sources": {},
    }
    tuning = new_id()
    workspace.store.tunings.create(tuning, recipe.name, definition, owner=owner)
    return tuning


def mended(workspace: Workspace, record: TuningRecord) -> dict[str, Any]:
    """What changes in a tuning that failed before its training where its recipe's file was changed since.

    Raises WorkbenchError where the changed recipe names what is not there.
    """
    definition = record.definition
    if record.stage not in BEFORE_TRAINING or not definition.get("of_file"):
        return {}
    found = _in_file(workspace, record.recipe)
    if found is None:
        return {}
    recipe = _limited(found, definition.get("limit"))
    if recipe == recipe_of(record):
        return {}
    _check_names(workspace, recipe)
    kept = definition | {"recipe": recipe.model_dump(mode="json", exclude_defaults=True)}
    return {"definition": kept, "stage": "collecting"}


def _in_file(workspace: Workspace, name: str) -> Recipe | None:
    try:
        return load_recipe(workspace, name)
    except WorkbenchError:
        return None


def _limited(recipe: Recipe, limit: int | None) -> Recipe:
    if limit is None:
        return recipe
    measured = recipe.evaluate.model_copy(update={"limit": min(limit, recipe.evaluate.limit or limit)})
    return recipe.model_copy(update={"evaluate": measured})


def continue_tuning(workspace: Workspace, tuning: str, owner: str = "worker", name: str | None = None) -> str:
    """A new tuning of the tuned model, by the same recipe, on what there is now: "what I rated since".

    The collection is made anew from the same sources, and what people rejected, edited or accepted in the
    earlier one holds. Raises TuningError where there is no model yet, and where nothing has come since.
    """
    record = get_tuning(workspace, tuning)
    if record.model is None:
        raise TuningError(f"Tuning '{tuning}' has no model yet; resume it first.")
    recipe = recipe_of(record)
    update: dict[str, Any] = {"base": record.model, "model": None}
    source = workspace.store.collections.get(record.collection or "")
    if recipe.collect is None and source is not None:
        with contextlib.suppress(ValueError):  # one that was imported is taken as it stands now
            update |= {"collect": Collect.model_validate(source.settings), "collection": None}
    again = Recipe.model_validate(recipe.model_copy(update=update).model_dump(mode="json"))
    _refuse_nothing_new(workspace, record, again)
    wanted = name if name is not None else record.model
    if name is None:
        again = again.model_copy(update={"model": free_name(workspace, wanted, _promised(workspace))})
    limit = record.definition.get("limit")
    return create_tuning(workspace, again, owner=owner, name=name, limit=limit, continues=tuning)


def _refuse_nothing_new(workspace: Workspace, before: TuningRecord, recipe: Recipe) -> None:
    from workbench.tuning.collecting.gathering import gather, stored_settings
    from workbench.tuning.collecting.sources import find_sources
    from workbench.tuning.collecting.stored import find_collection

    settings = recipe.collect
    if settings is None:
        version = workspace.store.collections.version(find_collection(workspace, recipe.collection or "").id)
    elif find_sources(workspace, settings)[1]:
        return  # a run is going to be made
    else:
        items, _ = gather(workspace, settings, recipe.task, earlier=before.collection)
        kept = [one.item for one in items if one.state == "kept"]
        version = collection_version(kept, stored_settings(settings))
    refuse_nothing_new(workspace, before.id, version)


def _check_names(workspace: Workspace, recipe: Recipe) -> None:
    """Raises UnknownName for what the recipe names and the workspace does not have."""
    from workbench.tuning.checking.base import find_base
    from workbench.tuning.training.combinations import check_combination

    find_base(workspace.models.spec(recipe.base))
    check_combination(recipe.train)
    measured = recipe.evaluate
    if measured.experiment is not None:
        workspace.experiment(measured.experiment)
    known = {*workspace.experiment_names(), *workspace.datasets.names()}
    for other in measured.forgetting or ():
        if other not in known:
            raise UnknownName("experiment or dataset", other, known)
    _check_sources(workspace, recipe)


def _check_sources(workspace: Workspace, recipe: Recipe) -> None:
    from workbench.tuning.collecting.sources import find_sources
    from workbench.tuning.collecting.stored import find_collection

    if recipe.collect is not None:
        find_sources(workspace, recipe.collect)
    elif recipe.collection is not None:
        find_collection(workspace, recipe.collection)


def _model_name(workspace: Workspace, recipe: Recipe, name: str | None) -> str:
    promised = _promised(workspace)
    if name is not None:
        if name in {*workspace.models.names(), *promised}:
            raise TuningError(f"There is a model named '{name}' already; choose another name.")
        if free_name(workspace, name) != name:
            raise TuningError(
                f"'{name}' cannot be a tuned model's name: use letters, digits, '.', '_' and '-', at most 90."
            )
        return name
    wanted = recipe.model or f"{recipe.base.replace('@', '-')}-{recipe.name}"
    return free_name(workspace, wanted, promised)


def _promised(workspace: Workspace) -> set[str]:
    """Names of models that other tunings are still going to make."""
    return {str(record.definition.get("model")) for record in workspace.store.tunings.waiting()}
