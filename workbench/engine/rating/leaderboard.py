"""The leaderboard: what the ratings of a run say of each cell, with intervals, best lower bound first.

    leaderboard(workspace, run)
    step-by-step · small   +0.84 [+0.51, +1.17]   wins 0.71 [0.64, 0.77]   214 ratings
    direct · small         -0.84 [-1.17, -0.51]   wins 0.29 [0.23, 0.36]   214 ratings

Pairwise ratings become strengths by Bradley and Terry's model with ties; thumbs become shares, Likert
ratings a mean for each criterion.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np

from workbench.core.rating import Rating
from workbench.core.run import Cell, MetricEstimate
from workbench.engine.plan import baseline_cell
from workbench.engine.rating.given import Given, given, pair_columns, values_of
from workbench.engine.rating.standings import Leaderboard, PairRecord, RatedShare, Standing
from workbench.engine.records import experiment_of, get_run
from workbench.engine.sliced_rows import sliced_rows
from workbench.engine.workspace import Workspace
from workbench.errors import UnknownName
from workbench.statistics import Ranking, bradley_terry, likert_mean, proportion

RESAMPLES = 1000


def leaderboard(
    workspace: Workspace, run: str, by: str | None = None, value: str | None = None
) -> Leaderboard:
    """What the ratings of a run say of its cells.

    Args:
        by: what the rows are sliced by, as for `slices`; omitted: all rows count.
        value: name of the slice that counts; needed with `by`.

    Raises UnknownName for a run or slice that is not there, UsageError for nothing to slice by.
    """
    found = given(workspace, run)
    if by is None:
        return leaderboard_of(run, found, _confidence(workspace, run))
    groups = rows_by(workspace, run, by)
    if value not in groups:
        raise UnknownName("slice", value or "", groups)
    return _of_rows(run, found, by, value, groups[value], _confidence(workspace, run))


def leaderboards_by(workspace: Workspace, run: str, by: str) -> tuple[Leaderboard, ...]:
    """One leaderboard for each slice of the rows that has ratings. Raises UsageError as `slices` does."""
    found, confidence = given(workspace, run), _confidence(workspace, run)
    boards = (
        _of_rows(run, found, by, name, places, confidence)
        for name, places in rows_by(workspace, run, by).items()
    )
    return tuple(board for board in boards if board.ratings)


def rows_by(workspace: Workspace, run: str, by: str) -> dict[str, frozenset[int]]:
    """The run's rows in slices: the places of each slice's rows by its name."""
    record = get_run(workspace, run)
    experiment = experiment_of(record)
    cells = given(workspace, run).cells
    groups, _ = sliced_rows(workspace, record, by, baseline_cell(experiment, cells))
    return {group.name: frozenset(group.places.tolist()) for group in groups}


def leaderboard_of(
    run: str, found: Given, confidence: float = 0.95, by: str | None = None, value: str | None = None
) -> Leaderboard:
    """The leaderboard of ratings at hand."""
    labels = {cell.index: cell for cell in found.cells}
    ranked, ranking, tables = _ranked(found.ratings, confidence)
    standings = _standings([labels[index] for index in ranked], ranking)
    order = [] if ranking is None else ranking.order.tolist()
    pairs = _pairs([labels[index] for index in ranked], order, ranking, tables)
    return Leaderboard(
        run=run,
        cells=tuple(standings[place] for place in order),
        pairs=pairs,
        undecided=float("nan") if ranking is None else ranking.undecided,
        ratings_to_settle=None if ranking is None or len(ranked) < 2 else ranking.ratings_to_settle,
        connected=ranking is None or ranking.connected,
        thumbs=_thumbs(found, labels, confidence),
        likert=_likert(found, labels, confidence),
        raters=tuple(sorted({one.rater for one in found.ratings})),
        rows=len({one.position for one in found.ratings}),
        ratings=len(found.ratings),
        left_out=found.left_out,
        by=by,
        value=value,
        confidence=confidence,
    )


def _of_rows(
    run: str, found: Given, by: str, value: str, places: frozenset[int], confidence: float
) -> Leaderboard:
    kept = tuple(one for one in found.ratings if one.position in places)
    return leaderboard_of(run, Given(found.cells, kept), confidence, by, value)


def _confidence(workspace: Workspace, run: str) -> float:
    return experiment_of(get_run(workspace, run)).confidence


@dataclass(frozen=True)
class _Tables:
    """(cells, cells) counts; `won[i, j]`: times that i was preferred to j. The others are symmetric."""

    won: np.ndarray
    tied: np.ndarray
    both_bad: np.ndarray


def _ranked(ratings: Sequence[Rating], confidence: float) -> tuple[list[int], Ranking | None, _Tables]:
    """The cells that were rated in pairs, their ranking in that order, and who beat whom."""
    pairs = [one for one in ratings if one.mode == "pairwise" and one.other is not None]
    columns = pair_columns(pairs)
    indexes = np.unique(np.concatenate([columns.first, columns.second]))
    size = len(indexes)
    first, second = (np.searchsorted(indexes, side) for side in (columns.first, columns.second))
    won, tied, bad = (np.zeros((size, size), dtype=np.int64) for _ in range(3))
    outcome = columns.outcome
    np.add.at(won, (first[outcome == 1], second[outcome == 1]), 1)
    np.add.at(won, (second[outcome == 0], first[outcome == 0]), 1)
    both_bad = np.array([one.both_bad for one in pairs], dtype=bool)
    for table, kept in ((tied, outcome == 0.5), (bad, both_bad)):
        np.add.at(table, (first[kept], second[kept]), 1)
    tables = _Tables(won, tied + tied.T, bad + bad.T)
    if not size:
        return [], None, tables
    ranking = bradley_terry(
        first, second, outcome, columns.row, cells=size, confidence=confidence, resamples=RESAMPLES
    )
    return indexes.tolist(), ranking, tables


def _standings(cells: Sequence[Cell], ranking: Ranking | None) -> list[Standing]:
    if ranking is None:
        return []
    return [
        Standing(
            cell=cell,
            strength=float(ranking.strength[place]),
            low=float(ranking.low[place]),
            high=float(ranking.high[place]),
            beats_average=float(ranking.beats_average[place]),
            win_rate=float(ranking.win_rate[place]),
            win_low=float(ranking.win_low[place]),
            win_high=float(ranking.win_high[place]),
            n=int(ranking.n[place]),
        )
        for place, cell in enumerate(cells)
    ]


def _pairs(
    cells: Sequence[Cell], order: Sequence[int], ranking: Ranking | None, tables: _Tables
) -> tuple[PairRecord, ...]:
    """Every two cells, the one that stands higher first."""
    if ranking is None:
        return ()
    return tuple(
        PairRecord(
            first=cells[better],
            second=cells[worse],
            wins=int(tables.won[better, worse]),
            ties=int(tables.tied[better, worse]),
            losses=int(tables.won[worse, better]),
            both_bad=int(tables.both_bad[better, worse]),
            undecided=bool(ranking.undecided_pairs[better, worse]),
        )
        for place, better in enumerate(order)
        for worse in order[place + 1 :]
    )


def _thumbs(found: Given, labels: dict[int, Cell], confidence: float) -> tuple[RatedShare, ...]:
    lines = []
    for index, ratings in _by_cell(found.of("thumbs")).items():
        estimate = proportion(values_of(ratings), [one.position for one in ratings], confidence)
        lines.append(RatedShare(labels[index], MetricEstimate(**asdict(estimate))))
    return _best_first(lines)


def _likert(found: Given, labels: dict[int, Cell], confidence: float) -> tuple[RatedShare, ...]:
    lines: list[RatedShare] = []
    for criterion in found.criteria:
        here = []
        for index, ratings in _by_cell(found.of("likert", criterion)).items():
            scale = max(one.scale or 0 for one in ratings) or None
            estimate = likert_mean(
                values_of(ratings),
                [one.rater for one in ratings],
                [one.position for one in ratings],
                confidence=confidence,
                bounds=None if scale is None else (1, scale),
            )
            here.append(RatedShare(labels[index], MetricEstimate(**asdict(estimate)), criterion, scale))
        lines += _best_first(here)
    return tuple(lines)


def _by_cell(ratings: Sequence[Rating]) -> dict[int, list[Rating]]:
    found: dict[int, list[Rating]] = {}
    for one in ratings:
        found.setdefault(one.cell, []).append(one)
    return found


def _best_first(lines: Sequence[RatedShare]) -> tuple[RatedShare, ...]:
    """By lower bound; where one is not known, by the mean alone and after the others."""

    def key(line: RatedShare) -> tuple[bool, float, int]:
        known = line.estimate.low == line.estimate.low
        return (not known, -(line.estimate.low if known else line.estimate.mean), line.cell.index)

    return tuple(sorted(lines, key=key))
