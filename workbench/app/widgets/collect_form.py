"""Collecting: which outputs are good enough to learn from, how many that would be, and gathering them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st

from workbench.app import state
from workbench.app.pages import link
from workbench.app.widgets.collect_passing import passing_view
from workbench.app.widgets.collect_runs import RunOffered, apart_from, choose_runs
from workbench.app.widgets.collection_steps import without_settings
from workbench.app.widgets.collection_words import kept_of, repeating_words, suggested_name
from workbench.app.widgets.empty import empty
from workbench.app.widgets.errors import explained
from workbench.app.widgets.fields import number, one_line
from workbench.app.widgets.numbers import many
from workbench.app.widgets.said import say_next
from workbench.app.widgets.text import escaped
from workbench.core.collection import Task
from workbench.core.document import validate
from workbench.core.prompt import Prompt
from workbench.core.tuning import Collect
from workbench.engine import Workspace
from workbench.tuning import collect

KEY = "collect "
TASKS: dict[Task, tuple[str, str]] = {
    "completion": ("Completions", "answer like this"),
    "preference": ("Preferences", "rather this than that, of one row"),
    "label": ("Good and bad", "a text, and whether it is good"),
}
BY = {"metric": "A metric", "rating": "People's ratings", "wins": "Pairwise wins"}
PAIRS = {"ratings": "What raters preferred", "scores": "Better against worse scores"}
STAGES = 6
"""About how often `collect` says what it is at."""
SAME_PROMPT = "the prompt that made each output"


def collect_form(ws: Workspace) -> None:
    """The whole form, from the runs to the button."""
    offered = choose_runs(ws)
    if offered is None:
        empty(
            "No completed run to collect from.",
            "Run an experiment over a `train` split: what it gets right can be taught.",
            "experiments",
            "Design an experiment",
        )
        return
    if not offered:
        empty("No run is chosen.", "Choose one above.")
        return
    wanted: dict[str, Any] = {"runs": [one.id for one in offered]}
    wanted |= _of_whom(offered)
    task = _task()
    wanted |= {"task": task}
    wanted |= _taught(ws, offered)
    by = _by(ws, offered, task, wanted)
    above = st.container()  # what passes depends on what stands below it
    wanted |= _further(ws)
    with above:
        found = passing_view(ws, wanted, task, by)
    wanted["pick"] = found.pick
    with st.container(horizontal=True, vertical_alignment="bottom"):
        default = suggested_name(offered[0].experiment)
        name = one_line("Name of the collection", default, f"{KEY}name {offered[0].id}", width=320)
        clicked = st.button(
            "Collect", type="primary", icon=":material/add_circle:", disabled=not found.possible
        )
        link("collections", "All collections", ":material/arrow_back:")
    if clicked:
        with explained("collecting"):
            _collect(ws, name.strip(), wanted, task)


def _of_whom(offered: Sequence[RunOffered]) -> dict[str, Any]:
    """Prompts and models to take outputs of."""
    prompts = list(dict.fromkeys(cell.prompt for one in offered for cell in one.cells))
    models = list(dict.fromkeys(cell.model for one in offered for cell in one.cells))
    left, right = st.columns(2)
    of = " ".join(one.id for one in offered)
    return {
        "prompts": left.multiselect(
            "Prompts", prompts, key=f"{KEY}prompts {of}", placeholder=f"all {many(len(prompts), 'prompt')}"
        ),
        "models": right.multiselect(
            "Models", models, key=f"{KEY}models {of}", placeholder=f"all {many(len(models), 'model')}"
        ),
    }


def _task() -> Task:
    task: Task = st.radio(
        "What the items teach",
        list(TASKS),
        format_func=lambda name: TASKS[name][0],
        captions=[about for _, about in TASKS.values()],
        horizontal=True,
        key=f"{KEY}task",
    )
    return task


def _taught(ws: Workspace, offered: Sequence[RunOffered]) -> dict[str, Any]:
    """The prompt that is trained, and whether the reasoning is learnt."""
    names = [name for name in ws.prompts.names() if isinstance(ws.prompts.get(name), Prompt)]
    left, right = st.columns(2)
    teach = left.selectbox(
        "Teach the prompt",
        [None, *names],
        format_func=lambda name: name or SAME_PROMPT,
        key=f"{KEY}teach",
        help="Prompt distillation: what a costly prompt got right (many shots, step by step, a vote) is "
        "learnt as the answer to a plain one, which then does as well for less.",
    )
    drop = right.selectbox(
        "Reasoning",
        ["keep", "drop"],
        format_func=lambda how: {"keep": "keep: the text as it is", "drop": "drop: the answer alone"}[how],
        key=f"{KEY}reasoning",
        help="Dropped, only the answer is learnt, written as the taught prompt's answer rule reads it.",
    )
    return {"teach": teach, "reasoning": drop}


def _by(ws: Workspace, offered: Sequence[RunOffered], task: Task, wanted: dict[str, Any]) -> dict[str, Any]:
    """By what outputs are picked, without the bar."""
    if task == "preference":
        wanted["pairs"] = st.radio(
            "Pairs from",
            list(PAIRS),
            format_func=lambda name: PAIRS[name],
            horizontal=True,
            key=f"{KEY}pairs",
        )
        if wanted["pairs"] == "ratings":
            return {}
    left, right = st.columns(2)
    with left:
        by = st.radio(
            "Good is what stands high by",
            list(BY),
            format_func=lambda name: BY[name],
            horizontal=True,
            key=f"{KEY}by",
        )
    if by != "metric":
        return {"by": by}
    shared = [name for name in offered[0].metrics if all(name in one.metrics for one in offered)]
    with right:
        metric = st.selectbox("Metric", shared, key=f"{KEY}metric {' '.join(shared)}")
    return {"by": by, "metric": metric}


def _further(ws: Workspace) -> dict[str, Any]:
    """What is rarely changed."""
    with st.expander("Corrections, rows kept apart, cleaning, limit"):
        corrections = st.checkbox(
            "Take the better answers that raters wrote, before any output of their row",
            value=True,
            key=f"{KEY}corrections",
        )
        apart = apart_from(ws)
        clean = st.multiselect(
            "Cleaning on the way in",
            without_settings(),
            default=["exact_duplicates"],
            key=f"{KEY}clean",
            help="Each with its usual settings; more, with a preview, under Cleaning of the collection.",
        )
        left, right = st.columns(2)
        with left:
            limit = number("At most this many items", None, f"{KEY}limit", whole=True, min_value=1)
        with right:
            seed = number("Seed of what is drawn", 0, f"{KEY}seed", whole=True, min_value=0)
    # steps that cannot do without settings are refused with a sentence when collecting
    return {
        "corrections": corrections,
        "apart_from": apart,
        "clean": clean,
        "limit": limit,
        "seed": seed or 0,
    }


def _collect(ws: Workspace, name: str, wanted: dict[str, Any], task: Task) -> None:
    settings = validate(Collect, wanted)
    place = st.empty()
    said = 0

    def tell(words: str) -> None:
        nonlocal said
        said += 1
        place.progress(min(0.97, said / STAGES), text=f"{escaped(words)} …")

    made = collect(ws, name, settings, task, on_progress=tell)
    record = ws.store.collections.get(made)
    kept = kept_of(ws.store.collections.count(made))
    words = f"Collected {many(kept, 'item')}. Look through them, or clean them, before they are learnt from."
    left_out = repeating_words(record.report) if record is not None else ""
    say_next(f"{words}  \n{left_out}" if left_out else words)
    state.put(collection=made, view=None, run=None)
    st.rerun()
