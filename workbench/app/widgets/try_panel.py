"""Trying a draft: on one row or five, with the text streaming in; results stay until the next try."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st

from workbench.app import state
from workbench.app.widgets.errors import explained
from workbench.app.widgets.judge_parts import verdict_line
from workbench.app.widgets.messages import answer_badge, output_line, votes_view
from workbench.app.widgets.numbers import seconds
from workbench.app.widgets.row_picker import Picked
from workbench.app.widgets.stream import Heard, streamed
from workbench.app.widgets.text import escaped, short
from workbench.core.prompt import AnyPrompt, Prompt
from workbench.engine import Workspace, stream_prompt, try_prompt
from workbench.prompting import read_answer, read_reference


@dataclass(frozen=True)
class Tried:
    """One result of trying: the row it was tried on, a line about it, its text, its votes."""

    asked: str
    line: str
    text: str
    votes: tuple[Any, ...] = ()


def try_panel(
    ws: Workspace,
    name: str,
    prompt: AnyPrompt | None,
    picked: Picked,
    model: str,
    texts: Sequence[str] = (),
) -> None:
    """Two buttons and what they gave; `texts` are what a judge is tried on."""
    one, five = st.columns(2)
    single = one.button(
        "Try on this row",
        type="primary",
        icon=":material/play_arrow:",
        disabled=prompt is None,
        key="try one",
        width="stretch",
    )
    several = five.button(
        "Try on five rows",
        icon=":material/fast_forward:",
        disabled=prompt is None,
        key="try five",
        width="stretch",
    )
    held = f"{state.TRIED}{name}"
    if prompt is not None and (single or several):
        st.session_state[held] = []
        rows = picked.following(5 if several else 1)
        with explained("trying the prompt"):
            if isinstance(prompt, Prompt):
                for row in rows:
                    _stream(ws, prompt, model, picked, row, held, texts)
            else:
                with st.spinner("Asking every member …"):
                    outputs = try_prompt(ws, prompt, model, picked.dataset, rows)
                for row, output in zip(rows, outputs, strict=True):
                    kept = Tried(asked_of(row), output_line(output), output.text, output.votes)
                    st.session_state[held].append(kept)
                    show_tried(kept)
    else:
        for kept in st.session_state.get(held, []):
            show_tried(kept)


def _stream(
    ws: Workspace,
    prompt: Prompt,
    model: str,
    picked: Picked,
    row: dict[str, Any],
    held: str,
    texts: Sequence[str],
) -> None:
    with st.container(border=True):
        st.caption(escaped(asked_of(row)))
        line, place = st.empty(), st.empty()
        line.markdown("…")
        heard = streamed(stream_prompt(ws, prompt, model, picked.dataset, row, judged=texts), place)
        if prompt.rubric is None:
            said = judged(prompt, heard, row, picked.dataset.reference)
        else:
            said = verdict_line(prompt, heard, texts)
        line.markdown(said)
    st.session_state[held].append(Tried(asked_of(row), said, heard.text))


def show_tried(tried: Tried) -> None:
    """One kept result."""
    with st.container(border=True):
        st.caption(escaped(tried.asked))
        st.markdown(tried.line)
        st.text(tried.text or "(the model answered nothing)")
        if tried.votes:
            with st.expander(f"{len(tried.votes)} votes"):
                votes_view(tried.votes)


def judged(prompt: Prompt, heard: Heard, row: dict[str, Any], column: str | None) -> str:
    """One Markdown line: the answer that was read, whether it is right, how long it took."""
    answer = read_answer(prompt.answer, heard.text)
    parts = [answer_badge(answer)]
    expected = row.get(column or "")
    if expected is not None and answer is not None:
        right = read_reference(prompt.answer, expected) == answer
        parts.append(
            ":green-badge[✓ right]"
            if right
            else f":red-badge[✗ expected] {escaped(short(str(expected), 60))}"
        )
    parts.append(f"{seconds(heard.first_s)} to the first word, {seconds(heard.all_s)} in all")
    return " · ".join(parts)


def asked_of(row: dict[str, Any]) -> str:
    """The row in one line: its first text."""
    value = next((str(value) for key, value in row.items() if key != "id" and value), "")
    return f"{row.get('id', '')}: {short(value, 100)}"


def models_offered(ws: Workspace) -> Sequence[str]:
    """Models to try on, the local ones also quantized."""
    names = []
    for spec in ws.models.specs():
        names.append(spec.name)
        if spec.provider == "transformers" and spec.quantization is None:
            names.append(f"{spec.name}@int8")
    return names
