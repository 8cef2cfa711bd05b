"""`workbench rate --leaderboard` and `--agreement`: what people's ratings come to, as tables."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from workbench.commands.printing import counted, print_json, print_table, seconds
from workbench.commands.session import say
from workbench.core.figures import figure, signed_with_interval, with_interval

if TYPE_CHECKING:
    from workbench.engine import Leaderboard, RatingAgreement, Workspace

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
