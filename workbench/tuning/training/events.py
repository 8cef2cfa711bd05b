"""What training says of itself, one JSON object a line, written as it happens and read by whoever follows.

{"event": "start", "step": 0, "steps": 240, "parameters": 1111296, "trainable": 98304, …}
{"event": "log", "step": 4, "epoch": 0.1, "loss": 1.92, "learning_rate": 0.0008, "seconds": 2.1, …}
{"event": "look", "step": 24, "validation_loss": 1.31, "samples": ["18 + 5 = 23. Answer: 23"], …}
{"event": "checkpoint", "step": 24}
{"event": "overfitting", "step": 96, "best_step": 48, "validation_loss": 0.71, "best_loss": 0.64}
{"event": "end", "outcome": "early", "step": 96, "best_step": 48, "validation_loss": 0.64, …}

A training that went on from a checkpoint starts again with `"resumed_from": 24`; what was said of later
steps before that does not count any more.
"""

from __future__ import annotations

import json
import math
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from workbench.core.tuning import TuningPoint
from workbench.tuning.folders import TuningFolder

TrainingStatus = Literal["starting", "training", "completed", "early", "cancelled", "failed"]
ENDED: frozenset[TrainingStatus] = frozenset({"completed", "early", "cancelled", "failed"})
END_KEYS = ("step", "seconds", "parts", "peak_memory_bytes", "best_step", "validation_loss")
POINT_KEYS = (
    "epoch",
    "loss",
    "validation_loss",
    "learning_rate",
    "grad_norm",
    "tokens_per_s",
    "memory_bytes",
    "seconds",
)


@dataclass(frozen=True, slots=True)
class Overfitting:
    """The validation loss turned: it was best at `best_step` and worse at every look since.

    Attributes:
        since: the first look that was worse.
    """

    best_step: int
    best_loss: float
    since: int
    validation_loss: float


@dataclass(frozen=True, slots=True)
class TrainingState:
    """How far a training is, as its events tell.

    Attributes:
        steps: of the optimiser, in all; 0 before that is known.
        seconds: worked so far, all its processes one after the other.
        seconds_left: None before it can be told.
        message: of a failed one, why.
        start: what was told at the start: parameters, trainable, tokens, examples, left_out, device,
            processes, threads, versions …
        resumed_from: the step that the last process went on from.
        validation_loss: of the best look.
        parts: seconds by what they were spent on: preparing, training, looking, saving.
        peak_memory_bytes: the most that its processes held together, once it ended.
        left_checkpoints: steps whose states were broken and left out, with why.
    """

    status: TrainingStatus = "starting"
    step: int = 0
    steps: int = 0
    seconds: float = 0.0
    seconds_left: float | None = None
    message: str = ""
    start: dict[str, Any] = field(default_factory=dict)
    resumed_from: int | None = None
    best_step: int | None = None
    validation_loss: float | None = None
    overfitting: Overfitting | None = None
    parts: dict[str, float] = field(default_factory=dict)
    peak_memory_bytes: int | None = None
    left_checkpoints: tuple[tuple[int, str], ...] = ()


class EventLog:
    """Appends events to a file, each a line of its own that reaches the system at once."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._mend()

    def write(self, event: str, **values: Any) -> None:
        """Adds one event. Raises OSError where the disk is full."""
        body = {"event": event, **{key: _plain(value) for key, value in values.items()}}
        line = json.dumps({**body, "at": round(time.time(), 3)}, ensure_ascii=False) + "\n"
        with self._file.open("ab") as opened:
            opened.write(line.encode("utf-8", "replace"))

    def _mend(self) -> None:
        """Ends a line that a killed process left half written, so that the next one is whole."""
        if self._file.is_file() and self._file.stat().st_size:
            with self._file.open("rb+") as opened:
                opened.seek(-1, 2)
                if opened.read(1) != b"\n":
                    opened.write(b"\n")


def read_events(file: Path) -> list[dict[str, Any]]:
    """The events, oldest first; lines that are not whole are left out. None yet: []."""
    try:
        lines = file.read_bytes().split(b"\n")
    except FileNotFoundError:
        return []
    found = []
    for line in lines:
        try:
            event = json.loads(line)
        except ValueError:
            continue
        if isinstance(event, dict) and "event" in event:
            found.append(event)
    return found


def read_points(folder: TuningFolder) -> list[TuningPoint]:
    """What was seen step by step, each step once: of a repeated step what was seen last."""
    steps: dict[int, dict[str, Any]] = {}
    for event in read_events(folder.events):
        kind = event["event"]
        if kind == "start":
            kept = event.get("resumed_from") or 0
            steps = {step: values for step, values in steps.items() if step <= kept}
        elif kind in ("log", "look"):
            values = steps.setdefault(event["step"], {"more": {}})
            values.update({key: event[key] for key in POINT_KEYS if event.get(key) is not None})
            values["more"] = values["more"] | {
                key: value for key, value in event.get("more", {}).items() if value is not None
            }
            if event.get("samples"):
                values["samples"] = tuple(event["samples"])
    return [TuningPoint(step, **values) for step, values in sorted(steps.items())]


def read_state(folder: TuningFolder) -> TrainingState:
    """How far the training is; `starting` where it said nothing yet."""
    found: dict[str, Any] = {}
    looks: dict[int, float] = {}
    left: list[tuple[int, str]] = []
    for event in read_events(folder.events):
        kind = event["event"]
        if kind == "preparing":
            before = {key: found[key] for key in ("step", "steps", "seconds", "start") if key in found}
            found = before | {"status": "starting"}
        elif kind == "start":
            from_step = event.get("resumed_from")
            looks = {step: loss for step, loss in looks.items() if step <= (from_step or 0)}
            found = {"status": "training", "start": event, "resumed_from": from_step}
            found |= {"step": from_step or 0, "steps": event["steps"], "seconds": event["seconds"]}
        elif kind in ("log", "look"):
            found |= {key: event[key] for key in ("step", "seconds", "seconds_left") if key in event}
            if event.get("validation_loss") is not None:
                looks[event["step"]] = event["validation_loss"]
        elif kind == "left_checkpoint":
            left.append((event["step"], event["why"]))
        elif kind == "end":
            found |= {key: event[key] for key in END_KEYS}
            found |= {"status": event["outcome"], "seconds_left": 0.0}
        elif kind == "failed" and found.get("status") != "failed":  # the others only lost their partner
            found |= {"status": "failed", "message": event["sentence"], "seconds_left": None}
    best = best_look(looks)
    if best is not None:  # at the end it may be another one, where the best state was broken
        seen = {"best_step": best, "validation_loss": looks[best], "overfitting": turned(looks)}
        found = seen | found
    return TrainingState(**found, left_checkpoints=tuple(left))


def best_look(looks: dict[int, float]) -> int | None:
    """The step of the lowest validation loss, the first of equals; None without a look after a step."""
    trained = {step: loss for step, loss in looks.items() if step > 0}
    return min(trained, key=lambda step: (trained[step], step)) if trained else None


def turned(looks: dict[int, float]) -> Overfitting | None:
    """Where the two last looks, or more, were worse than the best before them."""
    best = best_look(looks)
    if best is None:
        return None
    worse = [step for step in sorted(looks) if step > best and looks[step] > looks[best]]
    if len(worse) < 2:
        return None
    return Overfitting(best, looks[best], worse[0], looks[max(worse)])


def _plain(value: Any) -> Any:
    """JSON knows no NaN and no infinity."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    return value
