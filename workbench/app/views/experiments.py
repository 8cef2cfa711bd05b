"""Experiments: design the grid, see calls, tokens and cost, save, run."""

from pathlib import Path

import streamlit as st

from workbench.app import state
from workbench.app.widgets.controls import choose, segments
from workbench.app.widgets.drafting import Draft
from workbench.app.widgets.empty import empty
from workbench.app.widgets.errors import broken_files, explained
from workbench.app.widgets.estimate import estimate_panel
from workbench.app.widgets.experiment_form import Choices, experiment_form
from workbench.app.widgets.new_file import duplicate, new_experiment
from workbench.app.widgets.race_choice import race_choice
from workbench.app.widgets.run_list import run_list
from workbench.app.widgets.said import say_next, say_once
from workbench.app.widgets.text import escaped
from workbench.app.widgets.undo import offer_undo, undo_bar
from workbench.app.workspace import judge_names, start_run, workspace
from workbench.core.document import load
from workbench.core.experiment import Experiment
from workbench.core.files import write_text
from workbench.engine import Workspace, runs
from workbench.metrics import describe_metrics

VIEWS = {"form": "Form", "yaml": "YAML"}


def choices(ws: Workspace) -> Choices:
    """What the form can offer."""
    specs, judges = ws.models.specs(), judge_names(ws)
    return Choices(
        prompts=[name for name in ws.prompts.names() if name not in judges],
        models=[spec.name for spec in specs],
        local_models=[spec.name for spec in specs if spec.provider == "transformers"],
        datasets={name: ws.datasets.splits(name) for name in ws.datasets.names()},
        metrics={fact["name"]: fact["description"] for fact in describe_metrics()},
        judges=judges,
    )


def actions(ws: Workspace, draft: Draft, experiment: Experiment | None) -> None:
    """Save, run, duplicate, delete."""
    race = race_choice(experiment)
    with st.container(horizontal=True, vertical_alignment="center"):
        if st.button(
            "Save and run" if draft.changed else "Run",
            type="primary",
            icon=":material/play_arrow:",
            disabled=experiment is None,
        ):
            with explained("starting the run"):
                if draft.changed and experiment is not None:
                    save(ws, draft)
                start_run(ws, draft.name, race=race)
        if (
            st.button("Save", icon=":material/save:", disabled=experiment is None or not draft.changed)
            and experiment is not None
        ):
            with explained("saving"):
                save(ws, draft)
                say_next(f"Saved experiments/{escaped(draft.name)}\\.yaml\\.")
                st.rerun()
        if draft.changed and st.button("Discard changes"):
            draft.discard()
            st.rerun()
        duplicate(ws, "experiment", draft)
        if st.button("Delete", icon=":material/delete:"):
            with explained("deleting"):
                text = ws.delete_experiment(draft.name)
                offer_undo(f"experiment {draft.name}", lambda: write_text(path_of(ws, draft.name), text))
                state.remember(state.EXPERIMENT, None)
                st.rerun()


def path_of(ws: Workspace, name: str) -> Path:
    """An experiment's file."""
    return ws.experiments_dir / f"{name}.yaml"


def save(ws: Workspace, draft: Draft) -> None:
    """Writes the draft as it stands, comments included; it has been checked."""
    write_text(path_of(ws, draft.name), draft.text)
    draft.discard()


def editor(ws: Workspace, name: str) -> None:
    """The form or the YAML, and beside it what a run would take."""
    text = path_of(ws, name).read_text(encoding="utf-8")
    draft = Draft("experiment", name, text, f"experiments/{name}.yaml")
    view = segments("Edit as", VIEWS, state.VIEW, label_visibility="collapsed")
    left, right = st.columns([3, 2], gap="large")
    with left, explained("editing"):
        if view == "yaml":
            draft.yaml_editor()
        else:
            draft.refresh_form()
            draft.take_form(experiment_form(draft.content(), draft.key, choices(ws), draft.replace))
    experiment = None
    with right:
        st.subheader("Before it runs", anchor=False)
        with explained("estimating the run"):
            checked = load(Experiment, draft.text, draft.shown)
            if checked.name != name:
                st.warning(
                    "The name is the file's name; use Duplicate to save under another.",
                    icon=":material/warning:",
                )
            elif estimate_panel(ws, checked):
                experiment = checked
        actions(ws, draft, experiment)
        earlier = runs(ws, limit=5, experiment=name)
        if earlier:
            st.subheader("Earlier runs", anchor=False)
            run_list(earlier, key="experiment", narrow=True)


def show() -> None:
    ws = workspace()
    st.title("Experiments")
    undo_bar()
    say_once()
    broken_files(ws.broken_experiments())
    names = ws.experiment_names()
    left, right = st.columns([3, 1], vertical_alignment="bottom")
    with right:
        new_experiment(ws)
    if not names:
        empty("There is no experiment yet.", "Make one with “New experiment”: prompts, models and a dataset.")
        return
    with left:
        name = choose("Experiment", names, state.EXPERIMENT) or names[0]
    said = ws.experiment(name).description
    if said:
        st.markdown(escaped(said))
    editor(ws, name)


with explained("showing the experiments"):
    show()
