"""Who rates a run, and how much each has done."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import streamlit as st

from workbench.app.widgets.numbers import count
from workbench.app.widgets.text import escaped, short
from workbench.engine import Workspace

MOST = 6


def raters_of(ws: Workspace, run: str) -> dict[str, int]:
    """Each rater of a run, and how many items they have rated."""
    items = {(rating.rater, rating.item) for rating in ws.store.ratings.current(run)}
    return dict(Counter(rater for rater, _ in items))


def raters_line(done: Mapping[str, int], words: str) -> None:
    """`Rated so far: bob 120 · cy 35`, those who did most first; nothing where there is nobody."""
    if not done:
        return
    first = sorted(done.items(), key=lambda one: -one[1])
    shown = [f"{escaped(short(name, 30))} {count(number)}" for name, number in first[:MOST]]
    more = f" and {len(done) - MOST} more" if len(done) > MOST else ""
    st.markdown(f":gray[{words}\\: {' · '.join(shown)}{more}]")
