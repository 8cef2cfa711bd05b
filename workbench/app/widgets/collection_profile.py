"""What a collection is made of, as charts with a sentence each."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from workbench.app import state
from workbench.app.pages import link
from workbench.app.widgets.collection_cached import cached_profile
from workbench.app.widgets.collection_charts import counts_chart, lengths_chart, sides_chart
from workbench.app.widgets.empty import empty
from workbench.app.widgets.numbers import count, many
from workbench.app.widgets.text import escaped, short
from workbench.core.dataset import ID_COLUMN
from workbench.engine import Workspace
from workbench.storage.collections import CollectionRecord
from workbench.tuning import CollectionProfile
from workbench.tuning.profiles import Diversity, Lengths

MOST_BARS = 15
SOURCES = {
    "prompts": "prompt",
    "models": "model",
    "runs": "run",
    "datasets": "dataset",
    "raters": "rater",
    "files": "file",
    "kinds": "kind",
}


def profile_view(ws: Workspace, record: CollectionRecord) -> None:
    """Sizes, lengths, balance, variety, near repeats, sources and group terms of what is kept."""
    found, of = cached_profile(ws, record.id)
    if not found.items:
        empty("Nothing is kept that could be described.", "Accept items, or undo what dropped them.")
        return
    total = sum(
        number
        for (its_state, _), number in ws.store.collections.count(record.id).items()
        if its_state == "kept"
    )
    _sizes(found)
    if of < total:
        st.caption(f"Described are {count(of)} items drawn of the {count(total)} that are kept.")
    left, right = st.columns(2)
    with left:
        _lengths("Questions", found.question)
    with right:
        _lengths("What is to be answered", found.completion)
    _balance(found)
    _variety(found.diversity)
    _nearest(found, record)
    _sources(found)
    _terms(found)


def _sizes(found: CollectionProfile) -> None:
    facts = (
        ("Items", count(found.items)),
        ("Rows", count(found.rows)),
        ("Words", count(found.words)),
        ("Tokens, about", count(found.tokens)),
        ("Exact repeats", count(found.repeats)),
    )
    with st.container(horizontal=True, gap="large"):
        for name, value in facts:
            st.metric(name, value, width="content")


def _lengths(title: str, found: Lengths | None) -> None:
    if found is None:
        return
    st.markdown(f"**{title}**, in words")
    st.caption(
        f"Half have at most {count(found.p50)}, nine of ten at most {count(found.p90)}; the longest has "
        f"{count(found.longest)}."
    )
    bins = [(one.low, one.high, one.count) for one in found.bins]
    lengths_chart(
        bins, "words", f"profile {title}", f"{title} by words, from {found.shortest} to {found.longest}"
    )


def _balance(found: CollectionProfile) -> None:
    if not found.balance:
        return
    st.subheader("Balance", anchor=False)
    names = [name for name in found.balance if name != ID_COLUMN] or list(found.balance)
    by = st.selectbox("Values of", names, key=f"{state.CURATE}profile by", width=280)
    counts = found.balance[by]
    shown = counts[:MOST_BARS]
    rarest = counts[-1][1]
    st.caption(
        f"{many(len(counts), 'value')}; the most frequent stands there "
        f"{counts[0][1] / max(1, rarest):.3g} times as often as the rarest. Even it out under Cleaning."
        if len(counts) > 1
        else "Only one value: a model learns nothing from it that tells values apart."
    )
    counts_chart(shown, f"profile balance {by}", f"Items by {by}. {_spoken(shown)}")
    if len(counts) > len(shown):
        st.caption(f"The {len(shown)} most frequent.")


def _variety(found: Diversity) -> None:
    st.subheader("Variety of what is to be answered", anchor=False)
    facts = (
        ("Different texts", found.unique, "of all completions, how many differ"),
        ("Different words", found.distinct_1, "different words of all words (distinct-1)"),
        ("Different pairs", found.distinct_2, "different pairs of words in a row, of all (distinct-2)"),
        ("Within a text", found.type_token, "different words of a text's words, the mean"),
    )
    with st.container(horizontal=True, gap="large"):
        for name, value, about in facts:
            share = "–" if value is None else f"{100 * value:.3g} %"
            st.metric(name, share, help=about, width="content")
    st.caption("Shares of words fall as a collection grows: hold them against one of the same size.")


def _nearest(found: CollectionProfile, record: CollectionRecord) -> None:
    st.subheader("Most alike", anchor=False)
    if not found.nearest:
        st.caption("No two items have nearly the same words in the same order.")
        return
    st.caption(
        f"The {many(len(found.nearest), 'pair')} with the most words in common; near duplicates under "
        "Cleaning drops the second of a pair."
    )
    with st.container(border=True):
        for pair in found.nearest:
            with st.container(horizontal=True, vertical_alignment="center"):
                st.markdown(f"{100 * pair.similarity:.0f} % alike", width=110)
                for number in (pair.first, pair.second):
                    link(
                        "collections",
                        f"Item {number}",
                        ":material/article:",
                        collection=record.id,
                        item=str(number),
                        shown="all",
                    )


def _sources(found: CollectionProfile) -> None:
    st.subheader("Sources", anchor=False)
    known = [(name, counts) for name, counts in found.sources.items() if counts]
    told = [
        f"{words} {escaped(short(counts[0][0], 60))}"
        for name, counts in known
        if len(counts) == 1 and (words := SOURCES.get(name)) and name != "kinds"
    ]
    if told:
        st.caption(f"All from one {', one '.join(told)}.")
    several = [(name, counts) for name, counts in known if len(counts) > 1]
    for place, (name, counts) in zip(st.columns(2) * len(several), several, strict=False):
        with place:
            st.markdown(f"**Items by {SOURCES.get(name, name)}**")
            shown = counts[:MOST_BARS]
            counts_chart(shown, f"profile source {name}", f"Items by {name}. {_spoken(shown)}")


def _terms(found: CollectionProfile) -> None:
    named = [one for one in found.group_terms if one.first_total or one.second_total]
    st.subheader("Words for groups of people", anchor=False)
    if not named:
        st.caption("None of the words that are looked for, such as he and she, stand in the texts.")
        return
    st.caption(
        "How often the words of either side of a list stand in the texts. A model learns the proportion "
        "along with the rest."
    )
    lines = [(one.name.replace("_", " "), one.first_total, "", one.second_total) for one in named]
    spoken = "; ".join(f"{name}: {left} to {right}" for name, left, _, right in lines)
    sides_chart(lines, "profile terms", f"Words for groups of people. {spoken}")
    for one in named:
        said = ", ".join(f"{term} {number}" for term, number in (*one.first[:4], *one.second[:4]) if number)
        st.caption(f"{escaped(one.name.replace('_', ' '))}: {escaped(said)}")


def _spoken(counts: Sequence[tuple[str, int]]) -> str:
    return ", ".join(f"{name} {number}" for name, number in counts)
