"""The leaderboard: strengths as another fit finds them, what counts and what does not, and its edges."""

from __future__ import annotations

import math
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from scipy.optimize import minimize

from tests.engine.rating.rated import pair, rate, rated_run, stars
from workbench.core.rating import Rating
from workbench.engine import Workspace, delete_run, leaderboard, leaderboard_json, leaderboards_by
from workbench.errors import UnknownName, UsageError

Rated = tuple[Workspace, str]


@pytest.fixture
def three(tmp_path: Path) -> Rated:
    """A run of three cells over twelve rows, without a rating."""
    return rated_run(tmp_path / "three")


def by_hand(pairs: list[tuple[int, int, float]], cells: int, spread: float = 3.0) -> np.ndarray:
    """Davidson's model by a general optimiser, rating by rating; the prior keeps all near 0."""

    def cost(at: np.ndarray) -> float:
        strength, log_tie = at[:-1], at[-1]
        total = (at**2).sum() / (2 * spread**2)
        for one, two, outcome in pairs:
            left, right = math.exp(strength[one] / 2), math.exp(strength[two] / 2)
            d = left / right + right / left + math.exp(log_tie)
            chances = {1.0: left / right / d, 0.0: right / left / d, 0.5: math.exp(log_tie) / d}
            total -= math.log(chances[outcome])
        return float(total)

    found = minimize(cost, np.zeros(cells + 1), tol=1e-12).x[:-1]
    return np.asarray(found - found.mean())


def some_pairs(seed: int = 1, count: int = 90) -> list[tuple[int, int, float]]:
    rng = np.random.default_rng(seed)
    pairs = []
    for _ in range(count):
        one, two = sorted(rng.choice(3, 2, replace=False).tolist())
        better = rng.random() < 1 / (1 + math.exp(one - two))
        pairs.append((one, two, 0.5 if rng.random() < 0.2 else 0.0 if better else 1.0))
    return pairs


def test_strengths_are_those_of_a_general_optimiser_and_win_rates_are_counted(three: Rated) -> None:
    ws, run = three
    pairs = some_pairs()
    rate(ws, run, [pair(one, two, n % 12, value) for n, (one, two, value) in enumerate(pairs)])
    board = leaderboard(ws, run)
    expected = by_hand(pairs, 3)
    for line in board.cells:
        assert line.strength == pytest.approx(expected[line.cell.index], abs=0.01)
        assert line.low < line.strength < line.high
    for line in board.cells:
        points = [
            value if one == line.cell.index else 1 - value
            for one, two, value in pairs
            if line.cell.index in (one, two)
        ]
        assert line.n == len(points) and line.win_rate == pytest.approx(np.mean(points))
    lows = [line.low for line in board.cells]
    assert lows == sorted(lows, reverse=True)
    assert sum(one.n for one in board.pairs) == len(pairs)


def test_the_json_is_the_contract(three: Rated) -> None:
    ws, run = three
    rate(ws, run, [pair(0, 1, 0, 0.0), pair(1, 2, 1, 0.5), pair(0, 2, 2, 0.0)])
    told = leaderboard_json(leaderboard(ws, run))
    assert told["run"] == run and len(told["cells"]) == 3
    for cell in told["cells"]:
        assert {"prompt", "model", "strength", "low", "high", "win_rate", "n"} <= set(cell)
        assert 0 <= cell["win_rate"] <= 1
    assert {cell["prompt"]: cell["win_rate"] for cell in told["cells"]} == {
        "direct": 0.0,
        "careful": 0.75,
        "three-shots": 0.75,
    }


def test_more_ratings_settle_who_leads_and_the_number_asked_for_falls(three: Rated) -> None:
    ws, run = three
    rate(ws, run, [pair(1, 2, n, 0.0 if n % 3 else 1.0) for n in range(12)])
    few = leaderboard(ws, run)
    assert not few.leads_alone and few.undecided == 1.0
    assert few.ratings_to_settle is not None and few.ratings_to_settle > 0
    rate(ws, run, [pair(1, 2, n % 12, 0.0 if n % 5 else 1.0) for n in range(240)])
    many = leaderboard(ws, run)
    assert many.leads_alone and many.undecided == 0.0 and many.ratings_to_settle == 0


