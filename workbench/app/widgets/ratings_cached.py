"""What is computed from ratings, kept until somebody rates: the last rating's number is part of the key."""

from __future__ import annotations

import streamlit as st

from workbench.engine import (
    AgainstPeople,
    Leaderboard,
    RatingAgreement,
    Workspace,
    against_people,
    leaderboard,
    leaderboards_by,
    rating_agreement,
)


def cached_leaderboard(ws: Workspace, run: str) -> Leaderboard:
    """The leaderboard of all rows."""
    return _leaderboard(ws, str(ws.root), run, ws.store.ratings.newest(run))


def cached_slices(ws: Workspace, run: str, by: str) -> tuple[Leaderboard, ...]:
    """One leaderboard a slice. Raises UsageError where there is nothing to slice by."""
    # tags come and go without a rating
    changing = str(sorted(ws.store.row_tags.known(_dataset(ws, run)))) if by == "tags" else ""
    return _slices(ws, str(ws.root), run, ws.store.ratings.newest(run), by, changing)


def cached_agreement(ws: Workspace, run: str) -> RatingAgreement:
    """How the raters agree."""
    return _agreement(ws, str(ws.root), run, ws.store.ratings.newest(run))


def cached_against(ws: Workspace, run: str) -> AgainstPeople:
    """Metrics against people; computed anew when the run has other metrics or more outputs too."""
    record = ws.store.runs.get(run)
    scored = (
        ""
        if record is None
        else f"{record.done} {record.status} {record.definition['experiment'].get('metrics')}"
    )
    return _against(ws, str(ws.root), run, ws.store.ratings.newest(run), scored)


def _dataset(ws: Workspace, run: str) -> str:
    record = ws.store.runs.get(run)
    return "" if record is None else record.dataset


@st.cache_data(show_spinner=False, max_entries=50)
def _leaderboard(_ws: Workspace, root: str, run: str, newest: int) -> Leaderboard:
    return leaderboard(_ws, run)


@st.cache_data(show_spinner=False, max_entries=50)
def _slices(
    _ws: Workspace, root: str, run: str, newest: int, by: str, changing: str
) -> tuple[Leaderboard, ...]:
    return leaderboards_by(_ws, run, by)


@st.cache_data(show_spinner=False, max_entries=50)
def _agreement(_ws: Workspace, root: str, run: str, newest: int) -> RatingAgreement:
    return rating_agreement(_ws, run)


@st.cache_data(show_spinner=False, max_entries=50)
def _against(_ws: Workspace, root: str, run: str, newest: int, scored: str) -> AgainstPeople:
    return against_people(_ws, run)
