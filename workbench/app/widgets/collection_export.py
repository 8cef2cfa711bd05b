"""What a collection teaches as files that other tools read, and the command that writes them."""

from __future__ import annotations

from functools import partial

import streamlit as st

from workbench.app.widgets.collection_words import TEACHES, kept_of
from workbench.app.widgets.empty import empty
from workbench.app.widgets.numbers import count, many
from workbench.app.widgets.text import escaped
from workbench.engine import Workspace
from workbench.storage.collections import CollectionRecord
from workbench.tuning import formats_for, kept_items, write_examples
from workbench.tuning.formats import usual_format
from workbench.tuning.formats.registry import registry


def export_view(ws: Workspace, record: CollectionRecord) -> None:
    """A download a format; made when clicked."""
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
    for name in formats_for(record.task):
        with st.container(border=True, horizontal=True, vertical_alignment="center"):
            st.download_button(
                name,
                data=partial(_written, ws, record, name, extra),
                file_name=f"{record.name}-{name}.jsonl",
                mime="application/jsonl",
                icon=":material/download:",
                key=f"collection format {name}",
                on_click="ignore",
            )
            st.markdown(escaped(registry.get(name).description), width="content")
    usual = usual_format(record.task)
    st.markdown("The same in a terminal:")
    st.code(
        f"workbench export collection {record.name} --format {usual} -o {record.name}.jsonl",
        language=None,
        wrap_lines=True,
    )
    version = ws.store.collections.version(record.id)
    st.caption(
        f"What it teaches now is named {version[:12]}: a hash over {count(kept)} items in their order."
    )


def _written(ws: Workspace, record: CollectionRecord, name: str, extra: bool) -> bytes:
    return write_examples(kept_items(ws, record.id), name, record.task, extra=extra)
