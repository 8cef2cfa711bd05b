"""Chat messages and outputs, shown word for word."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st

from workbench.app.widgets.numbers import score, seconds
from workbench.app.widgets.text import escaped, escaped_lines, short
from workbench.core.model import ChatMessage

LONGEST_VOTE = 1_500  # characters
ROLES = {"system": ":gray-badge[system]", "user": ":blue-badge[user]", "assistant": ":green-badge[assistant]"}


def messages_view(messages: Sequence[ChatMessage]) -> None:
    """What the model will be sent, in order."""
    for message in messages:
        st.markdown(ROLES.get(message["role"], ":gray-badge[other]"))
        st.text(message["content"] or " ")


def output_line(output: Any) -> str:
    """One Markdown line about an output: its answer, scores and what it took."""
    if output.error:
        return f":red-badge[error] {escaped(short(output.error, 300))}"
    parts = [answer_badge(output.answer)]
    parts += [_score(name, value) for name, value in (output.scores or {}).items()]
    parts.append(f"{output.completion_tokens} tokens, {seconds(output.latency_s)}")
    return " · ".join(parts)


def _score(name: str, value: float | None) -> str:
    return f"{escaped(short(name, 60))} {'unscored' if value is None else score(value)}"


def answer_badge(answer: str | None) -> str:
    """The answer that was read, or that none was found, which is not the same as a wrong one."""
    return "**no answer found**" if answer is None else f"answer **{escaped(short(answer, 80)) or 'empty'}**"


def votes_view(votes: Sequence[Any]) -> None:
    """What each voice of an ensemble said, after the tally; one element, as there can be many."""
    counts: dict[str, float] = {}
    for vote in votes:
        counts[vote.answer or ""] = counts.get(vote.answer or "", 0.0) + vote.weight
    tally = sorted(counts.items(), key=lambda item: -item[1])
    parts = [
        " · ".join(
            f"**{escaped(short(answer, 40)) if answer else 'no answer'}** × {weight:g}"
            for answer, weight in tally
        )
    ]
    for vote in votes:
        sample = f", sample {vote.sample + 1}" if vote.sample else ""
        parts.append(f"**{escaped(vote.prompt)}{sample}**: {answer_badge(vote.answer)}")
        parts.append(escaped_lines(vote.text[:LONGEST_VOTE]))
    st.markdown("\n\n".join(parts))
