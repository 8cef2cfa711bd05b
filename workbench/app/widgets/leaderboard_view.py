"""The leaderboard of a run's ratings: who leads and how surely, each cell with its interval, each pair."""

from __future__ import annotations

import math
from collections.abc import Sequence

import streamlit as st

from workbench.app import state
from workbench.app.widgets.controls import choose
from workbench.app.widgets.empty import empty
from workbench.app.widgets.numbers import count, interval, many
from workbench.app.widgets.rating_charts import Dot, dots_chart, squares_chart
from workbench.app.widgets.rating_words import share, strength, unbroken
from workbench.app.widgets.ratings_cached import cached_leaderboard, cached_slices
from workbench.app.widgets.text import escaped, short
from workbench.core.run import Cell
from workbench.engine import Leaderboard, Workspace, slice_choices
from workbench.engine.rating.standings import PairRecord, RatedShare
from workbench.errors import UsageError

MOST_IN_SQUARES = 14
MOST_IN_SLICES = 6
ALL_ROWS = "all"


def leaderboard_view(ws: Workspace, run: str) -> None:
    """Who leads, then pairs, thumbs and criteria as far as they were rated."""
    with st.spinner("Ranking …"):
        board = cached_leaderboard(ws, run)
    if board.left_out:
        words = f"{many(board.left_out, 'rating')} left out: of cells or rows that this run does not have."
        st.caption(words)
    if board.cells:
        _ranking(board)
    for criterion in dict.fromkeys(one.criterion for one in (*board.thumbs, *board.likert)):
        _means([one for one in (*board.thumbs, *board.likert) if one.criterion == criterion], criterion)
    _by_slice(ws, run, board)
    if len(board.cells) > 1:
        st.subheader("Each pair", anchor=False)
        _squares(board)
        _pair_table(board)


def verdict_sentence(board: Leaderboard) -> str:
    """Who leads, as Markdown; what is not told apart yet and what it would take."""
    first = board.cells[0].cell
    name = f"**{escaped(short(first.label, 80))}**"
    if len(board.cells) == 1:
        return f"{name} is the only cell that was rated in pairs."
    if board.leads_alone:
        return f"{name} leads: its ratings tell it apart from every other cell."
    close = [
        _other(pair, first) for pair in board.pairs if first in (pair.first, pair.second) and pair.undecided
    ]
    others = ", ".join(f"**{escaped(short(cell.label, 60))}**" for cell in close[:3])
    more = f" and {many(len(close) - 3, 'more cell')}" if len(close) > 3 else ""
    said = f"{name} stands first, but is not told apart from {others}{more} yet."
    if board.ratings_to_settle:
        more = many(board.ratings_to_settle, "more rating")
        said += f" About {more} of the two strongest would settle the top."
    return said


def _ranking(board: Leaderboard) -> None:
    st.markdown(verdict_sentence(board))
    if not board.connected:
        st.warning(
            "Some cells were never rated against the others, not even through a third one: how such groups "
            "stand to each other is a guess until a pair across them is rated.",
            icon=":material/link_off:",
        )
    dots = [
        Dot(
            one.cell.label,
            one.strength,
            one.low,
            one.high,
            f"strength {strength(one.strength, one.low, one.high)}, preferred to an average cell "
            f"{share(one.beats_average)} of the time, {many(one.n, 'rating')}",
        )
        for one in board.cells
    ]
    spoken = "; ".join(f"{dot.label}: {dot.words}" for dot in dots[:10])
    dots_chart(
        {"strength": dots},
        "strength (log odds; 0 is the average cell)",
        "chart leaderboard",
        f"Cells by their pairwise ratings, best lower bound first. {spoken}",
        at=0,
    )
    columns = {
        "": [str(place) for place in range(1, len(board.cells) + 1)],
        "Cell": [f"**{escaped(short(one.cell.label, 60))}**" for one in board.cells],
        "Strength": [_cell(strength(one.strength, one.low, one.high)) for one in board.cells],
        "Beats the average": [unbroken(share(one.beats_average)) for one in board.cells],
        "Wins": [_cell(share(one.win_rate, one.win_low, one.win_high)) for one in board.cells],
        "Ratings": [count(one.n) for one in board.cells],
    }
    st.table(columns, border="horizontal", hide_index=True, alt="Cells by their pairwise ratings")
    undecided = (
        "" if math.isnan(board.undecided) else f"{share(board.undecided)} of all pairs are undecided. "
    )
    st.caption(
        f"{undecided}Sorted by the lower bound of the strength; intervals at {100 * board.confidence:g} %, "
        "by drawing whole rows. A tie counts half in “Wins”, which depends on whom a cell met; "
        "the strength does not."
    )


