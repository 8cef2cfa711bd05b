"""The two models and how each is trained."""

from __future__ import annotations

from dataclasses import dataclass

from workbench.models.embedded.network import Size
from workbench.models.embedded.tokenizer import VOCABULARY


@dataclass(frozen=True)
class Recipe:
    """Everything a training run depends on.

    `phases` says until which share of the time each mixture of episodes is used.
    """

    size: Size
    minutes: float
    muon_rate: float = 0.008
    adam_rate: float = 2e-3
    weight_decay: float = 0.05
    warmup_steps: int = 100
    decay_share: float = 0.15
    phases: tuple[tuple[str, float], ...] = (("look_ups", 0.07), ("easy", 0.14), ("full", 1.0))
    batch_tokens: tuple[int, int] = (2560, 3072)
    chunk_episodes: int = 2000
    validation_episodes: int = 600
    seed: int = 11


RECIPES = {
    "nano": Recipe(
        Size(VOCABULARY, width=96, layers=3, heads=4, feed_forward=256),
        minutes=8.2,
        phases=(("look_ups", 0.15), ("easy", 0.3), ("full", 1.0)),
    ),
    "small": Recipe(
        Size(VOCABULARY, width=128, layers=6, heads=4, feed_forward=384),
        minutes=16.5,
        phases=(("look_ups", 0.09), ("easy", 0.18), ("full", 1.0)),
    ),
}
MINIATURE = Recipe(
    Size(512, width=32, layers=2, heads=2, feed_forward=64),
    minutes=0.05,
    warmup_steps=5,
    batch_tokens=(1024, 1024),
    chunk_episodes=60,
    validation_episodes=20,
)
