"""The single best vote: by mean token log-probability, or by a judge prompt that gives a number.

    combine: best_of
    by: grade-answer        # a judge prompt that sees {{ candidate }} and {{ candidate_answer }}

The judge is asked once for each distinct text. Where its number cannot be had the candidate is
unscored: it wins only if every candidate is. Best-of-n against a judge follows Cobbe and others,
Training Verifiers to Solve Math Word Problems (arXiv:2110.14168).
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Sequence

from workbench.core.run import Vote
from workbench.errors import ModelError, PromptError
from workbench.prompting.combine import register
from workbench.prompting.combine.base import CombineContext, Combined, answered, decide
from workbench.prompting.numbers import last_number


@register("best_of")
async def best_of(votes: Sequence[Vote], context: CombineContext) -> Combined:
    """Scores votes and takes the best; votes without an answer stand only where none has one."""
    places = answered(votes)
    judge = context.ensemble.by
    if judge in (None, "logprob"):
        scores = [votes[place].logprob for place in places]
        if places and all(score is None for score in scores):
            raise PromptError(
                f"Ensemble '{context.ensemble.name}' picks the best by log-probability, which this model "
                "does not give; name a judge prompt in `by`, or combine by majority."
            )
    else:
        scores = await _judged([votes[place] for place in places], str(judge), context)
    known = [-math.inf if score is None else score for score in scores]
    return decide([[votes[place]] for place in places], known, context.ensemble.ties)


async def _judged(votes: Sequence[Vote], judge: str, context: CombineContext) -> list[float | None]:
    distinct = {vote.text: vote for vote in votes}
    grades = await asyncio.gather(*(_grade(vote, judge, context) for vote in distinct.values()))
    by_text = dict(zip(distinct, grades, strict=True))
    return [by_text[vote.text] for vote in votes]


async def _grade(vote: Vote, judge: str, context: CombineContext) -> float | None:
    try:
        verdict = await context.ask(judge, {"candidate": vote.text, "candidate_answer": vote.answer or ""})
    except ModelError:
        return None
    number = last_number(verdict.answer) if verdict.answer is not None else None
    return None if number is None else float(number)
