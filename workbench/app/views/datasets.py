"""Datasets: browse rows, see what they are made of, import a table, delete with undo."""

from typing import Literal

import streamlit as st

from workbench.app import state
from workbench.app.widgets.controls import choose, pager, search, segments
from workbench.app.widgets.empty import empty
from workbench.app.widgets.errors import broken_files, explained
from workbench.app.widgets.finished_form import finished_form
from workbench.app.widgets.import_form import import_form
from workbench.app.widgets.numbers import count, many
from workbench.app.widgets.profile_view import profile_view
from workbench.app.widgets.said import say_once
from workbench.app.widgets.text import escaped, short
from workbench.app.widgets.undo import offer_undo, undo_bar
from workbench.app.workspace import workspace
from workbench.core.dataset import guess_reference
from workbench.engine import Workspace

PER_SCREEN = 50
VIEWS = {
    "rows": "Rows",
    "profile": "What it is made of",
    "import": "Import a table",
    "outputs": "Import finished outputs",
}


def browse(ws: Workspace, name: str, split: str) -> None:
    """One screen of rows."""
    text = search("Text in the rows", clears=(state.PAGE,))
    total = ws.datasets.page(name, split, 0, 0, text)[1]
    offset = pager(total, PER_SCREEN)
    page, _ = ws.datasets.page(name, split, offset, PER_SCREEN, text)
    if not page:
        empty("No row matches.", "Clear the text to see all rows.")
        return
    st.caption(f"Rows {count(offset + 1)} to {count(offset + len(page))} of {many(total, 'row')}")
    columns = list(dict.fromkeys(key for row in page for key in row))
    st.dataframe(
        {key: [_cell(row.get(key)) for row in page] for key in columns},
        hide_index=True,
        height=min(36 * (len(page) + 1) + 4, 640),
        alt=f"Rows of {name}, {split}",
        column_config={key: st.column_config.TextColumn(key, width=_width(key, page)) for key in columns},
    )


def columns_of(ws: Workspace, name: str, split: str) -> list[str]:
    """The columns of a split's first rows."""
    page, _ = ws.datasets.page(name, split, 0, 5)
    return list(dict.fromkeys(key for row in page for key in row))


def _cell(value: object) -> str:
    return "" if value is None else str(value)[:2_000]


def _width(key: str, page: list[dict[str, object]]) -> Literal["small", "medium", "large"]:
    longest = max((len(str(row.get(key) or "")) for row in page), default=0)
    return "large" if longest > 60 else "medium" if longest > 20 else "small"


def show() -> None:
    ws = workspace()
    st.title("Datasets")
    undo_bar()
    say_once()
    names = ws.datasets.names()
    broken_files(ws.datasets.broken())
    if not names:
        empty("There is no dataset yet.", "Import a table below.")
        import_form(ws)
        st.subheader("Or outputs that were made elsewhere", anchor=False)
        finished_form(ws)
        return
    with st.container(horizontal=True, vertical_alignment="bottom"):
        clears = (state.SPLIT, state.PAGE, state.TEXT)
        name = choose("Dataset", names, state.DATASET, clears=clears) or names[0]
        card = ws.datasets.card(name)
        counts = {split: ws.datasets.count(name, split) for split in card.splits}
        split = choose(
            "Split",
            list(counts),
            state.SPLIT,
            "test" if "test" in counts else None,
            clears=(state.PAGE,),
            shown=lambda split: f"{split} ({many(counts[split], 'row')})",
        )
        if st.button("Delete", icon=":material/delete:", key="dataset delete"):
            ws.datasets.delete(name)
            offer_undo(f"dataset {name}", lambda: ws.datasets.undelete(name))
            state.remember(state.DATASET, None)
            st.rerun()
    if card.description:
        st.markdown(escaped(card.description))
    reference = card.reference or guess_reference(columns_of(ws, name, card.splits[0]))
    facts = [f"right answer: {reference}" if reference else "no column holds the right answer"]
    facts += [f"license: {card.license}"] if card.license else []
    facts += [f"source: {short(card.source, 160)}"] if card.source else []
    st.caption(escaped(" · ".join(facts)))
    view = segments("View", VIEWS, state.VIEW, clears=(state.PAGE,), label_visibility="collapsed")
    with explained("reading the dataset"):
        if view == "import":
            import_form(ws)
        elif view == "outputs":
            finished_form(ws)
        elif view == "profile":
            profile_view(ws, name, split or card.splits[0])
        else:
            browse(ws, name, split or card.splits[0])


with explained("showing the datasets"):
    show()
