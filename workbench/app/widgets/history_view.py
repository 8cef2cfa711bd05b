"""An experiment over time: the metric run by run, and what changed between two runs beside what it made."""

from __future__ import annotations

import streamlit as st

from workbench.app import state
from workbench.app.pages import link
from workbench.app.widgets.breakdown_charts import history_chart
from workbench.app.widgets.controls import choose
from workbench.app.widgets.empty import empty
from workbench.app.widgets.numbers import many, score
from workbench.app.widgets.result_table import verdict_words
from workbench.app.widgets.slices_view import difference
from workbench.app.widgets.text import escaped, marked, short
from workbench.core.run import Comparison, MetricEstimate, Report
from workbench.engine import History, RunChange, Workspace, history, run_change
from workbench.engine.run_changes import CellChange
from workbench.errors import UnknownName

WORDS, NUMBERS = 380, 470  # pixels: beside each other in a wide window, else one below the other


def history_view(ws: Workspace, table: Report, found: Comparison) -> None:
    """The line chart, then two runs to compare; this run is the newer one by itself."""
    try:
        shown = history(ws, table.experiment, found.metric)
    except UnknownName:
        empty(
            "This experiment has no completed run yet.",
            "Let this run finish, then come back.",
            "run",
            "Open the run",
        )
        return
    st.subheader(f"{escaped(found.metric)} over {many(len(shown.runs), 'run')}", anchor=False)
    history_chart(shown, "chart history")
    st.caption(
        "Completed runs of this experiment, oldest first; bars are intervals, a symbol and a dash a cell."
    )
    for note in shown.notes:
        st.caption(escaped(note))
    if len(shown.runs) < 2:
        empty(
            "There is nothing to compare this run with yet.",
            "Change a prompt and run the experiment again: its change will stand here beside what it made.",
            "experiments",
            "Open Experiments",
        )
        return
    pair = _two_runs(shown, table.run)
    if pair is not None:
        _change(run_change(ws, *pair, found.metric))


def _two_runs(shown: History, current: str) -> tuple[str, str] | None:
    """(older, newer) as chosen; None where they are one run."""
    names = [run.id for run in shown.runs]
    label = {
        run.id: f"{run.created_at:%d %b %H:%M} UTC · {many(run.rows, 'row')} · {run.id[-6:]}"
        for run in shown.runs
    }
    for key in (state.OLDER, state.NEWER):
        if state.unknown(key, names) is not None:
            st.warning("The address names a run that is not among these.", icon=":material/warning:")
            state.put(**{key: None})
    second = current if current in names[1:] else names[-1]
    left, right = st.columns(2)
    with right:
        newer = (
            choose("To", names[::-1], state.NEWER, second, shown=lambda run: label[run], sticky=False)
            or second
        )
    before = names[: names.index(newer)] or names[1:]
    with left:
        older = choose(
            "From", names[::-1], state.OLDER, before[-1], shown=lambda run: label[run], sticky=False
        )
    if older is None or older == newer:
        empty("These are the same run.", "Choose two runs.")
        return None
    return older, newer


def _change(found: RunChange) -> None:
    if found.unpaired:
        st.warning(f"No verdicts: {escaped(found.unpaired)}", icon=":material/info:")
    for sentence in found.also:
        st.markdown(f":material/tune: Also changed: {escaped(sentence)}")
    changed: dict[str, list[CellChange]] = {}
    for one in found.cells:
        if one.diff:
            changed.setdefault(one.cell.prompt, []).append(one)
    for name, cells in changed.items():
        with st.container(border=True):
            st.markdown(f"**{escaped(name)}**")
            with st.container(horizontal=True):
                with st.container(width=WORDS):
                    st.markdown(marked(cells[0].diff))
                with st.container(width=NUMBERS):
                    _table(found, cells, [_without(one.cell.label, name) for one in cells])
    others = [one for one in found.cells if not one.diff]
    if others:
        st.markdown(
            "**Prompts that are the same in both runs**" if changed else "**Every prompt is the same**"
        )
        _table(found, others, [one.cell.label for one in others])
    st.caption(
        "Struck out on red: only in the older run. Bold on green: only in the newer. "
        "Verdicts compare each cell with itself over the rows that both runs have, corrected for the "
        f"{sum(one.comparison is not None for one in found.cells)} comparisons made."
    )
    with st.container(horizontal=True):
        link("compare", "Rows that became worse", ":material/trending_down:", **_worse(found))


def _worse(found: RunChange) -> dict[str, str | None]:
    return {"run": found.newer, "view": "rows", "only": "regressed", "other": found.older}


def _without(label: str, prompt: str) -> str:
    return label.removeprefix(f"{prompt} · ")


def _table(found: RunChange, cells: list[CellChange], labels: list[str]) -> None:
    columns = {
        "Cell": [escaped(short(label, 60)) for label in labels],
        "Verdict": [verdict_words(one.comparison) if one.comparison else _missing(one) for one in cells],
        "Change": [escaped(difference(one.comparison)) for one in cells],
        "Before": [_mean(one.before) for one in cells],
        "After": [_mean(one.after) for one in cells],
    }
    st.table(columns, border="horizontal", hide_index=True, alt=f"{found.metric} before and after")


def _mean(estimate: MetricEstimate | None) -> str:
    return "–" if estimate is None else score(estimate.mean)


def _missing(one: CellChange) -> str:
    return "new" if one.before is None else "gone" if one.after is None else "–"
