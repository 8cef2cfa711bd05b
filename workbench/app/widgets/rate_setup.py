"""Setting up a rating: in which way, of which outputs, by how many. Not a blind screen: it can name cells."""

from __future__ import annotations

from typing import Any

import streamlit as st

from workbench.app import state
from workbench.app.widgets.text import escaped
from workbench.app.workspace import cells_of
from workbench.core.document import validate
from workbench.core.rating import Criterion, Mode, RatingPlan
from workbench.engine import Workspace, start_rating

MODES: dict[Mode, tuple[str, str]] = {
    "pairwise": ("Pairs", "Which of two outputs is better? The surest way to a ranking."),
    "likert": ("Grades", "Each output on criteria of your own, such as from 1 to 5."),
    "thumbs": ("Thumbs", "Each output is good or bad."),
}


def plan_in_words(plan: RatingPlan) -> str:
    """One line on how a run is rated, as Markdown, without the names of its cells."""
    said = MODES[plan.mode][0]
    if plan.mode == "likert":
        names = ", ".join(criterion.name for criterion in plan.criteria)
        said += f" from 1 to {plan.scale} on {names}"
    if plan.cells:
        said += f", {len(plan.cells)} of the cells"
    if plan.rows is not None:
        said += f", at most {plan.rows:,} rows"
    said += ", each item by one rater" if plan.overlap == 1 else f", each item by {plan.overlap} raters"
    return escaped(said)


def set_up(ws: Workspace, run: str, plan: RatingPlan) -> bool:
    """The choices, beginning with `plan`; True when they have just been kept."""
    cells = cells_of(ws, run)
    modes = [mode for mode in MODES if mode != "pairwise" or len(cells) > 1]
    if len(cells) == 1:
        st.caption("This run has one cell, and pairs need two: its outputs can be scored or get a thumb.")
    key = f"{state.RATE}setup {run} "
    mode = st.radio(
        "How",
        modes,
        index=modes.index(plan.mode) if plan.mode in modes else 0,
        format_func=lambda name: MODES[name][0],
        captions=[MODES[name][1] for name in modes],
        key=key + "mode",
    )
    content: dict[str, Any] = {"mode": mode, "seed": plan.seed, "again_share": plan.again_share}
    if mode == "likert":
        content |= _grades(plan, key)
    left, right = st.columns(2)
    with left:
        content["overlap"] = st.number_input(
            "Raters for each item",
            1,
            100,
            plan.overlap,
            key=key + "overlap",
            help="2 or more show agreement.",
        )
    with right:
        content["rows"] = st.number_input(
            "At most this many rows", 1, None, plan.rows, key=key + "rows", placeholder="all"
        )
    if mode == "pairwise":
        share = st.slider(
            "Pairs drawn at random, %",
            0,
            100,
            round(100 * plan.random_share),
            5,
            key=key + "share",
            help="The others are those that tell most. Some chance keeps the estimate honest.",
        )
        content["random_share"] = share / 100
    content["cells"] = plan.cells
    if len(cells) > 2 and st.toggle(
        "Only some cells (this shows their names)", key=key + "some", help="Who rates should not look here."
    ):
        names = {cell.index: cell.label for cell in cells}
        content["cells"] = st.multiselect(
            "Cells",
            list(names),
            [cell for cell in plan.cells if cell in names],
            format_func=lambda index: names[index],
            key=key + "cells",
            placeholder="all",
        )
    if st.button("Keep these choices", type="primary", key=key + "keep"):
        start_rating(ws, run, validate(RatingPlan, content))
        return True
    return False


def _grades(plan: RatingPlan, key: str) -> dict[str, Any]:
    """The criteria, a line each, and how far the scale goes."""
    text = "\n".join(
        f"{criterion.name}: {criterion.description}" if criterion.description else criterion.name
        for criterion in plan.criteria
    )
    words = st.text_area(
        "Criteria, one a line",
        value=text,
        key=key + "criteria",
        placeholder="helpful: does it answer the question?\nclear",
    )
    scale = st.number_input("Highest grade", 2, 9, plan.scale, key=key + "scale")
    return {"criteria": read_criteria(words or ""), "scale": scale}


def read_criteria(text: str) -> list[Criterion]:
    """`helpful: does it answer?` a line, as criteria. Raises InvalidFile for a name that is none."""
    found = []
    for line in text.splitlines():
        name, _, about = line.partition(":")
        if line.strip():
            found.append(validate(Criterion, {"name": name.strip(), "description": about.strip()}))
    return found
