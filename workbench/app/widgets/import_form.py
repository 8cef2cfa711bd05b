"""Importing a file: see its first rows, say what the columns mean, then take all of it or nothing."""

from __future__ import annotations

from typing import Any

import streamlit as st

from workbench.app import state
from workbench.app.pages import go
from workbench.app.widgets.errors import explained
from workbench.app.widgets.numbers import many
from workbench.app.widgets.text import escaped, short
from workbench.core.dataset import guess_reference
from workbench.engine import Workspace

ENDINGS = ("csv", "tsv", "jsonl", "json", "parquet", "xlsx", "xls")
NONE = "none"
EXISTS = {
    "error": "is an error",
    "replace": "is replaced (the old one can be brought back)",
    "add_split": "gets one more split",
}


def import_form(ws: Workspace) -> None:
    """The whole way from a file to a dataset."""
    from workbench.datasets.read import preview

    file = st.file_uploader(
        "A table: CSV, TSV, JSONL, JSON, Parquet or Excel, up to 200 MB",
        type=list(ENDINGS),
        key="import file",
    )
    if file is None:
        st.caption("One row a case; a column for what is asked, and best a column for the right answer.")
        return
    with explained("reading the file"):
        content = file.getvalue()
        table = preview(content, 20, file.name)
        for note in table.notes:
            st.caption(escaped(note))
        st.dataframe(table.frame().astype(str), hide_index=True, height=220, alt="The first rows of the file")
        _choices(ws, content, file.name, list(table.columns))


def _choices(ws: Workspace, content: bytes, filename: str, columns: list[str]) -> None:
    plain = "".join(c if c.isalnum() or c in "._-" else "-" for c in filename.rsplit(".", 1)[0]).strip("-._")
    with st.form("import", border=False):
        name_column, split_column, exists_column = st.columns([2, 1, 2])
        name = name_column.text_input("Name", value=plain[:100] or "imported", key=f"import name {filename}")
        split = split_column.text_input("Split", value="test", key="import split")
        exists = exists_column.selectbox(
            "A dataset of that name", list(EXISTS), format_func=lambda key: EXISTS[key], key="import exists"
        )
        st.markdown("**Columns** — rename them to what your prompts call them, as in `{{ question }}`.")
        mapping = {}
        for start in range(0, len(columns), 4):
            for column, place in zip(columns[start : start + 4], st.columns(4), strict=False):
                new = place.text_input(
                    escaped(short(column, 40)), value=column, key=f"import column {filename} {column}"
                )
                if new.strip() and new.strip() != column:
                    mapping[new.strip()] = column
        guess = guess_reference(columns)
        right, marker = st.columns(2)
        reference = right.selectbox(
            "The right answer stands in",
            [NONE, *columns],
            index=columns.index(guess) + 1 if guess else 0,
            key=f"import reference {filename}",
        )
        after = marker.text_input(
            "after the marker (optional)", placeholder="####", key=f"import after {filename}"
        )
        if st.form_submit_button("Import", type="primary", icon=":material/upload:"):
            chosen = None if reference == NONE else reference
            _import(ws, content, filename, name.strip(), split.strip(), exists, mapping, chosen, after)


def _import(
    ws: Workspace,
    content: bytes,
    filename: str,
    name: str,
    split: str,
    exists: Any,
    mapping: dict[str, str],
    reference: str | None,
    after: str,
) -> None:
    from workbench.datasets.importing import import_dataset

    with explained("importing the file"), st.spinner("Reading every row …"):
        done = import_dataset(
            ws.datasets,
            content,
            name,
            split=split,
            mapping=mapping,
            reference=reference,
            reference_after=after or None,
            on_exists=exists,
            filename=filename,
        )
        right = (
            f"the right answer is in '{done.reference}'" if done.reference else "no column holds the answer"
        )
        notes = "  \n".join(escaped(note) for note in done.notes)
        st.session_state[state.SAID] = (
            f"Imported {many(done.rows, 'row')} into {escaped(name)}; {escaped(right)}.  \n{notes}"
        )
        go("datasets", dataset=name, split=split)
