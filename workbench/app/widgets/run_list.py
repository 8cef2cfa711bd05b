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


def run_list(found: Sequence[Any], key: str) -> None:
    """Newest first; a live run links to its progress, others to their comparison."""
    with st.container(border=True, key=f"{key} runs"):
        for run in found:
            name, status, size, when, action = st.columns([3, 2, 4, 2, 2], vertical_alignment="center")
            name.markdown(f"**{escaped(short(run.experiment, 40))}**")
            status.markdown(STATUS.get(run.status, escaped(run.status)))
            words = f"{many(run.cells, 'cell')} over {escaped(short(run.dataset, 30))}, {count(run.done)} of {count(run.total)}"
            if run.errors:
                words += f", {many(run.errors, 'error')}"
            size.markdown(words)
            when.markdown(
                f"{ago(run.created_at)}, {seconds(run.seconds)}" if run.seconds else ago(run.created_at)
            )
            with action:
                if run.status in LIVE:
                    link("run", "Watch", "⏱️", run=run.id)
                elif run.done:
                    link("compare", "Compare", "⚖️", run=run.id)
                else:
                    link("run", "Open", "⏱️", run=run.id)
