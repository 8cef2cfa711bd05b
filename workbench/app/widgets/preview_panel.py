"""What a draft really sends for one row: its messages, their tokens against the context, lint notes."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from workbench.app.widgets.errors import explained
from workbench.app.widgets.messages import messages_view
from workbench.app.widgets.numbers import count, many
from workbench.app.widgets.row_picker import Picked
from workbench.app.widgets.text import escaped
from workbench.core.prompt import DEFAULT_SAMPLING, AnyPrompt, Ensemble
from workbench.engine import Workspace, count_tokens, model_context, preview_messages
from workbench.prompting import lint

SIGNS = {"error": ":red-badge[error]", "warning": ":orange-badge[warning]", "hint": ":blue-badge[hint]"}


def preview_panel(
    ws: Workspace, prompt: AnyPrompt, picked: Picked, model: str, texts: Sequence[str] = ()
) -> None:
    """Messages of a prompt, of a judge those about `texts`; of an ensemble, those of each member."""
    if isinstance(prompt, Ensemble):
        for member in prompt.members:
            times = f", {member.samples} samples" if member.samples > 1 else ""
            with st.expander(escaped(f"{member.prompt}{times}")), explained("rendering a member"):
                inner = ws.prompts.get(member.prompt)
                if isinstance(inner, Ensemble):
                    st.caption("This member is an ensemble itself.")
                else:
                    messages_view(preview_messages(ws, inner, picked.dataset, picked.row))
        return
    messages = preview_messages(ws, prompt, picked.dataset, picked.row, texts)
    with explained("counting tokens"):
        tokens = count_tokens(ws, model, messages)
        most = prompt.sampling.max_tokens or DEFAULT_SAMPLING.max_tokens or 0
        context = model_context(ws, model)
        if context:
            words = f"{many(tokens, 'token')} + up to {count(most)} for the answer, of {count(context)}"
            st.progress(min(1.0, (tokens + most) / context), text=words)
            if tokens + most > context:
                st.warning(
                    "The prompt and its longest answer do not fit the model's context; "
                    "take fewer examples or a lower limit of tokens.",
                    icon=":material/warning:",
                )
        else:
            st.caption(f"{many(tokens, 'token')}, estimated; this model does not tell its context.")
    with st.container(border=True, height=420 if len(messages) > 3 else "content"):
        messages_view(messages)


def lint_notes(ws: Workspace, prompt: AnyPrompt, picked: Picked, model: str) -> None:
    """What a prompt engineer would want to hear before a run, the gravest first."""
    notes = lint(
        prompt,
        columns=picked.dataset.columns,
        library=ws.prompts,
        count_tokens=lambda messages: count_tokens(ws, model, messages),
        context=model_context(ws, model),
        row=picked.row,
    )
    if not notes:
        st.caption("✓ Nothing to mend.")
    for note in notes:
        place = f" — {escaped(note.where)}" if note.where else ""
        st.markdown(f"{SIGNS[note.level]} {escaped(note.message)}{place}")
