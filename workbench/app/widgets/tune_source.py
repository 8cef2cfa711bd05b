"""The first part of a recipe's form: a collection that is there, or how one is collected when it starts."""

from __future__ import annotations

from typing import Any

import streamlit as st

from workbench.app.pages import MENU, link
from workbench.app.widgets.beside import two_beside
from workbench.app.widgets.fields import number, one_of, without_empty
from workbench.app.widgets.numbers import many
from workbench.app.widgets.text import escaped
from workbench.app.workspace import judge_names
from workbench.core.collection import Task
from workbench.core.tuning import TASK_OF
from workbench.engine import Workspace, runs
from workbench.metrics import describe_metrics
from workbench.tuning import CollectionSummary, collections

THERE, ANEW = "A collection that is there", "Outputs, collected when it starts"
PICKS = {
    "metric": "a metric's score",
    "rating": "people's ratings",
    "wins": "pairwise wins",
}
TEACHES = {
    "completion": "completions to say again",
    "preference": "pairs, one better than the other",
    "label": "completions marked good or bad",
}
PAIRS = {
    "ratings": "people's pairwise ratings",
    "scores": "better against worse scores on the same row",
}
OWN = "the one that made each output"


def source_part(ws: Workspace, content: dict[str, Any], objective: str, key: str) -> dict[str, Any]:
    """The keys `collection` and `collect`, one of them None."""
    task: Task = TASK_OF.get(objective, "completion")  # type: ignore[call-overload]
    st.caption(f"The objective '{escaped(objective)}' learns from {TEACHES[task]}.")
    there = content.get("collect") is None
    kind = st.radio("Learn from", (THERE, ANEW), index=0 if there else 1, key=f"{key} kind", horizontal=True)
    if kind == THERE:
        return {"collection": _collection(ws, content.get("collection"), task, key), "collect": None}
    collect = content.get("collect")
    settings = collect if isinstance(collect, dict) else {}
    return {"collection": None, "collect": _collect(ws, settings, task, key)}


def _collection(ws: Workspace, value: Any, task: Task, key: str) -> str | None:
    newest: dict[str, CollectionSummary] = {}
    for one in collections(ws, limit=200):
        newest.setdefault(one.name, one)
    fitting = {name: one for name, one in newest.items() if one.task == task}
    options = [*fitting, *([str(value)] if value is not None and value not in fitting else [])]
    if not options:
        st.info(
            f"There is no collection of {TEACHES[task]} yet: collect some first, or choose outputs that are "
            "collected when it starts.",
            icon=":material/info:",
        )
        _to_collections(None)
        return None

    def words(name: str) -> str:
        return f"{name} · {many(newest[name].kept, 'item')} kept" if name in newest else name

    index = options.index(value) if value in options else 0
    chosen = str(st.selectbox("Collection", options, index=index, key=f"{key} collection", format_func=words))
    others = len(newest) - len(fitting)
    if others:
        st.caption(f"{many(others, 'collection')} of another task {'is' if others == 1 else 'are'} left out.")
    _to_collections(newest[chosen].id if chosen in newest else chosen)
    return chosen


def _to_collections(collection: str | None) -> None:
    if "collections" in MENU:
        words = "Look through its items" if collection else "Collect the best outputs of a run"
        link("collections", words, ":material/inventory:", collection=collection)


def _collect(ws: Workspace, value: dict[str, Any], task: Task, key: str) -> dict[str, Any]:
    new = dict(value)
    given = value.get("runs")
    found = [given] if isinstance(given, str) else [str(one) for one in given or ()]
    recent = {one.id: f"run of {one.experiment}, {one.created_at:%d %b %H:%M}" for one in runs(ws, limit=20)}
    options = [*ws.experiment_names(), *recent]
    options += [one for one in found if one not in options]
    new["runs"] = st.multiselect(
        "Experiments or runs",
        options,
        default=found,
        key=f"{key} runs",
        format_func=lambda name: recent.get(name, name),
        help="Of an experiment its newest completed run; where there is none, it is run first.",
    )
    if task == "preference":
        pairs = st.radio(
            "Pairs from",
            tuple(PAIRS),
            index=list(PAIRS).index(value["pairs"]) if value.get("pairs") in PAIRS else 0,
            key=f"{key} pairs",
            format_func=lambda name: PAIRS[name],
        )
        new["pairs"] = None if pairs == "ratings" else pairs
    else:
        new.pop("pairs", None)
    new["pick"] = _pick(value.get("pick"), key)
    prompts = [name for name in ws.prompts.names() if name not in judge_names(ws)]
    left, right = two_beside()
    with left:
        teach = one_of(
            "Prompt that is trained",
            value.get("teach") or OWN,
            (OWN, *prompts),
            f"{key} teach",
            help="A costly prompt's outputs can teach a plain one: then the plain one is shown in training.",
        )
    with right:
        reasoning = st.radio(
            "Reasoning",
            ("keep", "drop"),
            index=1 if value.get("reasoning") == "drop" else 0,
            key=f"{key} reasoning",
            horizontal=True,
            help="drop: only the answer is learnt, without the steps before it.",
        )
    new["teach"] = None if teach == OWN else teach
    new["reasoning"] = "drop" if reasoning == "drop" else None
    st.caption(
        "Rows of every dev and test split are left out, near copies too, so that the verdict is fair. "
        "Cleaning, balance, files and filters can be written in the YAML view."
    )
    return without_empty(new)


def _pick(value: Any, key: str) -> dict[str, Any]:
    found = value if isinstance(value, dict) else {}
    by, what = two_beside()
    least, most = two_beside()
    with by:
        kind = st.selectbox(
            "The best by",
            list(PICKS),
            index=list(PICKS).index(found["by"]) if found.get("by") in PICKS else 0,
            key=f"{key} by",
            format_func=lambda name: PICKS[name],
        )
    metric = None
    if kind == "metric":
        names = [str(fact["name"]) for fact in describe_metrics()]
        first = "the experiment's first"
        with what:
            metric = one_of("Metric", found.get("metric") or first, (first, *names), f"{key} metric")
        metric = None if metric == first else metric
    with least:
        at_least = number("At least", found.get("at_least"), f"{key} least", placeholder="any", step=0.1)
    with most:
        per_row = number("A row, at most", found.get("per_row", 1), f"{key} per row", True, min_value=1)
    new = {**found, "by": None if kind == "metric" else kind, "metric": metric, "at_least": at_least}
    new["per_row"] = None if per_row in (None, 1) else per_row
    return without_empty(new)
