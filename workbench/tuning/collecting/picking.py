"""Which candidates of a row are learnt from, alone, in pairs of better and worse, or as good and bad ones.

pick_best(candidates, per_row=1, higher=True, counts)   ->  [Pick(better=Candidate(…))]
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from workbench.tuning.collecting.candidates import Candidate

BELOW, SAME_TEXT, ENOUGH, SAME_PAIR = (
    "below the bar",
    "same text",
    "more than per_row",
    "chosen equals rejected",
)
"""Why a candidate is not taken: not good enough, said already, enough of its row, nothing to tell apart."""


@dataclass(frozen=True, slots=True)
class Picked:
    """What becomes an item: a text; a better and a worse one; or a text that is said to be good or bad."""

    better: Candidate
    worse: Candidate | None = None
    label: bool | None = None


def pick_best(
    candidates: Sequence[Candidate], per_row: int, higher: bool, counts: Counter[str]
) -> list[Picked]:
    """The best of one row, corrections first; of equally good ones the shorter, then the earlier."""
    good = [one for one in candidates if one.good]
    counts[BELOW] += len(candidates) - len(good)
    best = once(sorted(good, key=lambda one: _rank(one, higher)), counts)
    counts[ENOUGH] += max(0, len(best) - per_row)
    return [Picked(one) for one in best[:per_row]]


def pick_labels(
    candidates: Sequence[Candidate], per_row: int, higher: bool, counts: Counter[str]
) -> list[Picked]:
    """Of one row the best that pass the bar as good ones, as many of the worst others as bad ones."""
    ordered = once(sorted(candidates, key=lambda one: _rank(one, higher)), counts)
    good = [one for one in ordered if one.good]
    bad = [one for one in reversed(ordered) if not one.good]
    counts[ENOUGH] += max(0, len(good) - per_row) + max(0, len(bad) - per_row)
    return [
        *(Picked(one, label=True) for one in good[:per_row]),
        *(Picked(one, label=False) for one in bad[:per_row]),
    ]


def pick_pairs(
    candidates: Sequence[Candidate], per_row: int, higher: bool, counts: Counter[str], seed: str
) -> list[Picked]:
    """Of one row, what passes the bar against what does not, within one version of a prompt.

    The best stands against the worst, the second best against the second worst; which of equally bad
    ones comes first is drawn by `seed`.
    """
    by_turn: list[tuple[int, Picked]] = []
    for version in dict.fromkeys(one.cell.version for one in candidates):
        alike = [one for one in candidates if one.cell.version == version and one.kind != "correction"]
        good = once(sorted((one for one in alike if one.good), key=lambda one: _rank(one, higher)), counts)
        bad = [one for one in alike if not one.good]
        random.Random(f"{seed} {version}").shuffle(bad)
        bad = once(sorted(bad, key=lambda one: one.value, reverse=not higher), counts)
        if good and bad:
            most = max(len(good), len(bad))
            by_turn += [(at, Picked(good[at % len(good)], bad[at % len(bad)])) for at in range(most)]
        else:
            counts["without its opposite"] += len(good) + len(bad)
    pairs = told_apart([pair for _, pair in sorted(by_turn, key=lambda one: one[0])], counts)
    counts[ENOUGH] += max(0, len(pairs) - per_row)
    return pairs[:per_row]


def told_apart(pairs: Sequence[Picked], counts: Counter[str]) -> list[Picked]:
    """The pairs whose two texts differ."""
    apart = [one for one in pairs if one.worse is None or one.better.text.strip() != one.worse.text.strip()]
    counts[SAME_PAIR] += len(pairs) - len(apart)
    return apart


def once(candidates: Sequence[Candidate], counts: Counter[str]) -> list[Candidate]:
    """Each text of a row once, the first that says it."""
    first: dict[str, Candidate] = {}
    for one in candidates:
        first.setdefault(one.text.strip(), one)
    counts[SAME_TEXT] += len(candidates) - len(first)
    return list(first.values())


def _rank(one: Candidate, higher: bool) -> tuple[bool, float, tuple[int, int, int]]:
    """Small is good. A correction goes before every output; corrections stay as they come."""
    if one.kind == "correction":
        return False, 0.0, (0, 0, 0)
    return True, -one.value if higher else one.value, one.order
