"""What the Fine-tune page shows first: one obvious step, the recipes, and what became of them."""

from __future__ import annotations

import streamlit as st

from workbench.app.pages import go, link
from workbench.app.widgets.empty import empty
from workbench.app.widgets.errors import explained
from workbench.app.widgets.numbers import ago, seconds
from workbench.app.widgets.text import escaped, short
from workbench.app.widgets.tune_new import new_recipe, recipe_of_collection
from workbench.app.widgets.tune_words import STATUS, badge, gain, is_share
from workbench.core.run import LIVE
from workbench.engine import Workspace, ensure_worker
from workbench.tuning import (
    TuningSummary,
    create_tuning,
    load_recipe,
    recipe_names,
    tuning_json,
    tunings,
)

QUICK_START = "quickstart"
SHOWN = 20


def overview(ws: Workspace) -> None:
    """The quick start, the recipes, the tunings."""
    names, found = recipe_names(ws), tunings(ws, limit=SHOWN)
    recipe_of_collection(ws)
    with st.container(horizontal=True, vertical_alignment="center"):
        if QUICK_START in names:
            _quick_start(ws, first=not found)
        new_recipe(ws)
    if QUICK_START in names:
        st.caption(escaped(_takes(found)))
    st.subheader("Recipes", anchor=False)
    if names:
        _recipes(ws, names)
    else:
        empty(
            "There is no recipe yet.",
            "A recipe says what to learn from, how, and how to tell whether it helped. Make one with "
            "“New recipe”.",
        )
    st.subheader("Tunings", anchor=False)
    if found:
        tuning_list(ws, found, key="all")
    else:
        empty("Nothing was tuned yet.", "Each tuning will stand here with what it gained over its base.")


def tuning_list(ws: Workspace, found: list[TuningSummary], key: str) -> None:
    """Newest first: how far, base → tuned, and the gain with its interval and verdict."""
    with st.container(border=True, key=f"{key} tunings"):
        for one in found:
            models = f"{short(one.base, 40)} → {short(one.model, 60)}"
            said = [f"**{escaped(short(one.recipe, 40))}**", escaped(models), _came(ws, one)]
            live = one.status in LIVE
            _line(
                " · ".join([*said, f":gray[{ago(one.created_at)}]"]),
                "Watch" if live else "Open",
                ":material/timer:" if live else ":material/open_in_full:",
                tuning=one.id,
            )


def _line(words: str, label: str, icon: str, **query: str) -> None:
    """Words that wrap, and a link that keeps its width, in a window of any width."""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(words, width="stretch")
        with st.container(width="content"):
            link("tune", label, icon, **query)


def start_tuning(ws: Workspace, recipe: str) -> None:
    """Queues a saved recipe, wakes the worker and opens the live view. Raises WorkbenchError."""
    tuning = create_tuning(ws, load_recipe(ws, recipe))
    ensure_worker(ws)
    go("tune", tuning=tuning)


def _quick_start(ws: Workspace, first: bool) -> None:
    if st.button(
        "Try the quick start",
        type="primary" if first else "secondary",
        icon=":material/play_arrow:",
        key="tune quick start",
    ):
        with explained("starting the quick start"):
            start_tuning(ws, QUICK_START)


def _takes(found: list[TuningSummary]) -> str:
    done = [one.seconds for one in found if one.recipe == QUICK_START and one.status == "completed"]
    took = f"about {seconds(done[0])}, as it took here before" if done else "a few minutes on two cores"
    return (
        "Learn bus and tram stories from the model's own right answers: nobody writes an example, nothing "
        f"leaves this machine, {took}."
    )


def _recipes(ws: Workspace, names: list[str]) -> None:
    with st.container(border=True, key="recipes"):
        for name in names:
            recipe = load_recipe(ws, name)
            source = f"collection {recipe.collection}" if recipe.collection else "outputs collected anew"
            words = recipe.description or f"{recipe.train.method} from {source}"
            told = f"{short(recipe.base, 40)} · {short(words, 140)}"
            _line(f"**{escaped(short(name, 40))}** · {escaped(told)}", "Edit", ":material/edit:", recipe=name)


def _came(ws: Workspace, one: TuningSummary) -> str:
    status = STATUS.get(one.status, escaped(one.status))
    if one.verdict is not None:
        with explained("reading a verdict"):
            measured = tuning_json(ws, one.id)
            found = measured["comparison"]
            share = is_share(measured["base"]["mean"], measured["tuned"]["mean"])
            numbers = gain(found["difference"], found["low"], found["high"], share)
            return f"{badge(one.verdict)} {escaped(numbers)}"
    if one.message and one.status in ("failed", "queued"):
        return f"{status} {escaped(short(one.message, 90))}"
    return status
