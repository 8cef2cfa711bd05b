"""Prompts: edit, see what is sent for a real row, try it, compare versions and models, go back."""

from pathlib import Path

import streamlit as st

from workbench.app import state
from workbench.app.widgets.controls import choose, segments
from workbench.app.widgets.drafting import Draft
from workbench.app.widgets.empty import empty
from workbench.app.widgets.ensemble_form import ensemble_form
from workbench.app.widgets.errors import broken_files, explained
from workbench.app.widgets.history import history
from workbench.app.widgets.judge_parts import texts_to_judge
from workbench.app.widgets.new_file import new_prompt
from workbench.app.widgets.preview_panel import lint_notes, preview_panel
from workbench.app.widgets.prompt_actions import prompt_actions
from workbench.app.widgets.prompt_form import prompt_form
from workbench.app.widgets.row_picker import pick_row
from workbench.app.widgets.said import say_once
from workbench.app.widgets.side_by_side import choose_sides, side_by_side
from workbench.app.widgets.try_panel import models_offered, try_panel
from workbench.app.widgets.undo import undo_bar
from workbench.app.workspace import workspace
from workbench.core.prompt import AnyPrompt
from workbench.engine import Workspace, warm_model
from workbench.prompting import read_prompt, reasoning_names

VIEWS = {"form": "Form", "yaml": "YAML", "sides": "Side by side", "history": "History"}


def edit(ws: Workspace, draft: Draft, view: str) -> None:
    """The form or the YAML of a draft."""
    if view == "yaml":
        draft.yaml_editor(height=520)
        return
    draft.refresh_form()
    content = draft.content()
    if "members" in content:
        others = [name for name in ws.prompts.names() if name != draft.name]
        draft.take_form(ensemble_form(content, draft.key, others, draft.replace))
        return
    splits = [f"{name}#{split}" for name in ws.datasets.names() for split in ws.datasets.splits(name)]
    draft.take_form(prompt_form(content, draft.key, reasoning_names(), splits, draft.replace))


def checked(draft: Draft) -> AnyPrompt | None:
    """The draft as a prompt; None, with the reason shown, while it is not one."""
    with explained("checking the prompt"):
        return read_prompt(draft.text, draft.shown)
    return None


def beside(ws: Workspace, draft: Draft, prompt: AnyPrompt | None) -> None:
    """The right half: a real row, the rendered messages, lint notes, tries."""
    picked = pick_row(ws, prompt)
    if picked is None:
        empty("No dataset to try this on.", "Import a table first.", "datasets", "Open Datasets")
        return
    model = choose("Model", list(models_offered(ws)), state.MODEL, "small@int8")
    if model is None:
        empty("No model to try this on.", "Add one.", "models", "Open Models")
        return
    with explained("warming the model up"):
        warm_model(ws, model)
    texts = texts_to_judge(draft.name, prompt, picked)
    try_panel(ws, draft.name, prompt, picked, model, texts)
    if prompt is None:
        return
    st.subheader("What is sent", anchor=False)
    with explained("rendering the prompt"):
        preview_panel(ws, prompt, picked, model, texts)
    st.subheader("Lint", anchor=False)
    with explained("linting the prompt"):
        lint_notes(ws, prompt, picked, model)


def show() -> None:
    ws = workspace()
    title, picker, new = st.columns([1.2, 3, 1], vertical_alignment="bottom")
    title.title("Prompts")
    undo_bar()
    say_once()
    broken = ws.prompts.broken()
    broken_files(broken)
    # a broken file can be mended here, as YAML
    names = sorted(
        {*ws.prompts.names(), *(Path(f.file).stem for f in broken if f.file and f.file.endswith(".yaml"))}
    )
    with new:
        new_prompt(ws)
    if not names:
        empty("There is no prompt yet.", "Make one with “New prompt”, from a template.")
        return
    with picker:
        name = (
            choose("Prompt", names, state.PROMPT, clears=(state.VERSION, state.AGAINST, state.DATASET))
            or names[0]
        )
    draft = Draft("prompt", name, ws.prompts.text(name), f"prompts/{name}.yaml")
    view = segments(
        "View", VIEWS, state.VIEW, clears=(state.VERSION, state.AGAINST), label_visibility="collapsed"
    )
    if view == "history":
        history(ws, draft)
        return
    if view == "sides":
        prompt = checked(draft)
        picked = pick_row(ws, prompt)
        if picked and prompt:
            side_by_side(ws, name, choose_sides(ws, draft, prompt), picked)
        return
    left, right = st.columns([1, 1], gap="large")
    with left, explained("editing"):
        edit(ws, draft, view)
    with right:
        prompt = checked(draft)
        prompt_actions(ws, draft, prompt)
        beside(ws, draft, prompt)


with explained("showing the prompts"):
    show()
