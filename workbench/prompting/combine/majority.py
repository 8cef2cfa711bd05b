"""The answer that most votes gave; votes without an answer do not count.

Over samples of one chain-of-thought prompt this is self-consistency: Wang, Wei, Schuurmans, Le, Chi,
Narang, Chowdhery, Zhou, ICLR 2023 (arXiv:2203.11171).
"""

from __future__ import annotations

from collections.abc import Sequence

from workbench.core.run import Vote
from workbench.prompting.combine import register
from workbench.prompting.combine.base import CombineContext, Combined, decide, group


@register("majority")
async def majority(votes: Sequence[Vote], context: CombineContext) -> Combined:
    """Counts votes."""
    answers = group(votes)
    if not answers:
        return Combined(None, votes[0].text if votes else "")
    return decide(answers, [len(voters) for voters in answers], context.ensemble.ties)
