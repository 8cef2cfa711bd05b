"""The figures of a verdict as tables: base beside tuned, what both take, what was forgotten, what else."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import streamlit as st

from workbench.app.widgets.model_facts import size
from workbench.app.widgets.numbers import count, dollars, seconds
from workbench.app.widgets.text import escaped, short
from workbench.app.widgets.tune_words import badge, is_share
from workbench.app.widgets.verdict_words import gap_words, level, p_words, rows_needed
from workbench.core.run import Gap
from workbench.tuning import TuningVerdict
from workbench.tuning.verdict.records import Level, ModelTakes


def sides_table(
    name: str,
    lines: Sequence[tuple[str, Level, Level, Gap]],
    alt: str,
    share: bool | None = None,
    said: Callable[[Gap], str] | None = None,
) -> None:
    """One line a comparison: base, tuned, difference, p, and the verdict, or what `said` makes of it."""
    columns: dict[str, list[str]] = {
        name: [],
        "Base": [],
        "Tuned": [],
        "Difference": [],
        "Verdict": [],
    }
    for label, base, tuned, gap in lines:
        shares = is_share(base.mean, tuned.mean) if share is None else share
        columns[name].append(f"**{escaped(short(label, 60))}**")
        columns["Base"].append(escaped(level(base, shares)))
        columns["Tuned"].append(escaped(level(tuned, shares)))
        columns["Difference"].append(escaped(gap_words(gap, shares)))
        verdict = badge(gap.verdict) if said is None else escaped(said(gap))
        columns["Verdict"].append(f"{verdict} p\u00a0{escaped(p_words(gap))}")
    st.table(columns, border="horizontal", hide_index=True, alt=alt)
    if said is None:
        _more_rows([(label, gap) for label, _, _, gap in lines])


def _more_rows(lines: Sequence[tuple[str, Gap]]) -> None:
    """How many rows would tell what is undecided."""
    told = [f"{label}: {rows}" for label, gap in lines if (rows := rows_needed(gap))]
    if told:
        st.caption(escaped(f"Undecided, and about so many more rows would tell: {'; '.join(told)}."))


def takes_table(found: TuningVerdict) -> None:
    """Cost, speed and size of both models for the same prompt."""
    if not found.takes:
        return
    names: dict[str, list[str]] = {"": []}
    for one in found.takes:
        names[escaped(short(one.model, 50))] = []
    for label, say in TAKES.items():
        values = [say(one) for one in found.takes]
        if all(value == "–" for value in values):
            continue
        names[""].append(f"**{label}**")
        for one, value in zip(found.takes, values, strict=True):
            names[escaped(short(one.model, 50))].append(escaped(value))
    st.table(names, border="horizontal", hide_index=True, alt="Cost, speed and size, base and tuned")


def _tokens(one: ModelTakes) -> str:
    return f"{one.completion_tokens / max(1, one.outputs):.0f}"


TAKES = {
    "Cost": lambda one: dollars(one.cost_usd),
    "Seconds an answer, median": lambda one: seconds(one.latency_p50_s),
    "Seconds an answer, 95 %": lambda one: seconds(one.latency_p95_s),
    "Tokens an answer": _tokens,
    "Tokens a second": lambda one: "–" if one.tokens_per_s is None else count(round(one.tokens_per_s)),
    "Outputs without an answer": lambda one: f"{count(one.unanswered)} of {count(one.outputs)}",
    "Errors": lambda one: count(one.errors),
    "Memory at most": lambda one: "–" if one.memory_bytes is None else size(one.memory_bytes),
    "On disk": lambda one: "–" if one.disk_bytes is None else size(one.disk_bytes),
}
