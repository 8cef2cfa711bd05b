"""Runs as lines: what ran, how far it came, and a link to see it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st

from workbench.app.pages import link
from workbench.app.widgets.numbers import ago, count, many, seconds
from workbench.app.widgets.progress_panel import STATUS
from workbench.app.widgets.text import escaped, short
from workbench.core.run import LIVE


def run_list(found: Sequence[Any], key: str, narrow: bool = False) -> None:
    """Newest first; a live run links to its progress, others to their comparison."""
    widths = [2.2, 2.6, 2.8] if narrow else [3, 2, 4, 2, 2]
    with st.container(border=True, key=f"{key} runs"):
        for run in found:
            cells = list(st.columns(widths, vertical_alignment="center"))
            when = ago(run.created_at)
            if run.seconds and not narrow:
                when += f", {seconds(run.seconds)}"
            if narrow:
                cells[0].markdown(when)
            else:
                cells[0].markdown(f"**{escaped(short(run.experiment, 40))}**")
                cells[2].markdown(_size(run))
                cells[3].markdown(when)
            cells[1].markdown(STATUS.get(run.status, escaped(run.status)))
            with cells[-1]:
                if run.status in LIVE:
                    link("run", "Watch", ":material/timer:", run=run.id)
                elif run.done:
                    link("compare", "Compare", ":material/balance:", run=run.id)
                else:
                    link("run", "Open", ":material/timer:", run=run.id)


def _size(run: Any) -> str:
    words = f"{many(run.cells, 'cell')} over {escaped(short(run.dataset, 30))}"
    words += f", {count(run.done)} of {count(run.total)}"
    return words + (f", {many(run.errors, 'error')}" if run.errors else "")


def run_label(run: Any) -> str:
    """A run in words that no other run has, for a select box."""
    return f"{run.experiment} · {run.created_at:%d %b %H:%M} UTC · {run.status} · {run.id[-6:]}"
