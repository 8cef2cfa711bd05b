"""What the Prompts page shows of a judge: its rubric, the texts that it is tried on, its verdict."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st

from workbench.app.widgets.fields import many_lines
from workbench.app.widgets.numbers import seconds
from workbench.app.widgets.row_picker import Picked
from workbench.app.widgets.stream import Heard
from workbench.app.widgets.text import escaped, short
from workbench.core.document import parse, to_yaml
from workbench.core.prompt import AnyPrompt, Prompt
from workbench.errors import InvalidFile
from workbench.prompting import read_verdict

PLACEHOLDER = """kind: score
scale: [1, 5]
levels:
  1: Wrong.
  5: Right and clear."""


def rubric_field(value: Any, key: str) -> Any:
    """A rubric as YAML, which is given back as it was while it cannot be read."""
    text = many_lines(
        "Rubric",
        to_yaml(value).rstrip() if value else "",
        f"{key} rubric",
        placeholder=PLACEHOLDER,
        help="kind: score, checklist (with questions) or pairwise. Empty: the prompt is no judge.",
    )
    try:
        content, _ = parse(text, "rubric")
    except InvalidFile as problem:
        st.error(escaped(f"{problem} The rubric stays as it was."))
        return value
    return content


def texts_to_judge(name: str, prompt: AnyPrompt | None, picked: Picked) -> tuple[str, ...]:
    """Shows fields for the texts that a judge is tried on; nothing for a prompt that is none."""
    if not isinstance(prompt, Prompt) or prompt.rubric is None:
        return ()
    right = f"The answer is {picked.reference}." if picked.reference else "An answer."
    shown = [("The text to judge", right)]
    if prompt.rubric.kind == "pairwise":
        shown = [("Text A", right), ("Text B", "I do not know.")]
    texts = []
    for (label, start), column in zip(shown, st.columns(len(shown)), strict=True):
        with column:
            texts.append(many_lines(label, start, f"judged {name} {label} {picked.row.get('id')}"))
    return tuple(texts)


def verdict_line(prompt: Prompt, heard: Heard, texts: Sequence[str]) -> str:
    """One Markdown line: the verdict that was read, or why there is none, and how long it took."""
    found = read_verdict(prompt, heard.text, texts)
    took = f"{seconds(heard.first_s)} to the first word, {seconds(heard.all_s)} in all"
    if found.score is None or prompt.rubric is None:
        return f":orange-badge[no verdict] {escaped(short(found.reason, 200))} · {took}"
    if prompt.rubric.kind == "pairwise":
        words = {1.0: "A is better", 0.0: "B is better", 0.5: "a tie"}[found.score]
        return f":blue-badge[{words}] in this order · {took}"
    low, high = prompt.rubric.range
    return f":blue-badge[score {found.score:.3g}] on {low:g} to {high:g} · {took}"
