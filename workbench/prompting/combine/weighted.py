"""The answer with the largest sum of its voters' weights (`weight` of the member, default 1)."""

from __future__ import annotations

import math
from collections.abc import Sequence

from workbench.core.run import Vote
from workbench.prompting.combine import register
from workbench.prompting.combine.base import CombineContext, Combined, decide, group


@register("weighted")
async def weighted(votes: Sequence[Vote], context: CombineContext) -> Combined:
    """Adds weights."""
    answers = group(votes)
    if not answers:
        return Combined(None, votes[0].text if votes else "")
    sums = [math.fsum(vote.weight for vote in voters) for voters in answers]
    return decide(answers, sums, context.ensemble.ties)
