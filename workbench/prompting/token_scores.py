"""A judge's score as the mean over the probabilities that it gave to each score of the scale.

    expected_score("Fine.\nScore: 4", 15, [..., {"4": -0.2, "5": -1.8, "3": -4.6}], range(1, 6))  ->  4.15...

G-Eval (Liu et al., EMNLP 2023) weighs scores this way: a judge that wavers between 3 and 4 says more than
its likeliest digit does.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

MOST_TOKENS = 4_000
ALTERNATIVES = 20


def expected_score(
    text: str, ends_at: int, top_logprobs: Sequence[Mapping[str, float]], scores: Sequence[int]
) -> float | None:
    """Σ p(s)·s / Σ p(s) over the scale's scores s at the place of the score.

    Args:
        text: the reply.
        ends_at: where in it the score's digit ends.
        top_logprobs: by token of the reply, log-probabilities (nats) of the likeliest tokens.
        scores: the scale, single digits.

    None where the tokens cannot be laid along the text, or none of them is a score.
    """
    place = _place(text, ends_at, top_logprobs)
    if place is None:
        return None
    weights = {
        score: sum(math.exp(logprob) for token, logprob in place.items() if token.strip() == str(score))
        for score in scores
    }
    total = sum(weights.values())
    return sum(score * weight for score, weight in weights.items()) / total if total > 0 else None


def _place(
    text: str, ends_at: int, top_logprobs: Sequence[Mapping[str, float]]
) -> Mapping[str, float] | None:
    """The alternatives at the token that ends at `ends_at`.

    Which alternative was taken is not told, so the tokens are laid along the text from its end, every
    way that fits at once; the score is near the end, so what comes before it does not matter.
    """
    end = len(text.rstrip())
    open_ends = {end}
    last_first = list(reversed(top_logprobs))[:MOST_TOKENS]
    for place, alternatives in enumerate(last_first):
        before = last_first[place + 1] if place + 1 < len(last_first) else None
        if ends_at in open_ends and _is_the_score(text, ends_at, alternatives, before):
            return alternatives
        begins: set[int] = set()
        for token in alternatives:
            for at in open_ends:
                piece = token.rstrip() if at == end else token
                if piece and text.endswith(piece, 0, at):
                    begins.add(at - len(piece))
                if at == end and (not piece or _steers(token)):
                    begins.add(at)  # the end of the message is a token, but no text
        open_ends = {at for at in begins if at >= ends_at}
        if not open_ends:
            return None
    return None


def _is_the_score(
    text: str, ends_at: int, alternatives: Mapping[str, float], before: Mapping[str, float] | None
) -> bool:
    for token in alternatives:
        if token.strip() == text[ends_at - 1 : ends_at] and text.endswith(token.rstrip(), 0, ends_at):
            begins = ends_at - len(token.rstrip())
            if before is None or any(other and text.endswith(other, 0, begins) for other in before):
                return True
    return False


def _steers(token: str) -> bool:
    return token.startswith("<") and token.endswith(">")
