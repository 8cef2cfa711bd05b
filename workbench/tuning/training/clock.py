"""Where the time of a training goes, how fast it reads, and how long it will still take."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from typing import Any

PARTS = ("preparing", "training", "looking", "saving")
COUNTED = ("attention_mask", "chosen_attention_mask", "rejected_attention_mask")


class Clock:
    """Seconds by part; whatever is none of the others is `training` once that has begun."""

    def __init__(self) -> None:
        self._started = time.monotonic()
        self._began: float | None = None
        self._spent = {"looking": 0.0, "saving": 0.0}
        self._times = {"looking": 0, "saving": 0}
        self._unread: list[Any] = []
        self._marked = 0.0
        self.before_s = 0.0
        """Worked by processes before this one, up to the step it goes on from."""
        self.first_step = 0

    def begin(self, step: int) -> None:
        """Training starts now, after that step."""
        self._began, self.first_step, self._marked = time.monotonic(), step, 0.0

    @contextlib.contextmanager
    def part(self, name: str) -> Iterator[None]:
        """Counts what happens meanwhile as that part."""
        start = time.monotonic()
        try:
            yield
        finally:
            self._spent[name] += time.monotonic() - start
            self._times[name] += 1

    def read_batch(self, inputs: Any) -> None:
        """Takes note of a batch's tokens; they are counted when asked, so that a GPU need not wait."""
        self._unread += [inputs[key].sum() for key in COUNTED if key in inputs]

    def tokens_per_s(self) -> float | None:
        """Tokens read a second of training since this was asked last, by this process."""
        tokens = sum(int(one) for one in self._unread)
        self._unread = []
        now = self._training()
        seconds, self._marked = now - self._marked, now
        return tokens / seconds if tokens and seconds > 0 else None

    @property
    def seconds(self) -> float:
        """Worked in all, by the processes before this one too."""
        return self.before_s + time.monotonic() - self._started

    def seconds_left(self, step: int, steps: int, looks: int, saves: int) -> float | None:
        """What remains to be done at the pace so far; None before a step was made.

        `looks` and `saves` are those to come.
        """
        done = step - self.first_step
        if done < 1:
            return None
        left = (steps - step) * self._training() / done
        return left + looks * self._mean("looking") + saves * self._mean("saving")

    def parts(self) -> dict[str, float]:
        """Seconds by part, of this process."""
        preparing = (self._began or time.monotonic()) - self._started
        found = {"preparing": preparing, "training": self._training(), **self._spent}
        return {name: round(found[name], 3) for name in PARTS}

    def _training(self) -> float:
        if self._began is None:
            return 0.0
        return time.monotonic() - self._began - sum(self._spent.values())

    def _mean(self, name: str) -> float:
        return self._spent[name] / self._times[name] if self._times[name] else 0.0
