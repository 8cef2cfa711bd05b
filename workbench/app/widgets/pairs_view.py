"""Every pair: a triangle of squares, each saying how one cell does against another, and the table of it."""

from __future__ import annotations

import math

import streamlit as st

from workbench.app.widgets.charts import TOOLBAR, ink, safe
from workbench.app.widgets.controls import pager
from workbench.app.widgets.empty import empty
from workbench.app.widgets.numbers import count, signed
from workbench.app.widgets.result_table import BADGES
from workbench.app.widgets.text import escaped, short
from workbench.core.figures import p_value, signed_with_interval
from workbench.core.run import Comparison, Report
from workbench.engine import PairLine, Pairs, Workspace, compare_pairs
from workbench.errors import RunError

SIGNS = {"better": "▲", "worse": "▼", "tied": "=", "undecided": "?"}
SCALE = {
    "dark": ("#8a3540", "#1f222a", "#22704b"),
    "light": ("#eda9af", "#f3f1ec", "#9fd8b8"),
}
"""Worse, no difference, better; the theme's text can be read on all three."""
MOST_IN_CHART = 14
MOST_ON_A_LINE = 5
"""Cells up to which a square is wide enough for its sign beside its number, in narrow windows too."""
PER_SCREEN = 60


def pairs_view(ws: Workspace, table: Report, found: Comparison) -> None:
    """The triangle and the table of every pair by the chosen metric."""
    try:
        pairs = compare_pairs(ws, table.run, found.metric)
    except RunError as problem:
        empty("Nothing to show here.", escaped(str(problem)))
        return
    if not pairs.lines:
        empty("There is no pair to compare.", "A pair takes two cells that have all of their rows.")
        return
    _triangle(pairs)
    st.caption(
        escaped(
            f"A square says how the cell of its row does against the cell of its column by {found.metric}: "
            "▲ better, ▼ worse, = tied, ? undecided. The same rows and resamples for all; verdicts corrected "
            f"for all pairs ({count(len(pairs.lines))}), intervals at {100 * pairs.confidence:g} %."
        )
    )
    if len(pairs.cells) > MOST_IN_CHART:
        st.caption(f"The squares show the first {MOST_IN_CHART} cells; the table has all pairs.")
    if pairs.stopped:
        labels = ", ".join(cell.label for cell in pairs.stopped)
        st.caption(escaped(f"Stopped by the race and in no pair: {labels}."))
    offset = pager(len(pairs.lines), PER_SCREEN)
    _table(pairs.lines[offset : offset + PER_SCREEN])


def _table(lines: tuple[PairLine, ...]) -> None:
    columns = {
        "Cell": [f"**{escaped(short(line.second.label, 60))}**" for line in lines],
        "Against": [escaped(short(line.first.label, 60)) for line in lines],
        "Verdict": [_words(line) for line in lines],
        "Difference": [escaped(_interval(line)).replace(" ", "\u00a0") for line in lines],
        "p (Holm)": [p_value(line.p_adjusted) for line in lines],
        "Rows": [count(line.n) for line in lines],
    }
    st.table(columns, border="horizontal", hide_index=True, alt="Every pair of cells")


def _interval(line: PairLine) -> str:
    if math.isnan(line.difference):
        return "not compared"
    return signed_with_interval(line.difference, line.low, line.high)


def _words(line: PairLine) -> str:
    badge = BADGES[line.verdict]
    if line.verdict == "undecided" and line.rows_needed:
        return f"{badge} about {count(line.rows_needed)} rows needed"
    return badge


def _triangle(pairs: Pairs) -> None:
    import plotly.graph_objects as go

    cells = pairs.cells[:MOST_IN_CHART]
    place = {cell.index: number for number, cell in enumerate(cells)}
    shown = [line for line in pairs.lines if line.first.index in place and line.second.index in place]
    size = len(cells)
    gains: list[list[float | None]] = [[None] * size for _ in range(size)]
    texts = [[""] * size for _ in range(size)]
    hover = [[""] * size for _ in range(size)]
    apart = " " if size <= MOST_ON_A_LINE else "<br>"
    for line in shown:
        row, column = place[line.second.index], place[line.first.index]
        if math.isnan(line.difference):
            continue
        gains[row][column] = line.difference if pairs.higher_is_better else -line.difference
        texts[row][column] = f"{SIGNS[line.verdict]}{apart}{signed(line.difference)}"
        both = f"{short(line.second.label, 60)} against {short(line.first.label, 60)}"
        hover[row][column] = f"{safe(both)}<br>{_interval(line)}<br>{line.verdict}"
    most = max((abs(value) for row in gains for value in row if value is not None), default=0.0) or 1.0
    low, middle, high = SCALE["dark" if st.context.theme.type == "dark" else "light"]
    figure = go.Figure(
        go.Heatmap(
            z=gains[1:],
            x=list(range(size - 1)),
            y=list(range(1, size)),
            text=texts[1:],
            texttemplate="%{text}",
            textfont={"color": ink()},
            customdata=hover[1:],
            hovertemplate="%{customdata}<extra></extra>",
            hoverongaps=False,
            colorscale=[[0, low], [0.5, middle], [1, high]],
            zmin=-most,
            zmax=most,
            showscale=False,
            xgap=3,
            ygap=3,
        )
    )
    figure.update_layout(
        height=70 + 44 * (size - 1), margin={"l": 8, "r": 8, "t": 8, "b": 8}, plot_bgcolor="rgba(0,0,0,0)"
    )
    ticks = {"showgrid": False, "zeroline": False, "automargin": True, "tickfont": {"color": ink()}}
    names = [safe(f"{number}  {short(cell.label, 44)}") for number, cell in enumerate(cells, 1)]
    brief = names if size <= 3 else [f"{number}" for number in range(1, size + 1)]
    figure.update_xaxes(tickvals=list(range(size - 1)), ticktext=brief[:-1], side="bottom", **ticks)
    figure.update_yaxes(tickvals=list(range(1, size)), ticktext=names[1:], autorange="reversed", **ticks)
    if size > 3:
        st.markdown(f"**1**  {escaped(short(cells[0].label, 80))} is the first column.")
    spoken = "; ".join(
        f"{line.second.label} against {line.first.label}: {signed(line.difference)}, {line.verdict}"
        for line in shown[:15]
    )
    st.plotly_chart(figure, key="chart pairs", config=TOOLBAR, alt=f"Every pair by {pairs.metric}. {spoken}")