def test_only_what_counts_counts(three: Rated) -> None:
    ws, run = three
    rate(ws, run, [pair(0, 1, 0, 1.0, item="x"), pair(0, 1, 1, 1.0, item="y"), pair(0, 1, 2, 1.0, item="z")])
    rate(ws, run, [pair(0, 1, 0, 0.0, item="x")])  # thought again
    taken_back = Rating(run, "y", "ada", "pairwise", 1, 0, 0, 1, value=None)
    ws.store.ratings.add([taken_back])
    rate(ws, run, [pair(0, 1, 2, 0.0, chosen="again")])  # how steady, not which is better
    rate(ws, run, [pair(0, 7, 3, 1.0), pair(9, 10, 3, 1.0), pair(0, 1, 400, 1.0)])  # cells, rows not there
    board = leaderboard(ws, run)
    assert (board.ratings, board.left_out) == (2, 3)
    (one,) = board.pairs
    assert (one.wins, one.ties, one.losses) == (1, 0, 1)


def test_a_cell_that_never_lost_and_cells_never_met_have_finite_places(three: Rated) -> None:
    ws, run = three
    rate(ws, run, [pair(0, 1, n, 1.0) for n in range(6)])
    board = leaderboard(ws, run)
    assert [line.cell.index for line in board.cells] == [0, 1] and board.connected
    assert all(math.isfinite(bound) for line in board.cells for bound in (line.low, line.high))
    four = rated_run(ws.root.parent / "four", prompts=("direct", "careful", "three-shots", "vote"))
    rate(*four, [pair(0, 1, 0, 1.0), pair(2, 3, 0, 1.0)])
    assert not leaderboard(*four).connected


def test_all_ties_one_cell_and_nothing(three: Rated) -> None:
    ws, run = three
    empty = leaderboard(ws, run)
    assert empty.cells == () and empty.ratings == 0 and math.isnan(empty.undecided)
    assert leaderboard_json(empty)["undecided"] is None
    rate(ws, run, [pair(0, 1, n, 0.5, both_bad=n == 0) for n in range(6)])
    tied = leaderboard(ws, run)
    assert [line.strength for line in tied.cells] == pytest.approx([0, 0], abs=1e-6)
    assert tied.ratings_to_settle is None and tied.undecided == 1.0
    assert (tied.pairs[0].ties, tied.pairs[0].both_bad, tied.pairs[0].win_rate) == (6, 1, 0.5)
    alone = rated_run(ws.root.parent / "alone", prompts=("direct",), baseline=None)
    rate(*alone, [{"cell": 0, "position": n, "value": float(n % 2)} for n in range(12)])
    board = leaderboard(*alone)
    assert board.cells == () and board.thumbs[0].estimate.mean == 0.5 and board.thumbs[0].estimate.n == 12


def test_likert_means_are_wider_where_two_raters_differ_in_level(three: Rated) -> None:
    ws, run = three
    said = {"ada": 4.0, "bob": 2.0}
    rate(ws, run, [stars(0, row, said[who], who) for row in range(12) for who in said])
    rate(ws, run, [stars(1, row, 3.0 + (row % 2), "ada") for row in range(12)])
    rate(ws, run, [stars(0, row, 5.0, "ada", criterion="clear") for row in range(3)])
    lines = leaderboard(ws, run).likert
    assert [(line.criterion, line.cell.index) for line in lines] == [
        ("helpful", 1),
        ("helpful", 0),
        ("clear", 0),
    ]
    alone, together, _ = (line.estimate for line in lines)
    assert (together.mean, together.n, alone.mean) == (3.0, 24, 3.5)
    assert together.high - together.low > 2 * (alone.high - alone.low)
    assert together.low >= 1 and together.high <= 5


def test_a_slice_ranks_by_the_ratings_of_its_rows_alone(tmp_path: Path) -> None:
    ws, run = rated_run(tmp_path / "sliced", rows=24)
    # short questions prefer the first cell, long ones the second
    questions = {row: len(f"What is {row} + 7?") for row in range(24)}
    short = [row for row, length in questions.items() if length == min(questions.values())]
    rate(ws, run, [pair(0, 1, row, 1.0 if row in short else 0.0) for row in range(24)])
    boards = leaderboards_by(ws, run, "answer")
    assert sum(board.ratings for board in boards) == 24
    first = leaderboard(ws, run, by="answer", value=boards[0].value)
    assert first == boards[0] and first.cells[0].cell.index == 0
    assert boards[-1].cells[0].cell.index == 1
    with pytest.raises(UnknownName):
        leaderboard(ws, run, by="answer", value="nowhere")
    with pytest.raises(UsageError):
        leaderboard(ws, run, by="nothing")


def test_a_deleted_run_has_no_leaderboard_and_keeps_its_ratings(three: Rated) -> None:
    ws, run = three
    rate(ws, run, [pair(0, 1, 0, 1.0)])
    delete_run(ws, run)
    with pytest.raises(UnknownName):
        leaderboard(ws, run)
    assert Counter(one.rater for one in ws.store.ratings.history(run)) == {"ada": 1}
