"""Saving a prompt as a new version, throwing a draft away, copying, deleting with undo."""

from __future__ import annotations

import streamlit as st

from workbench.app import state
from workbench.app.widgets.drafting import Draft
from workbench.app.widgets.errors import explained
from workbench.app.widgets.new_file import duplicate
from workbench.app.widgets.said import say_next
from workbench.app.widgets.text import escaped
from workbench.app.widgets.undo import offer_undo
from workbench.core.prompt import AnyPrompt
from workbench.engine import Workspace
from workbench.errors import InvalidFile
from workbench.prompting import read_prompt


def prompt_actions(ws: Workspace, draft: Draft, prompt: AnyPrompt | None) -> None:
    """One row of buttons; what is not saved is said in words."""
    with st.container(horizontal=True, vertical_alignment="center"):
        if st.button(
            "Save", type="primary", icon=":material/save:", disabled=not draft.changed, key="prompt save"
        ):
            with explained("saving the prompt"):
                save(ws, draft, prompt)
        if draft.changed and st.button("Discard", key="prompt discard", help="Back to what is in the file"):
            draft.discard()
            st.rerun()
        duplicate(ws, "prompt", draft)
        if st.button("Delete", icon=":material/delete:", key="prompt delete"):
            with explained("deleting the prompt"):
                ws.prompts.delete(draft.name)
                draft.discard()
                offer_undo(f"prompt {draft.name}", lambda: _put_back(ws, draft))
                state.remember(state.PROMPT, None)
                st.rerun()
        st.caption("Not saved yet." if draft.changed else "Saved.")


def save(ws: Workspace, draft: Draft, prompt: AnyPrompt | None) -> None:
    """Writes the file and a version; the draft stays as it is when it is not valid."""
    prompt = prompt or read_prompt(draft.text, draft.shown)
    if prompt.name != draft.name:
        raise InvalidFile(
            f"the name must be the file's name, '{draft.name}'; use Duplicate to save under another.",
            draft.shown,
            key="name",
        )
    ws.prompts.save(prompt, text=draft.text)
    draft.discard()
    say_next(f"Saved prompts/{escaped(draft.name)}\\.yaml as a new version\\.")
    st.rerun()


def _put_back(ws: Workspace, draft: Draft) -> None:
    ws.prompts.save(read_prompt(draft.saved, draft.shown), text=draft.saved)
