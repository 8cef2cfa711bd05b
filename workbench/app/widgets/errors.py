"""Errors as one sentence with the remedy; the rest goes to the log."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from workbench.app.widgets.text import escaped
from workbench.errors import InvalidFile, WorkbenchError

log = logging.getLogger(__name__)


@contextmanager
def explained(doing: str = "showing this page") -> Iterator[None]:
    """Shows what goes wrong inside as a sentence, and goes on after the block.

    Args:
        doing: what was being done, as in "Something went wrong while …".
    """
    try:
        yield
    except WorkbenchError as error:
        say(error)
    except Exception:
        log.exception("while %s", doing)
        st.error(
            f"Something went wrong while {doing}. Reload the page; if it happens again, the terminal "
            "that runs the app shows the details.",
            icon=":material/error:",
        )


def say(error: WorkbenchError) -> None:
    """Shows one error of ours."""
    st.error(escaped(str(error)), icon=":material/error:")


def broken_files(files: list[InvalidFile]) -> None:
    """Files that cannot be read, each with its place and remedy; the others work on."""
    if not files:
        return
    word = "file" if len(files) == 1 else "files"
    with st.container(border=True):
        st.markdown(f"**⚠️ {len(files)} {word} cannot be used yet** — everything else works.")
        for file in files:
            where = f"{file.file or 'a file'}" + (f", line {file.line}" if file.line else "")
            key = f" — key {file.key}" if file.key else ""
            st.markdown(f"- **{escaped(where)}**{escaped(key)}: {escaped(file.problem)}")
