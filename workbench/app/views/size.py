"""Size: which model is the smallest that is good enough, what each one takes, and where a local one pays."""

import streamlit as st

from workbench.app import state
from workbench.app.pages import link
from workbench.app.widgets.controls import choose
from workbench.app.widgets.errors import explained
from workbench.app.widgets.run_list import run_label
from workbench.app.widgets.size_answer import size_answer, size_chart
from workbench.app.widgets.size_axes import AXES
from workbench.app.widgets.size_controls import question
from workbench.app.widgets.size_empty import no_run_yet, nothing_scored, one_model_only
from workbench.app.widgets.size_exports import size_downloads
from workbench.app.widgets.size_gains import gain_section
from workbench.app.widgets.size_pays import break_even_section
from workbench.app.widgets.size_table import size_table
from workbench.app.workspace import current_run, workspace
from workbench.core.run import LIVE, Report
from workbench.core.sizing import Sizes
from workbench.engine import RunSummary, Workspace, report, runs, sizes
from workbench.engine.sizing import DEFAULT_MARGIN


def chosen_run(ws: Workspace) -> Report | None:
    """The run to ask about; None where the question cannot be put to it, after saying why."""
    found = {run.id: run for run in runs(ws, limit=50)}
    several = [run for run in found.values() if len(run.models) > 1]
    if several and not (state.text(state.RUN) or state.last(state.RUN)):
        state.remember(state.RUN, several[0].id)
    run_id = current_run(ws)
    if run_id is None:
        no_run_yet(ws)
        return None
    table = report(ws, pick_run(found, run_id))
    models = list(dict.fromkeys(cell.cell.model for cell in table.cells))
    if len(models) < 2:
        one_model_only(ws, models, table.experiment, several)
        return None
    if table.status in LIVE:
        st.info("This run is still going; the numbers are of the outputs so far.", icon=":material/timer:")
        link("run", "Watch it", ":material/timer:", run=table.run)
    if not any(cell.metrics for cell in table.cells):
        nothing_scored()
        return None
    return table


def pick_run(found: dict[str, RunSummary], run_id: str) -> str:
    """The select box over the newest runs and the one that the URL names."""
    options = list(found) if run_id in found else [run_id, *found]
    names = {run.id: run_label(run) for run in found.values()}
    clears = (state.METRIC, state.PROMPT, state.LOCAL)
    return choose("Run", options, state.RUN, run_id, clears, lambda run: names.get(run, run)) or run_id


def ask(ws: Workspace, table: Report) -> Sizes:
    """The controls, and the engine's answer to what they ask."""
    record = ws.store.runs.get(table.run)
    stated = record.definition["experiment"].get("margin") if record else None
    asked = question(table, stated or DEFAULT_MARGIN)
    return sizes(
        ws,
        table.run,
        metric=asked.metric,
        prompt=asked.prompt,
        margin=asked.margin,
        confidence=asked.confidence,
        cost=asked.cost,
        machine_usd_per_hour=asked.machine_usd_per_hour,
    )


def show() -> None:
    ws = workspace()
    st.title("Size")
    st.markdown("Which is the smallest model that is good enough?")
    table = chosen_run(ws)
    if table is None:
        return
    found = ask(ws, table)
    axis = AXES[state.choice(state.COST, list(AXES), sticky=False) or "memory"]
    size_answer(found, axis)
    st.subheader(f"Quality against {axis.label.lower() if axis.label != 'USD' else 'cost'}", anchor=False)
    size_chart(found, axis, f"chart {axis.label}")
    st.subheader("Every model", anchor=False)
    size_table(found)
    size_downloads(found)
    st.subheader("What a doubling of size brings", anchor=False)
    gain_section(found)
    st.subheader("From which volume on a local model pays", anchor=False)
    break_even_section(found)


with explained("showing the sizes"):
    show()
