"""What a collection teaches as files that other tools read, and the command that writes them."""

from __future__ import annotations

import shlex
from functools import partial

import streamlit as st

from workbench.app import state
from workbench.app.widgets.collection_cached import cached_unwritable
from workbench.app.widgets.collection_words import TEACHES, kept_of
from workbench.app.widgets.empty import empty
from workbench.app.widgets.numbers import many
from workbench.app.widgets.text import escaped
from workbench.engine import Workspace
from workbench.storage.collections import CollectionRecord
from workbench.tuning import formats_for, kept_balance, kept_items, taught_items, write_examples
from workbench.tuning.formats import usual_format
from workbench.tuning.formats.registry import registry

MOST_AT_ONCE = 5_000
"""Items of a larger collection are read only when asked for: that takes seconds."""


def export_view(ws: Workspace, record: CollectionRecord) -> None:
    """A download a format, made when clicked, or why the format cannot hold what is taught."""
    kept = kept_of(ws.store.collections.count(record.id))
    if not kept:
        empty("Nothing is kept that could be written.", "Accept items, or undo what dropped them.")
        return
    st.markdown(
        f"{many(kept, 'item')} that teach {TEACHES[record.task]}, as JSON lines. Each file can be imported "
        "here again."
    )
    extra = st.checkbox(
        "Also what imported lines held beside the examples", value=True, key="collection extra"
    )
    held = kept_balance(record.settings)
    once = held is None or not st.checkbox(
        f"Rare values of {escaped(held.by)} as often as training repeats them",
        value=True,
        key=f"{state.CURATE}export repeats {record.id}",
    )
    if kept <= MOST_AT_ONCE or st.toggle("Prepare the files", key=f"{state.CURATE}check {record.id}"):
        _files(ws, record, extra, once)
    st.markdown("The same in a terminal:")
    options = ["--format", usual_format(record.task), *([] if extra else ["--without-extra"])]
    options += ["--once"] if once and held is not None else []
    # by its id: another collection of the name may come to be
    words = ["workbench", "export", "collection", record.id, *options, "-o", f"{record.name}.jsonl"]
    st.code(shlex.join(words), language=None, wrap_lines=True)
    version = ws.store.collections.version(record.id)
    repeated = "" if held is None else f" and what repeats them by {escaped(held.by)}"
    st.caption(
        f"What it teaches now is named {version[:12]}: a hash over {many(kept, 'item')} in their order"
        f"{repeated}."
    )


def _files(ws: Workspace, record: CollectionRecord, extra: bool, once: bool) -> None:
    # known before a click: a download that fails says so in words of its own
    unwritable = cached_unwritable(ws, record.id, record.task, extra=extra, once=once)
    formats = formats_for(record.task)
    if len(unwritable) == len(formats):
        st.error(escaped(unwritable[usual_format(record.task)]), icon=":material/error:")
        return
    for name in formats:
        with st.container(border=True, horizontal=True, vertical_alignment="center"):
            st.download_button(
                name,
                data=partial(_written, ws, record, name, extra, once),
                file_name=f"{record.name}-{name}.jsonl",
                mime="application/jsonl",
                icon=":material/download:",
                key=f"collection format {name}",
                on_click="ignore",
                disabled=name in unwritable,
            )
            st.markdown(escaped(unwritable.get(name) or registry.get(name).description), width="stretch")


def _written(ws: Workspace, record: CollectionRecord, name: str, extra: bool, once: bool) -> bytes:
    items = kept_items(ws, record.id) if once else [one.item for one in taught_items(ws, record.id)]
    return write_examples(items, name, record.task, extra=extra)
