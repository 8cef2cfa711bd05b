"""For free text: the candidate most like all the others, by chrF (minimum Bayes risk).

Kumar, Byrne: Minimum Bayes-Risk Decoding for Statistical Machine Translation, NAACL 2004; Freitag,
Grangier, Tan, Liang: High Quality Rather than High Model Probability, TACL 2022 (arXiv:2111.09388).
chrF is sacrebleu's.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from workbench.core.run import Vote
from workbench.prompting.combine import register
from workbench.prompting.combine.base import CombineContext, Combined, answered, decide


@register("consensus")
async def consensus(votes: Sequence[Vote], context: CombineContext) -> Combined:
    """Scores each text by its weighted mean chrF against the other votes' texts."""
    counted = [votes[place] for place in answered(votes)]
    candidates: dict[str, list[Vote]] = {}
    for vote in counted:
        candidates.setdefault(_said(vote), []).append(vote)
    weights = {text: math.fsum(vote.weight for vote in voters) for text, voters in candidates.items()}
    scores = [_expected(text, candidates[text][0].weight, weights) for text in candidates]
    return decide(list(candidates.values()), scores, context.ensemble.ties)


def _said(vote: Vote) -> str:
    return vote.text.strip() if vote.answer is None else vote.answer


def _expected(text: str, own_weight: float, weights: dict[str, float]) -> float:
    """Mean chrF of a text against every vote but its own."""
    if len(weights) == 1:
        return 0.0
    from sacrebleu import sentence_chrf

    total = math.fsum(weights.values()) - own_weight
    like_itself = 100.0 * (weights[text] - own_weight)
    others = (w * sentence_chrf(text, [other]).score for other, w in weights.items() if other != text)
    return (like_itself + math.fsum(others)) / total