def _means(lines: Sequence[RatedShare], criterion: str) -> None:
    """Thumbs (no criterion) as shares, or a criterion's means."""
    st.subheader(escaped(criterion) if criterion else "Thumbs", anchor=False)
    words = [
        interval(one.estimate) if criterion else share(one.estimate.mean, one.estimate.low, one.estimate.high)
        for one in lines
    ]
    dots = [
        Dot(one.cell.label, one.estimate.mean, one.estimate.low, one.estimate.high, said)
        for one, said in zip(lines, words, strict=True)
    ]
    title = f"{criterion}, 1 to {lines[0].scale or 5}" if criterion else "share of thumbs up"
    spoken = "; ".join(f"{dot.label}: {dot.words}" for dot in dots[:10])
    dots_chart({title: dots}, title, f"chart rated {criterion}", f"{title}, best lower bound first. {spoken}")
    columns = {
        "Cell": [f"**{escaped(short(one.cell.label, 60))}**" for one in lines],
        "Mean" if criterion else "Thumbs up": [_cell(said) for said in words],
        "Ratings": [count(one.estimate.n) for one in lines],
    }
    st.table(columns, border="horizontal", hide_index=True, alt=title)
    if criterion:
        st.caption("Intervals take into account that ratings of one row, and of one rater, are alike.")


def _by_slice(ws: Workspace, run: str, board: Leaderboard) -> None:
    """The same on parts of the rows."""
    offered = {ALL_ROWS: "all rows"} | {one.by: one.label for one in slice_choices(ws, run)}
    st.subheader("On parts of the rows", anchor=False)
    by = choose(
        "Slice by", list(offered), state.SLICE, ALL_ROWS, shown=lambda one: offered[one], sticky=False
    )
    if by in (None, ALL_ROWS):
        st.caption("Choose a column or a length to see whether the order holds everywhere.")
        return
    try:
        with st.spinner("Ranking in each slice …"):
            boards = cached_slices(ws, run, str(by))
    except UsageError as problem:
        empty("There is nothing to slice by here.", escaped(str(problem)))
        return
    if not boards:
        empty("No slice has a rating.", "Choose another way to slice.")
        return
    if board.cells:
        _slices_of_pairs(board, boards)
    elif board.thumbs or board.likert:
        _slices_of_means(boards)


def _slices_of_pairs(board: Leaderboard, boards: Sequence[Leaderboard]) -> None:
    best = [one.cell for one in board.cells[:MOST_IN_SLICES]]
    standings = {(part.value, one.cell.index): one for part in boards for one in part.cells}
    names = {part.value: f"{part.value or ''} ({many(part.ratings, 'rating')})" for part in boards}
    series = {
        cell.label: [
            Dot(
                names[value],
                one.strength,
                one.low,
                one.high,
                f"{cell.label}: {strength(one.strength, one.low, one.high)}",
            )
            for (value, index), one in standings.items()
            if index == cell.index
        ]
        for cell in best
    }
    spoken = "; ".join(f"{part.value}: {part.cells[0].cell.label} first" for part in boards[:8] if part.cells)
    dots_chart(series, "strength in the slice", "chart slices rated", f"Strength by slice. {spoken}", at=0)
    columns = {
        "Slice": [escaped(short(part.value or "", 60)) for part in boards],
        "Ratings": [count(part.ratings) for part in boards],
        "First": [
            f"**{escaped(short(part.cells[0].cell.label, 60))}**" if part.cells else "–" for part in boards
        ],
        "Wins there": [
            _cell(share(one.win_rate, one.win_low, one.win_high)) if part.cells else "–"
            for part in boards
            for one in part.cells[:1] or [None]
        ],
        "Told apart": ["yes" if part.leads_alone else "not yet" for part in boards],
    }
    st.table(columns, border="horizontal", hide_index=True, alt="Who stands first in each slice")


