"""Where a collection comes from: what was looked at, left out and dropped, and which rows were kept apart."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st
import yaml

from workbench.app.pages import link
from workbench.app.widgets.collection_words import counts_line
from workbench.app.widgets.controls import pager
from workbench.app.widgets.numbers import ago, count, many, score, seconds
from workbench.app.widgets.text import escaped, short
from workbench.engine import Workspace
from workbench.storage.collections import CollectionRecord

PER_SCREEN = 50
MOST_CHANGES = 50
MOST_OLDER = 20


def sources_view(ws: Workspace, record: CollectionRecord) -> None:
    """The report in words and tables, the settings, and what was changed since."""
    report = record.report
    st.markdown(counts_line(ws.store.collections.count(record.id)))
    _looked_at(report)
    _runs(report)
    _files(report)
    _left_out(report)
    _kept_apart(report)
    _settings(record)
    _changes(ws, record)
    _older(ws, record)


def _looked_at(report: Mapping[str, Any]) -> None:
    if not report.get("looked_at"):
        return
    words = f"{many(report['looked_at'], 'output')} looked at, {count(report.get('picked', 0))} picked by "
    words += escaped(str(report.get("picked_by", "")))
    if report.get("best") is not None:
        words += f" :gray[(the best seen is {score(report['best'])})]"
    taught = report.get("taught")
    if taught:
        words += f"; the prompt that is taught is **{escaped(taught['prompt'])}**"
    if report.get("reasoning") == "drop":
        words += ", without the reasoning"
    if report.get("seconds") is not None:
        words += f" :gray[· took {seconds(report['seconds'])}]"
    st.markdown(f"{words}.")


def _runs(report: Mapping[str, Any]) -> None:
    sources = report.get("sources") or []
    if not sources:
        return
    st.subheader("Runs", anchor=False)
    with st.container(border=True):
        for one in sources:
            cells = "  \n".join(escaped(short(label, 80)) for label in one.get("cells", [])[:12])
            more = len(one.get("cells", [])) - 12
            left, middle, right = st.columns([3, 2.4, 2.4], vertical_alignment="center")
            place = escaped(f"{one.get('dataset')}#{one.get('split')}")
            left.markdown(
                f"**{escaped(str(one.get('experiment')))}** over {place}  \n:gray[{escaped(one['run'])}]"
            )
            middle.markdown(cells + (f"  \n:gray[and {many(more, 'cell')} more]" if more > 0 else ""))
            with right:
                link("compare", "Compare", ":material/balance:", run=one["run"])


def _files(report: Mapping[str, Any]) -> None:
    files = report.get("files") or []
    if not files:
        return
    st.subheader("Files", anchor=False)
    for one in files:
        st.markdown(f"**{escaped(str(one['file']))}**: {many(one.get('items', 0), 'item')}")
        for sentence in one.get("unmapped", []):
            st.caption(escaped(sentence))


def _left_out(report: Mapping[str, Any]) -> None:
    """Outputs that were not picked, and items that a step dropped when it was made."""
    left_out = {reason: number for reason, number in report.get("left_out", {}).items() if number}
    if left_out:
        st.subheader("Left out", anchor=False)
        st.table(
            {
                "Why": [escaped(reason) for reason in left_out],
                "Outputs": [count(number) for number in left_out.values()],
            },
            border="horizontal",
            hide_index=True,
            alt="Outputs left out, by reason",
        )
    steps = report.get("clean") or []
    if steps:
        st.subheader("Cleaned on the way in", anchor=False)
        st.table(
            {
                "Step": [escaped(one["step"].replace("_", " ")) for one in steps],
                "Seen": [count(one["seen"]) for one in steps],
                "Dropped": [count(one["dropped"]) for one in steps],
                "Changed": [count(one["changed"]) for one in steps],
            },
            border="horizontal",
            hide_index=True,
            alt="Cleaning steps when it was made",
        )


def _kept_apart(report: Mapping[str, Any]) -> None:
    """The held-back splits, and each row that repeats one of theirs."""
    apart = report.get("apart_from") or []
    overlaps = report.get("overlaps") or {}
    rows, listed = overlaps.get("rows", 0), overlaps.get("listed", [])
    st.subheader("Kept apart from evaluation", anchor=False)
    st.markdown(
        f"Compared with every row of {escaped(', '.join(apart))}."
        if apart
        else "Nothing was held back: the workspace has no evaluation split, or none was named."
    )
    if not rows:
        st.caption("No row repeats a held-back one.")
        return
    st.markdown(f"**{many(rows, 'row')}** repeat a held-back one and were left out:")
    offset = pager(len(listed), PER_SCREEN)
    shown = listed[offset : offset + PER_SCREEN]
    st.table(
        {
            "Row": [escaped(short(str(one.get("row") or one.get("file") or ""), 60)) for one in shown],
            "Repeats": [escaped(f"{one['split']}, {short(str(one['row_id']), 60)}") for one in shown],
            "How": [escaped(one["how"]) for one in shown],
            "Words in common": [escaped(short(one["words"], 160)) for one in shown],
        },
        border="horizontal",
        hide_index=True,
        alt="Rows that repeat a held-back row",
    )
    if rows > len(listed):
        st.caption(f"The first {count(len(listed))} are listed.")


def _settings(record: CollectionRecord) -> None:
    text = yaml.safe_dump(
        {"collect": record.settings}, sort_keys=False, allow_unicode=True, default_flow_style=None
    )
    with st.expander("How it was made, as a recipe says it"):
        st.code(text, language=None, wrap_lines=True)


def _changes(ws: Workspace, record: CollectionRecord) -> None:
    changes = ws.store.collections.changes(record.id, limit=MOST_CHANGES)
    if changes:
        with st.expander(f"{many(len(changes), 'change')} since, the last first"):
            st.markdown("\n".join(f"- {escaped(words)}" for words in changes))


def _older(ws: Workspace, record: CollectionRecord) -> None:
    """Other collections of the name: its history."""
    others = [
        one for one in ws.store.collections.newest(record.name, limit=MOST_OLDER) if one.id != record.id
    ]
    if not others:
        return
    with st.expander(f"{many(len(others), 'other collection')} of this name"):
        for one in others:
            link("collections", f"{one.id}, made {ago(one.created_at)}", collection=one.id)
