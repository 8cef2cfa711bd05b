"""How much of which episode: a short easy phase first, then everything."""

from __future__ import annotations

import random
from collections.abc import Callable
from functools import partial

from workbench.models.embedded.generator import arithmetic, labelling, sentences
from workbench.models.embedded.generator.chat import Episode

Writer = Callable[..., Episode]

EASY: dict[str, tuple[float, Writer]] = {
    "lookup": (0.25, labelling.looked_up),
    "labels": (0.25, labelling.coded_labels),
    "sums": (0.15, arithmetic.sums),
    "short_stories": (0.25, partial(arithmetic.solved, step_counts=[1, 1, 2])),
    "rewriting": (0.06, sentences.rewritten),
    "repeat": (0.04, sentences.repeated),
}
FULL: dict[str, tuple[float, Writer]] = {
    "stories": (0.43, arithmetic.solved),
    "stories_with_examples": (0.09, arithmetic.solved_with_examples),
    "sums": (0.05, arithmetic.sums),
    "fuse": (0.02, arithmetic.fused),
    "judge": (0.015, arithmetic.judged),
    "labels": (0.22, labelling.coded_labels),
    "plain_labels": (0.03, labelling.plain_label),
    "lookup": (0.04, labelling.looked_up),
    "rewriting": (0.075, sentences.rewritten),
    "repeat": (0.015, sentences.repeated),
    "talk": (0.015, sentences.talked),
}
PHASES = {"easy": EASY, "full": FULL}


def episode(rng: random.Random, phase: str = "full", held_out: bool = False) -> tuple[str, Episode]:
    """One episode of the phase, with the name of its family."""
    families = PHASES[phase]
    name = rng.choices(list(families), [share for share, _ in families.values()])[0]
    return name, families[name][1](rng, held_out=held_out)
