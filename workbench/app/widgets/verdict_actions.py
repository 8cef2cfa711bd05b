"""What to do with a tuned model: go on with what was rated since, use it, look at it, delete it."""

from __future__ import annotations

import streamlit as st

from workbench.app.pages import go, link
from workbench.app.widgets.errors import explained
from workbench.app.widgets.text import escaped
from workbench.app.widgets.tune_new import free
from workbench.app.widgets.tuned_model import delete_with_undo
from workbench.engine import Workspace, ensure_worker
from workbench.errors import TuningError
from workbench.storage.tunings import TuningRecord
from workbench.tuning import continue_tuning, experiments_with, undelete_tuned_model


def next_steps(ws: Workspace, record: TuningRecord) -> None:
    """One row of buttons; without the model only what does not need it."""
    name = record.model
    if name is None:
        return
    if name not in ws.models.names():
        st.info(escaped(f"The model '{name}' was deleted."), icon=":material/delete:")
        if st.button("Bring the model back", icon=":material/undo:", key="model undelete"):
            with explained("bringing the model back"):
                undelete_tuned_model(ws, name)
                st.rerun()
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        if st.button(
            "Continue with what I rated since",
            icon=":material/autorenew:",
            key="tuning continue",
            help="Tunes this model further by the same recipe, on what was rated, corrected and run since.",
        ):
            with explained("continuing"):
                again = continue_tuning(ws, record.id)
                ensure_worker(ws)
                go("tune", tuning=again)
        if st.button("Use in an experiment", icon=":material/science:", key="tuning use"):
            with explained("making the experiment"):
                go("experiments", experiment=experiment_with(ws, record, name))
        link("model", "The model", ":material/neurology:", model=name)
        if st.button("Delete the model", icon=":material/delete:", key="model delete", type="tertiary"):
            with explained("deleting the model"):
                delete_with_undo(ws, name)
                st.rerun()


def experiment_with(ws: Workspace, record: TuningRecord, model: str) -> str:
    """The name of an experiment that asks the model; made of the verdict's one where there is none.

    Raises TuningError where there is nothing to make it of.
    """
    there = experiments_with(ws, model)
    if there:
        return there[0]
    source = str((record.result or {}).get("experiment", ""))
    names = ws.experiment_names()
    if source not in names:
        raise TuningError(
            f"The experiment '{source}' of the verdict is not in this workspace; make a new one and name "
            f"'{model}' among its models."
        )
    base = str(record.definition["recipe"]["base"])
    name = free(f"{source}-{model}"[:60].rstrip("-_."), names)
    again = ws.experiment(source).model_copy(
        update={"name": name, "models": (base, model), "quantization": (), "baseline": None}
    )
    ws.save_experiment(again)
    return name
