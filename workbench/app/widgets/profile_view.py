"""What a split is made of: columns, lengths, labels, and what to be wary of."""

from __future__ import annotations

from collections import Counter

import streamlit as st

from workbench.app.widgets.charts import bar_chart
from workbench.app.widgets.numbers import count
from workbench.app.widgets.text import escaped
from workbench.engine import Workspace

MOST_ROWS = 50_000  # a profile reads every row; past this, the first ones
BINS = 12


def profile_view(ws: Workspace, name: str, split: str) -> None:
    """Charts and the table of columns."""
    from workbench.datasets.profile import profile

    dataset = ws.datasets.load(name, split, limit=MOST_ROWS)
    others = [
        ws.datasets.load(name, other, limit=MOST_ROWS)
        for other in ws.datasets.splits(name)
        if other != split and ws.datasets.count(name, other)
    ]
    found = profile(dataset, others)
    for warning in found.warnings:
        st.warning(escaped(warning), icon=":material/warning:")
    texts = [column for column in found.columns if column.kind == "text"]
    widest = max(texts or found.columns, key=lambda column: column.length_p50, default=None)
    left, right = st.columns(2)
    if widest is not None:
        with left:
            st.markdown(f"**Length of {escaped(widest.name)}**, in characters")
            lengths = [len(str(row.get(widest.name) or "")) for row in dataset.rows]
            names, counts = binned(lengths)
            bar_chart(names, counts, "characters", "profile lengths", f"Rows by the length of {widest.name}")
    with right:
        if found.reference is None:
            st.caption("No column holds the right answer.")
        else:
            st.markdown(f"**Right answers** ({escaped(found.reference)})")
            labels = found.labels or Counter(
                str(row.get(found.reference, "")) for row in dataset.rows
            ).most_common(BINS)
            shown = labels[:BINS]
            bar_chart(
                [label for label, _ in shown],
                [number for _, number in shown],
                found.reference,
                "profile labels",
                f"Rows by right answer: {', '.join(f'{label} {number}' for label, number in shown)}",
            )
            if len(labels) > BINS or not found.labels:
                st.caption(f"The {len(shown)} most frequent.")
    st.table(
        {
            "Column": [f"**{escaped(column.name)}**" for column in found.columns],
            "Kind": [column.kind for column in found.columns],
            "Different values": [count(column.distinct) for column in found.columns],
            "Missing": [count(column.missing) for column in found.columns],
            "Characters (median)": [count(column.length_p50) for column in found.columns],
            "Longest": [count(column.longest) for column in found.columns],
        },
        border="horizontal",
        hide_index=True,
        alt="Columns",
    )


def binned(lengths: list[int]) -> tuple[list[str], list[int]]:
    """Lengths in at most a dozen ranges of round width."""
    if not lengths:
        return [], []
    low, high = min(lengths), max(lengths)
    width = max(1, -(-(high - low + 1) // BINS))
    width = next(
        (size for size in (1, 2, 5, 10, 20, 25, 50, 100, 200, 250, 500, 1000) if size >= width), width
    )
    start = low // width * width
    counts = Counter((length - start) // width for length in lengths)
    bins = range((high - start) // width + 1)
    names = [
        str(start + b) if width == 1 else f"{start + b * width}–{start + (b + 1) * width - 1}" for b in bins
    ]
    return names, [counts.get(b, 0) for b in bins]
