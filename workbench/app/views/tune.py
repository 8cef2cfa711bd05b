"""Fine-tune: what to learn from, how, live, and whether the tuned model beats its base."""

from pathlib import Path

import streamlit as st

from workbench.app import state
from workbench.app.widgets.empty import empty
from workbench.app.widgets.errors import broken_files, explained
from workbench.app.widgets.said import say_once
from workbench.app.widgets.text import escaped
from workbench.app.widgets.tune_editor import no_recipe, recipe_editor
from workbench.app.widgets.tune_list import overview
from workbench.app.widgets.tune_tuning import tuning_view
from workbench.app.widgets.undo import undo_bar
from workbench.app.workspace import workspace
from workbench.errors import WorkbenchError
from workbench.tuning import broken_recipes, find_tuning, recipe_names


def show() -> None:
    ws = workspace()
    for key in (state.TUNING, state.RECIPE):
        state.show_address(key)
    tuning, recipe = state.text(state.TUNING), state.text(state.RECIPE)
    if tuning:
        try:
            found = find_tuning(ws, tuning)
        except WorkbenchError as problem:
            st.title("Fine-tune", anchor=False)
            undo_bar()
            empty("There is no such tuning.", escaped(str(problem)), "tune", "All recipes and tunings")
            return
        undo_bar()
        say_once()
        tuning_view(ws, found)
        return
    st.title(f"Recipe {escaped(recipe)}" if recipe else "Fine-tune", anchor=False)
    undo_bar()
    say_once()
    unread = broken_recipes(ws)
    broken_files(unread)
    if recipe:
        names = [*recipe_names(ws), *(Path(one.file).stem for one in unread if one.file)]
        if recipe in names:
            recipe_editor(ws, recipe)
        else:
            no_recipe(recipe, names)
        return
    st.markdown(
        "Teach a model on this machine from outputs that were good, and see whether it beats its base: the "
        "same experiment, the same rows, both models side by side."
    )
    overview(ws)


with explained("showing the Fine-tune page"):
    show()
