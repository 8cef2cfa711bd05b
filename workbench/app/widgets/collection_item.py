"""One item by itself: what the model is shown, what it should answer, and where that comes from."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from workbench.app.pages import link
from workbench.app.widgets.collection_deeds import COMPLETION, CURATE, REJECTED, Deeds
from workbench.app.widgets.collection_words import reason_words
from workbench.app.widgets.messages import messages_view
from workbench.app.widgets.numbers import many, score
from workbench.app.widgets.text import Kind, escaped, marked, short, whole
from workbench.core.collection import CollectionItem, Item, Origin
from workbench.prompting import word_diff
from workbench.storage.collections import CollectionRecord

LONGEST = 30_000  # characters; the export has all
LONGEST_COMPARED = 8_000
KINDS = {
    "output": "an output, picked by its score",
    "rating": "an output, picked by ratings",
    "correction": "a better answer that a rater wrote",
    "import": "a line of an imported file",
}


def item_card(record: CollectionRecord, one: CollectionItem, deeds: Deeds) -> None:
    """The item in a box; its texts are fields while it is edited."""
    item = one.item
    with st.container(border=True):
        st.markdown(f"**Item {one.number}** {_badges(one)}")
        st.markdown(":blue-badge[asked]")
        st.text(_cut(item.question) or " ")
        if len(item.messages) > 1:
            with st.expander(f"All {many(len(item.messages), 'message')}"):
                messages_view([{**told, "content": _cut(told["content"])} for told in item.messages])
        if deeds.editing == one.number:
            _fields(one, deeds)
        elif item.rejected is not None:
            _pair(item)
        else:
            st.markdown(":green-badge[to answer]")
            st.text(_cut(item.completion) or " ")
        if item.original is not None and deeds.editing != one.number:
            with st.expander("What was changed by hand"):
                st.markdown(_differences(item.original, item.completion))
    _provenance(item)


def _badges(one: CollectionItem) -> str:
    badges = []
    if one.item.label is not None:
        badges.append(":green-badge[good]" if one.item.label else ":red-badge[not good]")
    if one.item.original is not None:
        badges.append(":blue-badge[edited]")
    if one.state == "kept":
        return " ".join([":green-badge[✓ kept]", *badges])
    why = " · ".join(part for part in (reason_words(one.reason), short(one.detail, 200)) if part)
    return " ".join([":orange-badge[✗ dropped]", *badges, f":gray[{escaped(why)}]"])


def _pair(item: Item) -> None:
    """The better and the worse text beside each other, each with the words that the other has not."""
    better, worse = item.completion, item.rejected or ""
    parts = _parts(worse, better)
    left, right = st.columns(2)
    left.markdown(":green-badge[chosen]")
    left.markdown(marked(parts, ("same", "added")) or "\u00a0")
    right.markdown(":red-badge[rejected]")
    right.markdown(marked(parts, ("same", "removed")) or "\u00a0")


def _parts(before: str, after: str) -> Sequence[tuple[Kind, str]]:
    return word_diff(before[:LONGEST_COMPARED], after[:LONGEST_COMPARED])


def _differences(before: str, after: str) -> str:
    return marked(_parts(before, after)) or "\u00a0"


def _fields(one: CollectionItem, deeds: Deeds) -> None:
    """What is to be answered as a field; Ctrl+Enter saves."""
    with st.form(f"{CURATE}edit {one.number}", border=False):
        st.text_area(
            "To answer" if one.item.rejected is None else "Chosen",
            value=whole(one.item.completion),
            key=f"{COMPLETION}{one.number}",
            height="content",
        )
        if one.item.rejected is not None:
            st.text_area(
                "Rejected", value=whole(one.item.rejected), key=f"{REJECTED}{one.number}", height="content"
            )
        with st.container(horizontal=True, vertical_alignment="center"):
            st.form_submit_button(
                "Save", type="primary", icon=":material/save:", on_click=deeds.save, args=(one,)
            )
            st.form_submit_button("Leave it", on_click=deeds.do, args=("leave", one.number))
            st.caption("Ctrl+Enter saves; Esc leaves the field, and once more the editing.")


def _provenance(item: Item) -> None:
    origin = item.origin
    with st.container(border=True):
        st.markdown("**Where it comes from**")
        st.markdown("  \n".join(f"{name}: {words}" for name, words in _told(origin)))
        if origin.run and origin.row_id and origin.cell is not None:
            link(
                "compare",
                f"Row {escaped(short(origin.row_id, 60))} in the run",
                ":material/balance:",
                run=origin.run,
                view="rows",
                row=origin.row_id,
                cells=str(origin.cell),
            )


def _told(origin: Origin) -> list[tuple[str, str]]:
    """What is known of where an item comes from, a name and Markdown each."""
    version = f" :gray[{escaped(origin.version[:12])}]" if origin.version else ""
    sampling = ", ".join(f"{key} {value}" for key, value in origin.sampling.items())
    place = "#".join(part for part in (origin.dataset, origin.split) if part)
    known = [
        ("Kind", KINDS.get(origin.kind, escaped(origin.kind))),
        ("Run", escaped(origin.run or "")),
        ("Rows", escaped(place)),
        ("Prompt", f"{escaped(origin.prompt)}{version}" if origin.prompt else ""),
        ("Model", escaped(origin.model or "")),
        ("Sampling", escaped(sampling)),
        ("Repeat", str(origin.repeat + 1) if origin.repeat else ""),
        ("Scores", escaped(", ".join(f"{name} {score(value)}" for name, value in origin.scores.items()))),
        ("Raters", escaped(", ".join(origin.raters))),
        ("Rejected one by", escaped(origin.rejected or "")),
        ("File", escaped(origin.file or "")),
    ]
    return [(name, words) for name, words in known if words]


def _cut(text: str) -> str:
    more, text = len(text) - LONGEST, whole(text)
    return text if more <= 0 else f"{text[:LONGEST]}\n… {many(more, 'more character')}; the export has all"
