"""Collections: what is good enough to learn from, gathered out of runs, looked through and cleaned."""

from collections.abc import Callable

import streamlit as st

from workbench.app import state
from workbench.app.pages import link
from workbench.app.widgets.collect_form import collect_form
from workbench.app.widgets.collection_cleaning import cleaning_view
from workbench.app.widgets.collection_export import export_view
from workbench.app.widgets.collection_items import items_view
from workbench.app.widgets.collection_list import collection_list
from workbench.app.widgets.collection_profile import profile_view
from workbench.app.widgets.collection_sources import sources_view
from workbench.app.widgets.collection_words import TEACHES
from workbench.app.widgets.controls import segments
from workbench.app.widgets.empty import empty
from workbench.app.widgets.errors import explained
from workbench.app.widgets.numbers import ago
from workbench.app.widgets.said import say_once
from workbench.app.widgets.text import escaped
from workbench.app.widgets.undo import offer_undo, undo_bar
from workbench.app.workspace import workspace
from workbench.engine import Workspace
from workbench.errors import WorkbenchError
from workbench.storage.collections import CollectionRecord
from workbench.tuning import delete_collection, find_collection, undelete_collection

COLLECT = "collect"
VIEWS: dict[str, tuple[str, Callable[[Workspace, CollectionRecord], None]]] = {
    "items": ("Items", items_view),
    "cleaning": ("Cleaning", cleaning_view),
    "profile": ("Profile", profile_view),
    "sources": ("Sources", sources_view),
    "export": ("Export", export_view),
}
"""A view's name in the URL → its words and what draws it."""


def actions(ws: Workspace, record: CollectionRecord) -> None:
    """What can be done with the whole collection; the likeliest first."""
    with st.container(horizontal=True, vertical_alignment="center"):
        with st.container(border=True, width="content"):  # the likely next step; links know no other emphasis
            link("tune", "**Fine-tune on this**", ":material/school:", collection=record.id)
        link("collections", "All collections", ":material/arrow_back:")
        st.button(
            "Delete",
            icon=":material/delete:",
            key="collection delete",
            type="tertiary",
            on_click=_delete,
            args=(ws, record),
        )


def _delete(ws: Workspace, record: CollectionRecord) -> None:
    try:
        delete_collection(ws, record.id)
    except WorkbenchError:
        return  # another tab was quicker; the page says so

    def put_back() -> None:
        undelete_collection(ws, record.id)
        state.put(collection=record.id)

    offer_undo(f"the collection {record.name}", put_back)
    state.put(collection=None, view=None, item=None, shown=None, find=None, page=None)


def one(ws: Workspace, record: CollectionRecord) -> None:
    """One collection in the view that the address asks for."""
    st.title(escaped(record.name), anchor=False)
    undo_bar()
    say_once()
    st.caption(
        escaped(f"Teaches {TEACHES[record.task]} · made {ago(record.created_at)} · {record.id}"),
    )
    actions(ws, record)
    words = {name: label for name, (label, _) in VIEWS.items()}
    state.show_address(state.VIEW)
    view = segments("View", words, state.VIEW, clears=(state.PAGE, state.ITEM), label_visibility="collapsed")
    with explained("showing the collection"):
        VIEWS[view][1](ws, record)


def show() -> None:
    ws = workspace()
    state.show_address(state.COLLECTION)
    asked = state.text(state.COLLECTION)
    if asked:
        try:
            found = find_collection(ws, asked)
        except WorkbenchError as problem:
            st.title("Collections", anchor=False)
            undo_bar()
            empty("There is no such collection.", escaped(str(problem)), "collections", "All collections")
            return
        one(ws, found)
        return
    collecting = state.text(state.VIEW) == COLLECT or bool(state.text(state.RUN))
    st.title("Collect what was good" if collecting else "Collections", anchor=False)
    undo_bar()
    say_once()
    if collecting:
        collect_form(ws)
    else:
        collection_list(ws)


with explained("showing the collections"):
    show()