def _slices_of_means(boards: Sequence[Leaderboard]) -> None:
    lines = [(part, one) for part in boards for one in (*part.thumbs, *part.likert)]
    columns = {
        "Slice": [escaped(short(part.value or "", 60)) for part, _ in lines],
        "Rated": [escaped(one.criterion) or "thumbs" for _, one in lines],
        "Cell": [f"**{escaped(short(one.cell.label, 60))}**" for _, one in lines],
        "Mean": [_cell(interval(one.estimate)) for _, one in lines],
        "Ratings": [count(one.estimate.n) for _, one in lines],
    }
    st.table(columns, border="horizontal", hide_index=True, alt="Means in each slice")


def _squares(board: Leaderboard) -> None:
    cells = [one.cell for one in board.cells[:MOST_IN_SQUARES]]
    place = {cell.index: number for number, cell in enumerate(cells)}
    values: list[list[float | None]] = [[None] * len(cells) for _ in cells]
    hover = [[""] * len(cells) for _ in cells]
    spoken = []
    for pair in board.pairs:
        if pair.first.index not in place or pair.second.index not in place or not pair.n:
            continue
        one, two = (pair.first, pair.win_rate), (pair.second, 1 - pair.win_rate)
        for (cell, rate), (other, _) in ((one, two), (two, one)):
            i, j = place[cell.index], place[other.index]
            values[i][j] = rate
            hover[i][j] = f"{cell.label}\nwins {share(rate)} against {other.label}\n{_record(pair)}"
        spoken.append(f"{pair.first.label} wins {share(pair.win_rate)} against {pair.second.label}")
    squares_chart(
        [cell.label for cell in cells],
        values,
        hover,
        "chart win rates",
        f"Win rates of each pair. {'; '.join(spoken[:15])}",
        of_wins=True,
    )
    st.caption(
        "How often the cell of the row is preferred to the cell of the column, a tie counting half."
        + (f" The first {MOST_IN_SQUARES} cells." if len(board.cells) > MOST_IN_SQUARES else "")
    )


def _pair_table(board: Leaderboard) -> None:
    rated = [pair for pair in board.pairs if pair.n][:100]
    columns = {
        "Cell": [f"**{escaped(short(pair.first.label, 60))}**" for pair in rated],
        "Against": [escaped(short(pair.second.label, 60)) for pair in rated],
        "Wins": [count(pair.wins) for pair in rated],
        "Ties": [
            count(pair.ties) + (f" ({count(pair.both_bad)} both bad)" if pair.both_bad else "")
            for pair in rated
        ],
        "Losses": [count(pair.losses) for pair in rated],
        "Told apart": [
            ":orange-badge[? not yet]" if pair.undecided else ":green-badge[✓ yes]" for pair in rated
        ],
    }
    st.table(columns, border="horizontal", hide_index=True, alt="Every pair of cells that was rated")


def _record(pair: PairRecord) -> str:
    return f"{many(pair.n, 'rating')}, {many(pair.ties, 'tie')} among them"


def _other(pair: PairRecord, cell: Cell) -> Cell:
    return pair.second if pair.first == cell else pair.first


def _cell(text: str) -> str:
    return unbroken(escaped(text))
