"""What a run will take, before it starts: calls, tokens, cost."""

from __future__ import annotations

import streamlit as st

from workbench.app.widgets.numbers import count, dollars
from workbench.app.widgets.text import escaped
from workbench.core.experiment import Experiment
from workbench.engine import Workspace, estimate, make_plan


def estimate_panel(ws: Workspace, experiment: Experiment) -> bool:
    """Shows the estimate; False where the experiment cannot run (the error was raised)."""
    with st.spinner("Counting calls and tokens …"):
        plan = make_plan(ws, experiment)
        found = estimate(ws, plan)
    st.markdown(
        f"**{count(len(plan.cells))} cells** × {count(len(plan.dataset.rows))} rows"
        + (f" × {experiment.repeats} repeats" if experiment.repeats > 1 else "")
    )
    calls, cached = st.columns(2)
    tokens, cost = st.columns(2)
    calls.metric("Calls", count(found.calls))
    cached.metric("Already cached", count(found.cached_calls), help="Answered before; they cost nothing now.")
    tokens.metric(
        "Tokens, at most",
        count(found.prompt_tokens + found.completion_tokens_max),
        help=f"{count(found.prompt_tokens)} in prompts, the rest in answers at their longest.",
    )
    cost.metric("Cost, at most", dollars(found.cost_usd_max))
    if found.detectable is not None:
        st.markdown(escaped(found.detectable.sentence))
    for note in found.notes:
        st.caption(escaped(note))
    with st.expander(f"The {len(plan.cells)} cells"):
        for cell in plan.cells[:60]:
            st.text(cell.label)
        if len(plan.cells) > 60:
            st.caption(f"and {len(plan.cells) - 60} more")
    return True
