"""Ratings: what people said of a run's outputs, how far they agree, and which metrics see it as they do."""

from collections.abc import Callable

import streamlit as st

from workbench.app import state
from workbench.app.pages import link
from workbench.app.widgets.against_view import against_view
from workbench.app.widgets.agreement_view import agreement_view
from workbench.app.widgets.controls import choose, segments
from workbench.app.widgets.corrections_view import corrections_view
from workbench.app.widgets.empty import empty
from workbench.app.widgets.errors import explained
from workbench.app.widgets.leaderboard_view import leaderboard_view
from workbench.app.widgets.numbers import many
from workbench.app.widgets.rating_downloads import rating_downloads
from workbench.app.widgets.ratings_cached import cached_leaderboard
from workbench.app.widgets.run_list import run_label
from workbench.app.workspace import current_run, workspace
from workbench.engine import Workspace, runs

VIEWS: dict[str, tuple[str, Callable[[Workspace, str], None]]] = {
    "leaderboard": ("Leaderboard", leaderboard_view),
    "agreement": ("Agreement", agreement_view),
    "metrics": ("Metrics against people", against_view),
    "corrections": ("Corrections", corrections_view),
}
"""A view's name in the URL → its words and what draws it."""


def choose_run(ws: Workspace, run_id: str) -> str:
    """Which run, and a way to rate it."""
    found = {run.id: run_label(run) for run in runs(ws, limit=50)}
    options = list(found) if run_id in found else [run_id, *found]
    with st.container(horizontal=True, vertical_alignment="bottom"):
        clears = (state.PAGE, state.SLICE)
        chosen = choose("Run", options, state.RUN, run_id, clears, shown=lambda run: found.get(run, run))
        link("rate", "Rate outputs", ":material/how_to_vote:", run=chosen)
    return chosen or run_id


def show() -> None:
    ws = workspace()
    run_id = current_run(ws)
    st.title("Ratings")
    if run_id is None:
        empty("Nothing to rate yet.", "Run an experiment first.", "home", "Go to Home")
        return
    run_id = choose_run(ws, run_id)
    if not ws.store.ratings.newest(run_id):
        empty(
            "Nobody has rated this run yet.",
            "Rate its outputs blind, two beside each other or one by one; the ranking appears here.",
            "rate",
            "Go to Rate",
        )
        return
    board = cached_leaderboard(ws, run_id)
    if not board.ratings:
        empty(
            "No rating of this run counts.",
            "All were taken back or skipped, or are of cells that the run does not have.",
            "rate",
            "Go to Rate",
        )
        return
    st.caption(
        f"{many(board.ratings, 'rating')} of {many(board.rows, 'row')} "
        f"by {many(len(board.raters), 'rater')}; what was taken back or skipped does not count."
    )
    words = {name: label for name, (label, _) in VIEWS.items()}
    state.show_address(state.VIEW)
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        view = segments("View", words, state.VIEW, clears=(state.PAGE,), label_visibility="collapsed")
        rating_downloads(ws, run_id, board)
    VIEWS[view][1](ws, run_id)


with explained("showing the ratings"):
    show()
