"""How far a run is: a bar with rate and time left, the newest outputs, and what can be done."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st

from workbench.app.widgets.messages import answer_badge
from workbench.app.widgets.numbers import count, dollars, many, seconds
from workbench.app.widgets.text import escaped, short
from workbench.core.run import LIVE, Cell, Progress

STATUS = {
    "queued": ":blue-badge[◌ waiting for the worker]",
    "running": ":blue-badge[● running]",
    "completed": ":green-badge[✓ completed]",
    "cancelled": ":orange-badge[■ cancelled]",
    "failed": ":red-badge[✕ failed]",
    "interrupted": ":orange-badge[‖ interrupted]",
}


def progress_bar(now: Progress) -> None:
    """The bar, with numbers in words."""
    share = now.done / now.total if now.total else 0.0
    words = f"{count(now.done)} of {many(now.total, 'output')}"
    if now.status in LIVE and now.per_second:
        words += f" · {now.per_second:.1f} a second · {seconds(now.seconds_left)} left"
    elif now.status not in LIVE:
        words += f" · took {seconds(now.seconds)}"
    st.progress(min(1.0, share), text=words)
    facts = [
        STATUS.get(now.status, escaped(now.status)),
        f"{many(now.calls, 'call')}, {count(now.cached)} from the cache",
    ]
    if now.errors:
        facts.append(f":red-badge[{many(now.errors, 'error')}]")
    if now.cost_usd:
        facts.append(escaped(dollars(now.cost_usd)))
    st.markdown(" · ".join(facts))
    if now.message:
        st.caption(escaped(short(now.message, 400)))


def newest_outputs(outputs: Sequence[Any], cells: Sequence[Cell]) -> None:
    """The outputs that arrived last, newest first."""
    labels = {cell.index: cell.label for cell in cells}
    for output in outputs:
        with st.container(border=True):
            label = escaped(labels.get(output.cell, f"cell {output.cell}"))
            read = ":red-badge[error]" if output.error else answer_badge(output.answer)
            st.markdown(f"**{label}** · row {escaped(short(output.row_id, 40))} · {read}")
            st.text(short(output.error or output.text, 240) or " ")
