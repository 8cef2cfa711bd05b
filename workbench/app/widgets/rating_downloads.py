"""What people said of a run as files: the ratings, the leaderboard, and preferences to learn from."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import streamlit as st

from workbench.engine import Leaderboard, Workspace, export_leaderboard, export_preferences, export_ratings

MIME = {"csv": "text/csv", "jsonl": "application/jsonl"}


def rating_files(ws: Workspace, run: str, board: Leaderboard) -> dict[str, tuple[str, Callable[[], bytes]]]:
    """Words on a button → the file's name, and what makes it."""
    return {
        "Ratings, CSV": ("ratings.csv", partial(export_ratings, ws, run, "csv")),
        "Ratings, JSONL": ("ratings.jsonl", partial(export_ratings, ws, run, "jsonl")),
        "Leaderboard, CSV": ("leaderboard.csv", partial(export_leaderboard, board, "csv")),
        "Leaderboard, JSONL": ("leaderboard.jsonl", partial(export_leaderboard, board, "jsonl")),
        "Preferences, JSONL": ("preferences.jsonl", lambda: export_preferences(ws, run).text.encode()),
    }


def rating_downloads(ws: Workspace, run: str, board: Leaderboard) -> None:
    """A button for each, made when it is clicked."""
    with st.popover("Download", icon=":material/download:"):
        for words, (name, make) in rating_files(ws, run, board).items():
            st.download_button(
                words,
                data=make,
                file_name=f"{run}-{name}",
                mime=MIME[name.rpartition(".")[2]],
                key=f"download {name}",
                width="stretch",
                on_click="ignore",
            )
        st.caption("Preferences are better and worse answers to learn from, in OpenAI's form.")
