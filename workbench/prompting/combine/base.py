"""What every combiner is given and gives back, and the tie rules that they share."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from workbench.core.prompt import Ensemble, Tie
from workbench.core.run import Vote

Ask = Callable[[str, dict[str, Any]], Awaitable[Vote]]
AskMember = Callable[[int], Awaitable[list[Vote]]]


@dataclass(frozen=True, slots=True)
class Combined:
    """What an ensemble answers: `answer` None means that no answer was found or a tie stands."""

    answer: str | None
    text: str


@dataclass(frozen=True, slots=True)
class CombineContext:
    """What a combiner may use beside the votes.

    Attributes:
        ensemble: its options.
        ask: asks another prompt about the same row, with variables added to the row's.
        seed: for combiners that draw.
    """

    ensemble: Ensemble
    ask: Ask
    seed: int = 0


Combine = Callable[[Sequence[Vote], CombineContext], Awaitable[Combined]]


Run = Callable[[AskMember, CombineContext], Awaitable[tuple[list[Vote], Combined]]]


@dataclass(frozen=True, slots=True)
class Combiner:
    """A way to combine votes.

    Attributes:
        combine: makes votes that are there into one answer.
        run: asks the members that are needed, then combines; gives the votes in the members' order.
    """

    combine: Combine
    run: Run


async def ask_all(ask_member: AskMember, members: Sequence[int]) -> list[Vote]:
    """The votes of several members, asked at the same time, in the order of `members`."""
    return [vote for votes in await asyncio.gather(*map(ask_member, members)) for vote in votes]


def same_answer(answer: str) -> str:
    """Answers that agree: upper and lower case and spacing make no difference."""
    return " ".join(answer.split()).casefold()


def answered(votes: Sequence[Vote]) -> list[int]:
    """Places of the votes that count: those with an answer, or all of them where none has one."""
    return [i for i, vote in enumerate(votes) if vote.answer is not None] or list(range(len(votes)))


def group(votes: Sequence[Vote]) -> list[list[Vote]]:
    """Votes with an answer, those that agree together, in order of first appearance."""
    groups: dict[str, list[Vote]] = {}
    for vote in votes:
        if vote.answer is not None:
            groups.setdefault(same_answer(vote.answer), []).append(vote)
    return list(groups.values())


def decide(candidates: Sequence[Sequence[Vote]], scores: Sequence[float], ties: Tie) -> Combined:
    """The candidate (votes that say the same) with the highest score, ties by the ensemble's rule.

    The text is that of the candidate's first vote, or of its shortest one under `ties: shortest`.
    """
    if not candidates:
        return Combined(None, "")
    best = max(scores)
    tied = [
        c for c, score in zip(candidates, scores, strict=True) if math.isclose(score, best, abs_tol=1e-12)
    ]
    if len(tied) > 1 and ties == "none" and len({_meaning(candidate) for candidate in tied}) > 1:
        return Combined(None, "")
    if ties == "shortest":
        vote = min((vote for candidate in tied for vote in candidate), key=lambda vote: len(vote.text))
    else:
        vote = tied[0][0]
    return Combined(vote.answer, vote.text)


def _meaning(candidate: Sequence[Vote]) -> str:
    vote = candidate[0]
    return same_answer(vote.text if vote.answer is None else vote.answer)
