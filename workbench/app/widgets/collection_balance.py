"""Evening out how often each value is learnt from: bars before and after, then applied."""

from __future__ import annotations

import streamlit as st

from workbench.app import state
from workbench.app.widgets.collection_cached import cached_balance, cached_choices
from workbench.app.widgets.collection_charts import before_and_after_chart
from workbench.app.widgets.collection_words import author, kept_of
from workbench.app.widgets.numbers import count, many
from workbench.app.widgets.said import say_next
from workbench.app.widgets.text import escaped
from workbench.core.tuning import Balance
from workbench.engine import Workspace
from workbench.storage.collections import CollectionRecord
from workbench.tuning import apply_balance, kept_balance
from workbench.tuning.cleaning.stored import clear_balance

HOW = {"under": "leave out what is frequent", "over": "repeat what is rare"}
MOST_BARS = 15
MOST_AT_ONCE = 20_000
"""Items of a larger collection are read only when asked for: that takes seconds."""


def balance_view(ws: Workspace, record: CollectionRecord) -> None:
    """By what, how, what becomes of each value, and doing it."""
    _over_sampling(ws, record)
    many_items = kept_of(ws.store.collections.count(record.id)) > MOST_AT_ONCE
    if many_items and not st.toggle("Count the values", key=f"{state.CURATE}balance look {record.id}"):
        return
    choices = cached_choices(ws, record.id)
    if not choices:
        st.caption("Nothing to balance by: no column, label or length of these items has two to few values.")
        return
    left, middle, right = st.columns([2, 3, 1])
    by = left.selectbox("By", choices, key=f"{state.CURATE}balance by {record.id}")
    how = middle.radio(
        "How",
        list(HOW),
        format_func=lambda name: HOW[name],
        horizontal=True,
        key=f"{state.CURATE}balance how {record.id}",
    )
    seed = right.number_input("Seed", min_value=0, value=0, key=f"{state.CURATE}balance seed {record.id}")
    settings = Balance(by=by, how=how, seed=int(seed))
    values = cached_balance(ws, record.id, settings)
    before, after = sum(one.before for one in values), sum(one.after for one in values)
    most, least = max(one.before for one in values), min(one.before for one in values)
    becomes = f"Evened out, {count(before)} items become **{count(after)}**."
    st.markdown(
        f"The most frequent of {many(len(values), 'value')} stands there {many(most, 'time')}, the rarest "
        f"{many(least, 'time')}. {'They are even already.' if before == after else becomes}"
    )
    shown = [(one.value, one.before, one.after) for one in values[:MOST_BARS]]
    before_and_after_chart(shown, by, f"balance {record.id}", after="evened out")
    if len(values) > MOST_BARS:
        st.caption(f"The {MOST_BARS} most frequent.")
    nothing_to_do = before == after or settings == kept_balance(record.settings)
    if st.button("Even out", icon=":material/balance:", key="balance apply", disabled=nothing_to_do):
        apply_balance(ws, record.id, settings, author())
        words = (
            "Rare ones are repeated in training and in exported files; the items stay as they are. Undo "
            "takes it back."
            if how == "over"
            else f"{many(before - after, 'item')} left out. Undo takes it back."
        )
        say_next(words)
        st.rerun()


def _over_sampling(ws: Workspace, record: CollectionRecord) -> None:
    """What is repeated when a model is trained on this, and taking that away."""
    held = kept_balance(record.settings)
    if held is None or held.how != "over":
        return
    with st.container(border=True, horizontal=True, vertical_alignment="center"):
        st.markdown(
            f"Rare values of **{escaped(held.by)}** are repeated in training and in exported files.",
            width="content",
        )
        st.button(
            "Repeat no more",
            key="balance clear",
            type="tertiary",
            on_click=clear_balance,
            args=(ws, record.id, author()),
        )
