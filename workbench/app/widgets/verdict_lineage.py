"""Where a tuned model came from: base, recipe, collection by content hash, and every run behind its items."""

from __future__ import annotations

import streamlit as st

from workbench.app.pages import MENU, link
from workbench.app.widgets.errors import explained
from workbench.app.widgets.numbers import count, many
from workbench.app.widgets.text import escaped, short
from workbench.engine import Workspace
from workbench.storage.tunings import TuningRecord
from workbench.tuning import Lineage, lineage

HASH = 12
"""Characters of a hash that are shown; the whole of it stands in the model card."""


def lineage_view(ws: Workspace, record: TuningRecord) -> None:
    """The line of the model, its parents beneath it."""
    if record.model is None:
        st.caption("There is no model yet.")
        return
    with explained("reading the lineage"):
        found: Lineage | None = lineage(ws, record.model)
        while found is not None:
            _one(found)
            if found.lost:
                st.info(escaped(found.lost), icon=":material/info:")
            found = found.parent
        st.caption("Every item with its row, run, prompt version, scores and raters:")
        st.code(f"workbench models lineage {record.model} --items --json", language=None, wrap_lines=True)


def _one(found: Lineage) -> None:
    st.subheader(escaped(found.model), anchor=False)
    rows = {
        "Base": (found.base, found.base_identity),
        "Recipe": (found.recipe, found.recipe_hash),
        "Collection": (found.collection_name, found.collection_version),
        "Weights": (found.model, found.weights),
    }
    st.table(
        {
            "": [f"**{name}**" for name in rows],
            "Name": [escaped(short(name, 60)) for name, _ in rows.values()],
            "Content hash": [f"`{mark[:HASH]}`" if mark else "–" for _, mark in rows.values()],
        },
        border="horizontal",
        hide_index=True,
        alt="Base, recipe, collection and weights by content hash",
    )
    kinds = ", ".join(f"{kind}: {count(number)}" for kind, number in found.kinds.items())
    st.markdown(
        escaped(
            f"{many(found.items, 'item')} of {many(found.rows, 'row')} ({kinds}): "
            f"{count(found.learnt)} learnt, {count(found.held_back)} held back."
        )
    )
    if found.taught is not None:
        taught = f"{found.taught['prompt']} {found.taught['version'][:HASH]}"
        st.markdown(escaped(f"Learnt as answers to the prompt {taught}, whichever one below made the texts."))
    st.table(
        {
            "Prompt": [f"**{escaped(short(one.prompt or '–', 40))}**" for one in found.made_by],
            "Version": [f"`{one.version[:HASH]}`" if one.version else "–" for one in found.made_by],
            "Model": [escaped(short(one.model or "–", 40)) for one in found.made_by],
            "Rows of": [escaped(f"{one.dataset}#{one.split}") for one in found.made_by],
            "Rows": [count(one.rows) for one in found.made_by],
            "Items": [count(one.items) for one in found.made_by],
        },
        border="horizontal",
        hide_index=True,
        alt="What made the items: prompt, version, model and rows",
    )
    for words, counts in (("Raters", found.raters), ("Files", found.files)):
        if counts:
            told = ", ".join(f"{name} ({many(number, 'item')})" for name, number in counts.items())
            st.markdown(f"{words}: {escaped(told)}")
    with st.container(horizontal=True):
        for run in dict.fromkeys(one.run for one in found.made_by if one.run):
            link("compare", f"Run {escaped(run)}", ":material/balance:", run=run)
        if "collections" in MENU and found.collection:
            link("collections", "The collection", ":material/inventory:", collection=found.collection)
