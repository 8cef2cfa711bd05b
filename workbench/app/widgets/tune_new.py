"""Starting a new recipe: a name, a base, and what to learn from."""

from __future__ import annotations

import streamlit as st

from workbench.app import state
from workbench.app.pages import go
from workbench.app.widgets.errors import explained
from workbench.app.widgets.new_file import free_name
from workbench.app.widgets.text import escaped
from workbench.app.widgets.tune_bases import bases
from workbench.core.tuning import TASK_OF, Collect, Pick, Recipe, Train
from workbench.engine import Workspace
from workbench.errors import TuningError, WorkbenchError
from workbench.storage.collections import CollectionRecord
from workbench.tuning import find_collection, recipe_names, save_recipe


def new_recipe(ws: Workspace) -> None:
    """A popover with a name."""
    with st.popover("New recipe", icon=":material/add:"):
        _create(ws, None)


def recipe_of_collection(ws: Workspace) -> None:
    """Where `?collection=` names one, as the Collections page links here: a recipe that learns from it."""
    collection = asked_collection(ws)
    if collection is None:
        return
    with st.container(border=True):
        st.markdown(f"**Fine-tune on the collection {escaped(collection.name)}**")
        _create(ws, collection)


def _create(ws: Workspace, collection: CollectionRecord | None) -> None:
    key = "new recipe" if collection is None else f"recipe of {collection.id}"
    taken = recipe_names(ws)
    suggested = free(collection.name, taken) if collection else ""
    name = st.text_input(
        "Name of the recipe", value=suggested, key=f"{key} name", placeholder="my-recipe", max_chars=80
    )
    if st.button("Create", type="primary", key=f"{key} create"):
        with explained("creating the recipe"):
            free_name(name, taken, "recipe")
            save_recipe(ws, first_recipe(ws, name, collection))
            go("tune", recipe=name)


def asked_collection(ws: Workspace) -> CollectionRecord | None:
    """The collection that the URL names, as the Collections page links here."""
    asked = state.text(state.COLLECTION)
    if not asked:
        return None
    try:
        return find_collection(ws, asked)
    except WorkbenchError as problem:
        st.warning(escaped(str(problem)), icon=":material/warning:")
        state.put(**{state.COLLECTION: None})
        return None


def first_recipe(ws: Workspace, name: str, collection: CollectionRecord | None) -> Recipe:
    """A recipe to begin with: the first base that can be tuned, and the newest experiment's outputs.

    Raises TuningError where there is nothing to tune or to learn from.
    """
    tunable = bases(ws)[0]
    if not tunable:
        raise TuningError("No model here can be tuned; add one with `provider: transformers`.")
    base = "small" if "small" in tunable else tunable[0]
    if collection is not None:
        objective = next(kind for kind, task in TASK_OF.items() if task == collection.task)
        # a name alone means the newest of that name
        newest = find_collection(ws, collection.name)
        named = collection.name if newest.id == collection.id else collection.id
        return Recipe(name=name, base=base, collection=named, train=Train(objective=objective))
    experiments = ws.experiment_names()
    if not experiments:
        raise TuningError("There is nothing to learn from yet; make an experiment or a collection first.")
    return Recipe(name=name, base=base, collect=Collect(runs=(experiments[0],), pick=Pick(at_least=1)))


def free(name: str, taken: list[str]) -> str:
    """The name, or with a number where it is taken."""
    found, number = name, 1
    while found in taken:
        number += 1
        found = f"{name}-{number}"
    return found
