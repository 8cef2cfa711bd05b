"""The collections that are there, newest of each name first; and making one of a file of examples."""

from __future__ import annotations

import streamlit as st

from workbench.app import state
from workbench.app.pages import go, link
from workbench.app.widgets.collection_words import TEACHES
from workbench.app.widgets.empty import empty
from workbench.app.widgets.errors import explained
from workbench.app.widgets.fields import one_line
from workbench.app.widgets.numbers import ago, count, many
from workbench.app.widgets.said import say_next
from workbench.app.widgets.text import escaped, short
from workbench.engine import Workspace
from workbench.tuning import CollectionSummary, collections

MOST = 200
ENDINGS = ["jsonl", "json", "ndjson"]


def collection_list(ws: Workspace) -> None:
    """A line a name, and the ways to a new one."""
    found = collections(ws, limit=MOST)
    if not found:
        empty(
            "No collection yet.",
            "Collect the best outputs of a run: what a metric or people found good, a model can learn.",
        )
    if st.button("Collect the best outputs of a run", type="primary", icon=":material/add_circle:"):
        go("collections", view="collect")
    if found:
        _lines(found)
    with st.expander("Import a file of examples", icon=":material/upload_file:"):
        _import(ws)


def _lines(found: list[CollectionSummary]) -> None:
    newest: dict[str, CollectionSummary] = {}
    older: dict[str, int] = {}
    for one in found:
        if one.name in newest:
            older[one.name] = older.get(one.name, 0) + 1
        newest.setdefault(one.name, one)
    with st.container(border=True, key="collections listed"):
        for name, one in newest.items():
            with st.container(horizontal=True, vertical_alignment="center"):
                before = f" · {many(older[name], 'older one')}" if name in older else ""
                sizes = f"{count(one.kept)} kept, {count(one.dropped)} dropped"
                st.markdown(
                    f"**{escaped(short(name, 60))}** · {sizes}  \n"
                    f":gray[teaches {TEACHES[one.task]} · {ago(one.created_at)}{before}]",
                    width="stretch",
                )
                link("collections", "Open", ":material/checklist:", collection=one.id)


def _import(ws: Workspace) -> None:
    from workbench.tuning import example_formats, import_examples

    st.caption(
        f"JSON lines, or one JSON list, of {escaped(', '.join(example_formats()))}; which one it is, is told "
        "by its keys. Examples that repeat a row kept for evaluation come in as dropped ones."
    )
    upload = st.file_uploader("File", type=ENDINGS, key="collection upload")
    name = one_line("Name (optional)", None, "collection upload name", placeholder="as the file is called")
    if st.button("Import", type="primary", key="collection import", disabled=upload is None) and upload:
        with explained("importing the examples"), st.spinner("Reading every example …"):
            done = import_examples(ws, [(upload.name, upload.getvalue())], name or None)
            words = f"Imported {many(done.items, 'example')} into {escaped(done.name)}"
            if done.held_back:
                words += f"; {count(done.held_back)} of them repeat rows kept for evaluation and are dropped"
            if done.same_texts:
                words += f"; {count(done.same_texts)} are dropped, as chosen and rejected say the same"
            notes = "".join(f"  \n{escaped(sentence)}" for sentence in done.unmapped)
            say_next(f"{words}.{notes}")
            state.put(collection=done.collection, view=None)
            st.rerun()
