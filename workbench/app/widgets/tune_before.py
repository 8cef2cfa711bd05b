"""What a training will be like, beside its recipe: findings, memory against what is free, disk, time."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from workbench.app.pages import MENU, link
from workbench.app.widgets.errors import say
from workbench.app.widgets.model_facts import size
from workbench.app.widgets.numbers import many, seconds
from workbench.app.widgets.text import escaped
from workbench.app.widgets.tune_words import SPACE
from workbench.core.collection import Item
from workbench.core.tuning import Recipe, Train
from workbench.engine import Workspace
from workbench.errors import WorkbenchError
from workbench.tuning import find_collection, find_sources, kept_items
from workbench.tuning.checking.base import Base, find_base
from workbench.tuning.checking.findings import Finding
from workbench.tuning.checking.outlook import Outlook, evaluation_findings, outlook
from workbench.tuning.checking.reading import find_reading, start_reading
from workbench.tuning.training.combinations import check_combination

POLL = "1s"
SIGNS = {"error": ":material/error:", "warning": ":material/warning:", "note": ":material/info:"}
PARTS = {
    "libraries": "libraries",
    "weights": "weights",
    "reference": "the base as it was",
    "adapter": "adapter",
    "gradients": "gradients",
    "optimiser": "optimiser",
    "activations": "activations",
    "logits": "the loss",
    "loading": "loading",
}


@dataclass(frozen=True)
class Before:
    """What is known before the start.

    Attributes:
        found: None where it has to be collected first, or is still being counted.
        problem: why it cannot start.
        counting: a process is at it.
    """

    found: Outlook | None = None
    base: Base | None = None
    problem: WorkbenchError | None = None
    counting: bool = False
    collection: str | None = None

    @property
    def can_start(self) -> bool:
        """Whether nothing that is known speaks against it."""
        return self.problem is None and (self.found is None or not self.found.refused)


def look_ahead(ws: Workspace, recipe: Recipe) -> Before:
    """What can be told of a recipe now; has its collection counted where it was not."""
    base: Base | None = None
    try:
        base = find_base(ws.models.spec(recipe.base))
        check_combination(recipe.train)
        collection = _collection(ws, recipe)
        if collection is None:
            return Before(base=base)
        reading = find_reading(ws, base, collection)
        if reading is None:
            start_reading(ws, base, collection)
            return Before(base=base, counting=True, collection=collection)
        items = _items(ws, collection)
        asked = recipe.model_copy(update={"train": Train(), "name": "any", "description": ""})
        version = ws.store.collections.version(collection)
        verdict = _evaluation(str(ws.root), version, asked.model_dump_json(), ws, recipe, items)
        found = outlook(ws, recipe, base, items, reading, verdict)
        return Before(found, base, collection=collection)
    except WorkbenchError as problem:
        return Before(base=base, problem=problem)


def before_panel(ws: Workspace, recipe: Recipe, before: Before) -> None:
    """Shows it."""
    if before.problem is not None:
        say(before.problem)
        return
    if before.counting:
        st.fragment(_waiting, run_every=POLL)(ws, before)
        return
    if before.found is None:
        st.info(
            "It collects first. Then what is left out is chosen, and data, memory and disk are checked.",
            icon=":material/info:",
        )
        return
    found = before.found
    about = "about" if found.measured else "very roughly"
    examples = many(found.facts.examples, "example")
    st.markdown(
        f"**{examples}**, **{many(found.steps, 'step')}**, training takes {about} "
        f"**{escaped(seconds(found.seconds)).replace(' ', SPACE)}**",
        help=_how_long(found.measured),
    )
    _memory(found)
    disk = f"Disk: about {size(found.disk_bytes)} of {size(found.disk_free_bytes)} that are free."
    st.caption(escaped(disk))
    _findings(found.findings)
    if recipe.collect is not None:
        st.caption(
            "By the collection that was made last by this name; it is made anew, so that figures may differ."
        )


def _waiting(ws: Workspace, before: Before) -> None:
    """Polled until the process has counted; then the whole page is drawn again."""
    if before.base is None or before.collection is None:
        return
    if find_reading(ws, before.base, before.collection) is not None:
        st.rerun()
    start_reading(ws, before.base, before.collection)
    st.markdown(":material/hourglass: Counting the examples in the base's own tokens …")
    st.caption("This takes some seconds, once for each base and collection. You can go on meanwhile.")


def _collection(ws: Workspace, recipe: Recipe) -> str | None:
    """The collection that is learnt; of one that is collected anew, the last one of its name, if any."""
    if recipe.collection is not None:
        return find_collection(ws, recipe.collection).id
    if recipe.collect is not None:
        find_sources(ws, recipe.collect)
    last = ws.store.collections.newest(recipe.name, limit=1)
    return last[0].id if last and last[0].task == recipe.task else None


def _items(ws: Workspace, collection: str) -> list[Item]:
    return _kept(str(ws.root), collection, ws.store.collections.version(collection), ws)


@st.cache_data(show_spinner=False, max_entries=4)
def _kept(root: str, collection: str, version: str, _ws: Workspace) -> list[Item]:
    return kept_items(_ws, collection)


@st.cache_data(show_spinner=False, max_entries=32, ttl=20)
def _evaluation(
    root: str, version: str, asked: str, _ws: Workspace, _recipe: Recipe, _items: list[Item]
) -> list[Finding]:
    """Kept for a moment, as it reads every experiment's file: most edits do not touch the verdict."""
    return evaluation_findings(_ws, _recipe, _items)


def _how_long(measured: bool) -> str:
    if measured:
        return "As fast as the last training of this base by this method; measuring afterwards comes on top."
    return (
        "Roughly, by the size of base and data: nothing like it was trained here yet. Measuring comes on top."
    )


def _memory(found: Outlook) -> None:
    share = found.needed_bytes / max(1, found.free_bytes)
    words = f"Memory: about {size(found.needed_bytes)} of {size(found.free_bytes)} that are free"
    st.progress(min(1.0, share), text=escaped(words))
    largest = sorted(found.memory.parts(), key=lambda part: -part[1])[:3]
    parts = ", ".join(f"{PARTS.get(name, name)} {size(held)}" for name, held in largest if held)
    times = f", in each of {found.memory.processes} processes" if found.memory.processes > 1 else ""
    st.caption(escaped(f"Of it: {parts}{times}."))


def _findings(found: tuple[Finding, ...]) -> None:
    if not found:
        st.markdown(":green-badge[✓] Nothing speaks against it.")
        return
    errors = [one for one in found if one.level == "error"]
    for one in found:
        box = {"error": st.error, "warning": st.warning}.get(one.level, st.info)
        box(escaped(one.sentence), icon=SIGNS[one.level])
    if errors and any(one.field == "collection" for one in errors) and "collections" in MENU:
        link("collections", "Look through the collection", ":material/inventory:")
    if errors:
        st.caption(f"{many(len(errors), 'error')} to mend before it can start.")
