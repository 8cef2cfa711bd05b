"""How many steps a training has, and after which of them it tells a point, looks and saves.

plan_steps(Train(epochs=8, batch=8, warmup=0.05), examples=640)
    ->  Steps(total=640, warmup=32, between_points=10, between_looks=64)
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from workbench.core.tuning import Train

LOOKS = 10
"""Looks in a training, where the recipe does not say how many steps lie between two."""
POINTS = 50
MOST_BETWEEN_POINTS = 10


@dataclass(frozen=True, slots=True)
class Steps:
    """Counts of the optimiser's steps.

    Attributes:
        between_looks: also between two checkpoints, so that the best look can be gone back to.
    """

    total: int
    warmup: int
    between_points: int
    between_looks: int

    def looks_after(self, step: int) -> int:
        """How many looks are still to come."""
        if step >= self.total:
            return 0
        return math.ceil(self.total / self.between_looks) - step // self.between_looks


def plan_steps(train: Train, examples: int) -> Steps:
    """The steps for that many examples; a last batch that is not full makes one, too."""
    batches = math.ceil(examples / ((train.batch or 1) * train.processes))
    an_epoch = max(1, math.ceil(batches / train.accumulate))
    total = train.max_steps or max(1, math.ceil((train.epochs or 1) * an_epoch))
    return Steps(
        total,
        round(train.warmup * total),
        max(1, min(MOST_BETWEEN_POINTS, total // POINTS)),
        min(total, train.evaluate_every or max(1, math.ceil(total / LOOKS))),
    )
