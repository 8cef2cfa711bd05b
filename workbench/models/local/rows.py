"""A row of the running batch: one request's prompt, how its tokens are drawn, and how far its answer is."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from workbench.core.model import FinishReason
from workbench.models.local.writing import GrowingText

Ids = tuple[int, ...]
NO_NUMBERS = (
    "it computes what is no number (NaN): its weights are damaged, or they leave the range of this "
    "quantization; try fp32 or bf16, or fetch the model again."
)


@dataclass(eq=False)
class Row:
    """One request in the batch: what it asks for, and how far it is."""

    prompt: Ids
    limit: int
    temperature: float = 0.0
    top_p: float = 1.0
    seed: int = 0
    logprobs: bool = False
    top_logprobs: int = 0
    text: GrowingText | None = None
    """Kept up to date with every token where stop strings or a reader wait for it; else None."""
    ids: list[int] = field(default_factory=list)
    logprob: float = 0.0
    alternatives: list[dict[int, float]] = field(default_factory=list)
    """By token of the answer: log-probabilities of the likeliest tokens, and of the one that was taken."""
    cached: int = 0
    """Tokens of the prompt that were not computed for this row: another's work was used again."""
    finish: FinishReason | None = None
    broken: bool = False
    """The network gave no numbers for it."""
    gone: bool = False
    """Set from outside when nobody waits for the row any more."""
    joined_at: float = 0.0
    """When reading the prompt began, by `time.perf_counter`; waiting for a place is not the model's time."""
    first_token_at: float = 0.0
    _numbers: Any = None

    @property
    def leaves(self) -> bool:
        """Whether the row has no business in the batch any more."""
        return self.gone or self.finish is not None

    def draw(self) -> float:
        """The row's next random number."""
        if self._numbers is None:
            self._numbers = np.random.default_rng(self.seed)
        return float(self._numbers.random())

    def take(self, token: int, end_ids: set[int]) -> None:
        """Adds a token and notes whether the answer ends with it."""
        if not self.ids:
            self.first_token_at = time.perf_counter()
        self.ids.append(token)
        if token in end_ids:
            self.finish = "stop"
            return
        if self.text is not None:
            self.text.add(token)
            if self.text.stopped:
                self.finish = "stop"
        if self.finish is None and len(self.ids) >= self.limit:
            self.finish = "length"
