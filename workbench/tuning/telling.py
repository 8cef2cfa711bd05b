"""How a tuning says how far it is: to the database, at most twice a second, and to whoever works it."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Any

from workbench.core.run import Progress
from workbench.core.tuning import Stage, TuningProgress
from workbench.engine.workspace import Workspace
from workbench.errors import TuningCancelled
from workbench.storage.tunings import TuningRecord

BETWEEN_S = 0.5
COUNTED = re.compile(r"([\d,]*\d) of ([\d,]*\d) ")  # "transit: 1,200 of 1,600 answers"
CANCELLED = "Cancelled; resumed, it goes on from here."

OnTuningProgress = Callable[[TuningProgress], None]


class Telling:
    """The state of one tuning while it is worked in this process."""

    def __init__(
        self, workspace: Workspace, record: TuningRecord, on_progress: OnTuningProgress | None = None
    ) -> None:
        self._tunings = workspace.store.tunings
        self._tuning = record.id
        self._stage: Stage = record.stage
        self._seconds_before, self._started = record.seconds, time.monotonic()
        self._on_progress = on_progress
        self._told_at = self._looked_at = -BETWEEN_S
        self._cancelled = False

    @property
    def seconds(self) -> float:
        """Seconds that the tuning was worked, interruptions left out."""
        return self._seconds_before + time.monotonic() - self._started

    def stage(self, stage: Stage, message: str, **values: Any) -> None:
        """Enters a stage, and writes what goes with it in the same step."""
        self._stage = stage
        self._write(0, 0, None, message, values)

    def tell(self, step: int, steps: int, seconds_left: float | None = None, message: str = "") -> None:
        """How far the stage is; dropped where the last word was less than half a second ago."""
        if time.monotonic() - self._told_at >= BETWEEN_S:
            self._write(step, steps, seconds_left, message, {})

    def words(self, message: str) -> None:
        """What it is at, in words; what they count is told as steps. Raises TuningCancelled when stopped."""
        self.check()
        counted = COUNTED.search(message)
        done, total = (int(part.replace(",", "")) for part in counted.groups()) if counted else (0, 0)
        self.tell(done, total, None, message)

    def cancelled(self) -> bool:
        """Whether a person asked to stop; looked up at most twice a second."""
        if not self._cancelled and time.monotonic() - self._looked_at >= BETWEEN_S:
            self._looked_at = time.monotonic()
            record = self._tunings.get(self._tuning)
            self._cancelled = record is not None and record.cancel_requested
        return self._cancelled

    def check(self) -> None:
        """Raises TuningCancelled once a person asked to stop."""
        if self.cancelled():
            raise TuningCancelled(CANCELLED)

    def _write(
        self, step: int, steps: int, seconds_left: float | None, message: str, values: dict[str, Any]
    ) -> None:
        self._told_at = time.monotonic()
        said: dict[str, Any] = {
            "stage": self._stage,
            "step": step,
            "steps": steps,
            "seconds": self.seconds,
            "seconds_left": seconds_left,
            "message": message,
        }
        self._tunings.set(self._tuning, **said, **values)
        if self._on_progress is not None:
            self._on_progress(TuningProgress(tuning=self._tuning, status="running", **said))


def told_of_run(telling: Telling, name: str, stop: Callable[[], None]) -> Callable[[Progress], None]:
    """What tells of a run that is worked for the tuning; `stop` is called once a person wants to stop."""
    stopped = False

    def tell(progress: Progress) -> None:
        nonlocal stopped
        message = progress.message or f"Running {name}"
        telling.tell(progress.done, progress.total, progress.seconds_left, message)
        if not stopped and telling.cancelled():
            stopped = True
            stop()

    return tell
