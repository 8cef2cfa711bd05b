"""Editing one recipe, as a form or as YAML, with what its training will be like; save, start, delete."""

from __future__ import annotations

from pathlib import Path
from typing import NoReturn

import streamlit as st

from workbench.app import state
from workbench.app.pages import go, link
from workbench.app.widgets.controls import segments
from workbench.app.widgets.drafting import Draft
from workbench.app.widgets.errors import explained, say
from workbench.app.widgets.new_file import free_name
from workbench.app.widgets.said import say_next
from workbench.app.widgets.text import escaped
from workbench.app.widgets.tune_before import Before, before_panel, look_ahead
from workbench.app.widgets.tune_form import Known, recipe_form
from workbench.app.widgets.tune_list import start_tuning, tuning_list
from workbench.app.widgets.undo import offer_undo
from workbench.core.document import load, to_yaml
from workbench.core.files import write_text
from workbench.core.tuning import Recipe
from workbench.engine import Workspace
from workbench.errors import UnknownName, WorkbenchError
from workbench.tuning import delete_recipe, recipe_names, save_recipe, tunings
from workbench.tuning.checking.choosing import Choice
from workbench.tuning.recipes import recipes_dir

VIEWS = {"form": "Form", "yaml": "YAML"}


def recipe_editor(ws: Workspace, name: str) -> None:
    """The form or the YAML; beside it what a training would take, and what can be done."""
    file = path_of(ws, name)
    shown = f"experiments/recipes/{file.name}"
    draft = Draft("recipe", name, file.read_text("utf-8"), shown)
    link("tune", "All recipes and tunings", ":material/arrow_back:")
    view = segments("Edit as", VIEWS, state.VIEW, label_visibility="collapsed")
    left, right = st.columns([3, 2], gap="large")
    text, before = draft.text, _before(ws, draft)
    with left, explained("editing"):
        if view == "yaml":
            draft.yaml_editor()
        else:
            draft.refresh_form()
            draft.take_form(recipe_form(ws, draft.content(), draft.key, Known(_chosen(before))))
    with right:
        st.subheader("Before it starts", anchor=False)
        recipe: Recipe | None = None
        with explained("looking ahead"):
            checked = load(Recipe, draft.text, shown)
            if checked.name != name:
                st.warning(
                    "The name is the file's name; use Duplicate to save under another.",
                    icon=":material/warning:",
                )
            else:
                recipe = checked
                if draft.text != text:
                    drawn, before = before, look_ahead(ws, checked)
                    if _chosen(drawn) != _chosen(before):  # the form shows what is chosen: it follows
                        st.rerun()
                before_panel(ws, checked, before)
        _actions(ws, draft, recipe, before)
        earlier = tunings(ws, limit=5, recipe=name)
    if earlier:
        st.subheader("Tunings by this recipe", anchor=False)
        tuning_list(ws, earlier, key="recipe")


def path_of(ws: Workspace, name: str) -> Path:
    """A recipe's file."""
    other = recipes_dir(ws) / f"{name}.yml"
    return other if other.exists() else recipes_dir(ws) / f"{name}.yaml"


def _before(ws: Workspace, draft: Draft) -> Before:
    """What is known of the text as it stands, for the form; what is wrong with it is told beside the form."""
    try:
        return look_ahead(ws, load(Recipe, draft.text, draft.shown))
    except WorkbenchError as problem:
        return Before(problem=problem)


def _chosen(before: Before) -> tuple[Choice, ...]:
    return before.found.choices if before.found is not None else ()


def _actions(ws: Workspace, draft: Draft, recipe: Recipe | None, before: Before) -> None:
    ready = recipe is not None and before.can_start
    with st.container(horizontal=True, vertical_alignment="center"):
        if st.button(
            "Save and start" if draft.changed else "Start",
            type="primary",
            icon=":material/play_arrow:",
            disabled=not ready,
            key="tune start",
        ):
            with explained("starting the tuning"):
                if draft.changed:
                    _save(ws, draft)
                start_tuning(ws, draft.name)
        if st.button("Save", icon=":material/save:", disabled=recipe is None or not draft.changed):
            with explained("saving"):
                _save(ws, draft)
                say_next(f"Saved {escaped(draft.shown)}\\.")
                st.rerun()
        if draft.changed and st.button("Discard changes"):
            draft.discard()
            st.rerun()
        _duplicate(ws, draft)
        if st.button("Delete", icon=":material/delete:", key="recipe delete"):
            with explained("deleting"):
                _delete(ws, draft)


def _save(ws: Workspace, draft: Draft) -> None:
    """Writes the draft as it stands, comments included; it has been checked."""
    write_text(path_of(ws, draft.name), draft.text)
    draft.discard()


def _delete(ws: Workspace, draft: Draft) -> NoReturn:
    file = path_of(ws, draft.name)
    text = delete_recipe(ws, draft.name)
    draft.discard()
    offer_undo(f"recipe {draft.name}", lambda: write_text(file, text))
    go("tune")
    raise AssertionError("a page that was left does not go on")


def _duplicate(ws: Workspace, draft: Draft) -> None:
    with st.popover("Duplicate", icon=":material/content_copy:"):
        name = st.text_input(
            "Name of the copy", key=f"duplicate recipe {draft.name}", value=f"{draft.name}-2"
        )
        if st.button("Make the copy", key=f"duplicate recipe {draft.name} go", type="primary"):
            with explained("making the copy"):
                free_name(name, recipe_names(ws), "recipe")
                text = to_yaml(draft.content() | {"name": name})
                save_recipe(ws, load(Recipe, text, f"experiments/recipes/{name}.yaml"))
                go("tune", recipe=name)


def no_recipe(name: str, known: list[str]) -> None:
    """A recipe that the URL names and that is not there."""
    say(UnknownName("recipe", name, known))
    link("tune", "All recipes and tunings", ":material/arrow_back:")
