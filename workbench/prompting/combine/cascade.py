"""Members in order, the next one asked only where those so far disagree; then the weighted vote.

One vote can agree with nobody: the first stage goes on to the second member where the first is asked
only once. A vote without an answer is a disagreement. Chen, Zaharia, Zou: FrugalGPT
(arXiv:2305.05176); Yue, Zhao, Zhang, Du, Yao: LLM Cascades with Mixture of Thoughts
(arXiv:2310.03094) judge a cheap model by whether its answers agree.
"""

from __future__ import annotations

from collections.abc import Sequence

from workbench.core.prompt import Ensemble
from workbench.core.run import Vote
from workbench.prompting.combine import register
from workbench.prompting.combine.base import AskMember, CombineContext, Combined, ask_all, same_answer
from workbench.prompting.combine.weighted import weighted


def stages(ensemble: Ensemble) -> list[list[int]]:
    """Places of the members that are asked together, stage after stage: the first stage has two votes."""
    members = ensemble.members
    first = [0] if members[0].samples > 1 or len(members) == 1 else [0, 1]
    return [first, *([place] for place in range(len(first), len(members)))]


def agree(votes: Sequence[Vote]) -> bool:
    """Whether there are votes, all have an answer, and it is the same one."""
    answers = {None if vote.answer is None else same_answer(vote.answer) for vote in votes}
    return len(answers) == 1 and None not in answers


async def run(ask_member: AskMember, context: CombineContext) -> tuple[list[Vote], Combined]:
    """Asks stage after stage until all votes so far agree."""
    votes: list[Vote] = []
    for stage in stages(context.ensemble):
        votes += await ask_all(ask_member, stage)
        if agree(votes):
            break
    return votes, await cascade(votes, context)


@register("cascade", run=run)
async def cascade(votes: Sequence[Vote], context: CombineContext) -> Combined:
    """The weighted vote over whoever was asked."""
    return await weighted(votes, context)
