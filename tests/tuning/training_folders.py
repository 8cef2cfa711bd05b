"""Folders of trainings that take a second: a tiny base, a few examples, a job."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from workbench.core.model import ChatMessage
from workbench.core.tuning import Train
from workbench.tuning.folders import TuningFolder
from workbench.tuning.job import TrainingJob

SAMPLES: tuple[tuple[ChatMessage, ...], ...] = (
    ({"role": "user", "content": "What is 3?"},),
    ({"role": "user", "content": "What is the number that comes after 7?"},),
)
ASKED: dict[str, Any] = {"samples": SAMPLES, "sample_tokens": 8}
"""For a job whose looks shall hold what the model says."""
SETTINGS: dict[str, Any] = {
    "method": "lora",
    "epochs": 4,
    "batch": 4,
    "learning_rate": 1e-2,
    "rank": 4,
    "virtual_tokens": 4,
    "evaluate_every": 3,
    "warmup": 0,
}


def example(number: int) -> dict[str, Any]:
    """Every task's columns: a completion, a worse one, and whether it is good."""
    return {
        "messages": [{"role": "user", "content": f"What is {number}?"}],
        "completion": f"It is {number}.",
        "rejected": "no no no no",
        "label": number % 2 == 0,
    }


def training_folder(
    path: Path,
    base: Path,
    examples: list[dict[str, Any]] | None = None,
    held_back: int = 4,
    job: dict[str, Any] | None = None,
    **settings: Any,
) -> TuningFolder:
    """A folder that is ready to train in: SETTINGS and `settings`, twelve examples, four held back."""
    folder = TuningFolder(path)
    path.mkdir(parents=True, exist_ok=True)
    rows = [example(number) for number in range(12)] if examples is None else examples
    write_rows(folder.train, rows)
    if held_back:
        write_rows(folder.validation, [example(number) for number in range(20, 20 + held_back)])
    TrainingJob("t", str(base), Train(**(SETTINGS | settings)), **(job or {})).write(folder.job)
    return folder


def write_rows(file: Path, rows: list[dict[str, Any]]) -> None:
    """One JSON object a line."""
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
