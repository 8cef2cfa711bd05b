"""How much of which episode: look-ups first, then an easy phase, then everything."""

from __future__ import annotations

import random
from collections.abc import Callable
from functools import partial

from workbench.models.embedded.generator import arithmetic, labelling, sentences
from workbench.models.embedded.generator.chat import Episode

Writer = Callable[..., Episode]

LOOK_UPS: dict[str, tuple[float, Writer]] = {
    "lookup": (0.5, labelling.first_look_ups),
    "repeat": (0.2, labelling.repeated_words),
    "plain_labels": (0.2, labelling.plain_labels),
    "sums": (0.1, arithmetic.sums),
}
EASY: dict[str, tuple[float, Writer]] = {
    "lookup": (0.30, labelling.looked_up),
    "labels": (0.24, partial(labelling.coded_labels, repeats=0.4)),
    "plain_labels": (0.16, labelling.plain_labels),
    "sums": (0.08, arithmetic.sums),
    "short_stories": (0.16, partial(arithmetic.solved, step_counts=[1, 1, 2])),
    "rewriting": (0.03, sentences.rewritten),
    "repeat": (0.03, sentences.repeated),
}
FULL: dict[str, tuple[float, Writer]] = {
    "stories": (0.37, arithmetic.solved),
    "stories_with_examples": (0.05, arithmetic.solved_with_examples),
    "sums": (0.07, arithmetic.sums),
    "drill": (0.18, arithmetic.drill),
    "fuse": (0.015, arithmetic.fused),
    "judge": (0.015, arithmetic.judged),
    "labels": (0.14, labelling.coded_labels),
    "plain_labels": (0.04, labelling.plain_labels),
    "lookup": (0.04, labelling.looked_up),
    "rewriting": (0.055, sentences.rewritten),
    "repeat": (0.015, sentences.repeated),
    "talk": (0.01, sentences.talked),
}
PHASES = {"look_ups": LOOK_UPS, "easy": EASY, "full": FULL}


def episode(rng: random.Random, phase: str = "full", held_out: bool = False) -> tuple[str, Episode]:
    """One episode of the phase, with the name of its family."""
    families = PHASES[phase]
    name = rng.choices(list(families), [share for share, _ in families.values()])[0]
    return name, families[name][1](rng, held_out=held_out)
