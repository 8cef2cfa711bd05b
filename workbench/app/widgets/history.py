"""A prompt's versions: who, when, what changed word by word, and a way back."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from workbench.app import state
from workbench.app.widgets.controls import choose
from workbench.app.widgets.drafting import Draft
from workbench.app.widgets.empty import empty
from workbench.app.widgets.numbers import ago
from workbench.app.widgets.said import say_next
from workbench.app.widgets.text import marked
from workbench.engine import Workspace
from workbench.prompting import Version, word_diff

NOW = "what is being edited"


def history(ws: Workspace, draft: Draft) -> None:
    """Two pickers, the differences between what they name, and a button to restore."""
    versions = ws.prompts.history(draft.name)
    if not versions:
        empty("No version is recorded yet.", "Save the prompt once; every save is kept here.")
        return
    labels = version_labels(versions)
    last = len(versions)
    texts = {str(last - place): version.text for place, version in enumerate(versions)} | {NOW: draft.text}
    left, right, button = st.columns([3, 3, 1.4], vertical_alignment="bottom")
    with left:
        older = choose("From", list(labels), state.VERSION, str(max(1, last - 1)), shown=lambda k: labels[k])
    with right:
        newer = choose("To", [NOW, *labels], state.AGAINST, NOW, shown=lambda k: labels.get(k, k))
    with button:
        if st.button(
            "Restore the first",
            icon=":material/undo:",
            width="stretch",
            help="Puts it into the editor, unsaved",
        ):
            say_next("Restored into the editor; save it to make it the newest version.")
            state.put(view=None, version=None, against=None)
            draft.write(texts[older or "1"])
    before, after = texts[older or "1"], texts[newer or NOW]
    if before == after:
        st.caption("These two are the same.")
    with st.container(border=True):
        st.markdown(marked(word_diff(before, after)))
    st.caption(
        f"{len(versions)} versions. Struck out on red: only in the first. Bold on green: only in the second."
    )


def version_labels(versions: Sequence[Version]) -> dict[str, str]:
    """Number of the version (1 is the oldest) → words that no other version has."""
    last = len(versions)
    return {
        str(last - place): f"{last - place}. {ago(version.created_at)}, {version.version[:8]}"
        + (f", {version.author}" if version.author else "")
        + (" (newest)" if place == 0 else "")
        for place, version in enumerate(versions)
    }
