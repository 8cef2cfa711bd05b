"""`workbench rate --leaderboard`, `--agreement` and `--against-people`: what ratings come to, as tables."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from workbench.commands.printing import counted, print_fields, print_json, print_table, seconds
from workbench.commands.session import say
from workbench.core.figures import figure, signed_with_interval, with_interval

if TYPE_CHECKING:
    from workbench.engine import Leaderboard, RatingAgreement, Workspace
    from workbench.engine.rating.judges_against import JudgeAgainst
    from workbench.statistics import Coefficient

FEW_ROWS = 5


def print_leaderboard(workspace: Workspace, run: str, as_json: bool) -> None:
    """Every rated cell with its strength, wins, thumbs and grades, best lower bound first."""
    from workbench.engine import leaderboard, leaderboard_json

    found = leaderboard(workspace, run)
    if as_json:
        print_json(leaderboard_json(found))
        return
    if not found.ratings:
        say(f"Nobody has rated run {run} yet. See where with: workbench rate {run}")
        return
    print(f"{counted(found.ratings, 'rating')} by {counted(len(found.raters), 'rater')}\n")
    if found.cells:
        print_table(
            ("cell", "strength", "wins", "ratings"),
            [
                (
                    line.cell.label,
                    signed_with_interval(line.strength, line.low, line.high),
                    with_interval(line.win_rate, line.win_low, line.win_high),
                    line.n,
                )
                for line in found.cells
            ],
        )
        say(_settled(found))
    for title, lines in (("thumbs up", found.thumbs), ("mean grade", found.likert)):
        if lines:
            print()
            print_table(
                ("criterion", "cell", title, "ratings"),
                [
                    (
                        line.criterion or "–",
                        line.cell.label,
                        with_interval(line.estimate.mean, line.estimate.low, line.estimate.high),
                        line.estimate.n,
                    )
                    for line in lines
                ],
            )


def print_leaderboards_by(workspace: Workspace, run: str, by: str, as_json: bool) -> None:
    """Who stands first in each slice of the rows, and whether it is told apart there."""
    from workbench.engine import leaderboard_json, leaderboards_by

    boards = leaderboards_by(workspace, run, by)
    if as_json:
        print_json({"run": run, "by": by, "slices": [leaderboard_json(board) for board in boards]})
        return
    if not boards:
        say(f"Nobody has rated run {run} yet. See where with: workbench rate {run}")
        return
    lines = []
    for board in boards:
        slice_, told = (board.value or "–", board.ratings), "yes" if board.leads_alone else "not yet"
        for line in board.cells[:1]:
            wins = with_interval(line.win_rate, line.win_low, line.win_high)
            lines.append((*slice_, "pairs", line.cell.label, f"wins {wins}", told))
        rated = dict.fromkeys(one.criterion for one in (*board.thumbs, *board.likert))
        for criterion in rated:
            one = next(one for one in (*board.thumbs, *board.likert) if one.criterion == criterion)
            mean = with_interval(one.estimate.mean, one.estimate.low, one.estimate.high)
            lines.append((*slice_, criterion or "thumbs", one.cell.label, mean, "–"))
    print_table((by, "ratings", "rated", "first", "there", "told apart"), lines)


def print_agreement(workspace: Workspace, run: str, as_json: bool) -> None:
    """How raters agree with each other and with themselves, and on which rows they do not."""
    from workbench.engine import agreement_json, rating_agreement

    found = rating_agreement(workspace, run)
    if as_json:
        print_json(agreement_json(found))
        return
    if not found.scales:
        say(f"Nobody has rated run {run} yet. See where with: workbench rate {run}")
        return
    print_table(
        ("what", "items", "by two or more", "agree", "Fleiss' kappa", "Krippendorff's alpha"),
        [
            (
                scale.name,
                scale.items,
                scale.shared,
                with_interval(scale.percent.value, scale.percent.low, scale.percent.high),
                with_interval(scale.fleiss.value, scale.fleiss.low, scale.fleiss.high),
                "; ".join(
                    f"{level} {with_interval(alpha.value, alpha.low, alpha.high)}"
                    for level, alpha in scale.alpha.items()
                ),
            )
            for scale in found.scales
        ],
    )
    _print_raters(found)
    if found.disputed:
        rows = ", ".join(row.row_id for row in found.disputed[:FEW_ROWS])
        print(f"\nRaters disagree most on: {rows}")
    if not any(scale.shared for scale in found.scales):
        say(
            "No item was rated by two raters, so nothing is known of their agreement: "
            f"workbench rate {run} --overlap 2"
        )


def print_against(workspace: Workspace, run: str, as_json: bool) -> None:
    """How often each metric would have picked what the raters picked; and each judge in full."""
    from workbench.engine import against_people, against_people_json

    found = against_people(workspace, run)
    if as_json:
        print_json(against_people_json(found))
        return
    for name in found.unscored:
        say(f"{name} asks a model and has not been asked yet.")
    if not found.metrics:
        say(f"Nothing is both rated and scored in run {run}. See where to rate with: workbench rate {run}")
        return
    print_table(
        ("rated", "metric", "picks the winner", "decided pairs", "Spearman", "Kendall"),
        [
            (
                line.name,
                line.metric,
                with_interval(line.accuracy.mean, line.accuracy.low, line.accuracy.high),
                line.accuracy.n,
                _coefficient(line.spearman),
                _coefficient(line.kendall),
            )
            for line in found.metrics
        ],
    )
    for judge in found.judges:
        _print_judge(judge)


def _print_judge(judge: JudgeAgainst) -> None:
    print(f"\nJudge {judge.metric}, {judge.name}\n")
    flips = "–" if judge.flip_rate is None else figure(judge.flip_rate)
    print_fields(
        [
            ("agrees with people (kappa)", _coefficient(judge.kappa)),
            ("bias", signed_with_interval(judge.bias.mean, judge.bias.low, judge.bias.high)),
            ("changes with the order", flips),
            ("goes with length (rho)", _coefficient(judge.length)),
            ("beyond what people say", _coefficient(judge.length_beyond_people)),
        ]
    )
    if not judge.corrected:
        return
    print()
    print_table(
        ("cell", "people and judge", "people alone", "ratings", "judge alone", "judged", "trust"),
        [
            (
                one.cell.label + (f" against {one.against.label}" if one.against else ""),
                with_interval(one.estimate.value, one.estimate.low, one.estimate.high),
                with_interval(one.estimate.human, one.estimate.human_low, one.estimate.human_high),
                one.estimate.n,
                figure(one.estimate.judge),
                one.estimate.judged,
                figure(one.estimate.trust),
            )
            for one in judge.corrected
        ],
    )


def _coefficient(found: Coefficient) -> str:
    return with_interval(found.value, found.low, found.high)


def _print_raters(found: RatingAgreement) -> None:
    print()
    print_table(
        ("rater", "ratings", "the same again", "first shown wins", "ties", "seconds"),
        [
            (
                one.rater or "all",
                one.ratings,
                with_interval(one.same.mean, one.same.low, one.same.high),
                with_interval(one.first_won.mean, one.first_won.low, one.first_won.high),
                figure(one.ties),
                seconds(one.seconds),
            )
            for one in found.raters
        ],
    )


def _settled(board: Leaderboard) -> str:
    if len(board.cells) < 2 or math.isnan(board.undecided):
        return ""
    if not board.connected:
        return "\nSome cells were never compared with the others, not even by way of a third: rate on."
    undecided = f"\n{board.undecided:.0%} of the pairs of cells are undecided"
    if board.leads_alone:
        return f"{undecided}; the first cell is told apart from every other."
    if board.ratings_to_settle:
        return f"{undecided}; about {counted(board.ratings_to_settle, 'more rating')} would settle the top."
    return f"{undecided}."
