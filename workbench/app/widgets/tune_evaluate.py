"""The third part of a recipe's form: on what the tuned model is held against its base."""

from __future__ import annotations

from typing import Any

import streamlit as st

from workbench.app.widgets.beside import two_beside
from workbench.app.widgets.fields import listed, number, one_line, one_of
from workbench.core.experiment import Experiment
from workbench.engine import Workspace
from workbench.errors import WorkbenchError

SOURCE = "the one collected from"
FIRST = "the experiment's first"
OTHERS, CHOSEN, NONE = "experiments on other datasets", "only these", "nothing"


def evaluate_part(ws: Workspace, value: dict[str, Any], recipe: dict[str, Any], key: str) -> dict[str, Any]:
    """The key `evaluate`, without what says nothing."""
    new = dict(value)
    names = ws.experiment_names()
    left, right = two_beside()
    with left:
        picked = one_of(
            "Experiment",
            value.get("experiment") or SOURCE,
            (SOURCE, *names),
            f"{key} experiment",
            help="It is run again with base and tuned as its models, on rows that nothing was learnt from.",
        )
    new["experiment"] = None if picked == SOURCE else picked
    experiment = _experiment(ws, picked, recipe)
    metrics = [_name(one) for one in experiment.metrics] if experiment else []
    with right:
        metric = one_of("Metric", value.get("metric") or FIRST, (FIRST, *metrics), f"{key} metric")
    new["metric"] = None if metric == FIRST else metric
    prompts = list(experiment.prompts) if experiment else []
    given = _list(value.get("prompts"))
    new["prompts"] = st.multiselect(
        "Prompts (none: all of the experiment)",
        [*prompts, *(one for one in given if one not in prompts)],
        default=given,
        key=f"{key} prompts of {picked}",
    )
    forgetting = _forgetting(value, names, key)
    new.pop("forgetting", None)
    slices = one_line(
        "Slices: columns, separated by commas",
        ", ".join(_list(value.get("slices"))),
        f"{key} slices",
        placeholder="steps, topic",
        help="The verdict is also given for the rows of each value of these columns.",
    )
    new["slices"] = listed(slices)
    rows, tie = two_beside()
    with rows:
        new["limit"] = number(
            "Rows of each experiment, at most",
            value.get("limit"),
            f"{key} limit",
            True,
            min_value=1,
            placeholder="all",
        )
    with tie:
        margin = number(
            "Tie margin",
            value.get("margin"),
            f"{key} margin",
            min_value=0,
            step=0.01,
            help="A difference this small counts as a tie.",
        )
    new["margin"] = margin or None
    kept = {name: one for name, one in new.items() if one not in (None, "", [], {})}
    return kept if forgetting is None else kept | {"forgetting": forgetting}


def _forgetting(value: dict[str, Any], names: list[str], key: str) -> list[str] | None:
    """None: what the recipe leaves out; an empty list: nothing is looked at."""
    stated = value.get("forgetting")
    given = _list(stated)
    at = 0 if stated is None else 1 if given else 2
    what = st.radio(
        "Look for what was forgotten on",
        (OTHERS, CHOSEN, NONE),
        index=at,
        key=f"{key} forgetting",
        horizontal=True,
        help="Other experiments, asked of base and tuned: a model that learns one thing may lose another.",
    )
    if what != CHOSEN:
        return None if what == OTHERS else []
    options = [*names, *(one for one in given if one not in names)]
    return list(st.multiselect("Experiments", options, default=given, key=f"{key} forgetting these"))


def _experiment(ws: Workspace, picked: str, recipe: dict[str, Any]) -> Experiment | None:
    """The one that is named, or the first that the recipe collects from."""
    names = ws.experiment_names()
    collect = recipe.get("collect")
    sources = _list(collect.get("runs")) if isinstance(collect, dict) else []
    name = picked if picked in names else next((one for one in sources if one in names), None)
    if name is None:
        return None
    try:
        return ws.experiment(name)
    except WorkbenchError:
        return None


def _name(metric: Any) -> str:
    """Of `exact_match` or of `{exact_match: {…}}`."""
    return str(next(iter(metric), "")) if isinstance(metric, dict) else str(metric)


def _list(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else [str(one) for one in value or ()]
