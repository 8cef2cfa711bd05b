"""A run whose outputs and ratings are written by hand: sums, four prompts, one model."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from tests.engine.conftest import EXPERIMENT, write_workspace
from workbench.core.document import load
from workbench.core.experiment import Experiment
from workbench.core.rating import Rating
from workbench.core.run import Output
from workbench.engine import Workspace, create_run

PROMPTS = ("direct", "careful", "three-shots")


def rated_run(
    root: Path,
    rows: int = 12,
    prompts: Sequence[str] = PROMPTS,
    texts: dict[tuple[int, int], str] | None = None,
    files: dict[str, str] | None = None,
    **changes: Any,
) -> tuple[Workspace, str]:
    """A finished run: cell c answers the first c-th part of the rows rightly, or as `texts` has it.

    `files`: more prompts, by their path in the workspace.
    """
    write_workspace(root, "http://127.0.0.1:9/v1", rows)
    for path, text in (files or {}).items():
        (root / path).write_text(text)
    ws = Workspace.open(root)
    content = load(Experiment, EXPERIMENT).model_dump(exclude_defaults=True) | changes
    run = create_run(ws, Experiment.model_validate(content | {"prompts": list(prompts)}), owner="command")
    repeats = int(changes.get("repeats", 1))
    outputs = []
    for cell in range(len(prompts)):
        for row in range(rows):
            right = row * len(prompts) < (cell + 1) * rows
            answer = str(row + 7) if right else "0"
            text = (texts or {}).get((cell, row), f"Answer: {answer}")
            outputs += [
                Output(cell, f"test-{row}", row, repeat, text=text, answer=answer)
                for repeat in range(repeats)
            ]
    ws.store.outputs.add(run, outputs)
    ws.store.runs.set(run, status="completed", done=len(outputs))
    return ws, run


def rate(ws: Workspace, run: str, ratings: Iterable[dict[str, Any]]) -> list[Rating]:
    """Adds ratings; each needs `cell`, `position` and `value` at least, and gets an item of its own."""
    start = ws.store.ratings.newest(run)
    made = []
    for number, values in enumerate(ratings, start + 1):
        mode = "pairwise" if "other" in values else "likert" if "criterion" in values else "thumbs"
        whole = {"run": run, "item": f"item-{number}", "rater": "ada", "mode": mode, "repeat": 0} | values
        if mode == "likert":
            whole.setdefault("scale", 5)
        made.append(Rating(**whole))
    ws.store.ratings.add(made)
    return made


def pair(cell: int, other: int, row: int, value: float, rater: str = "ada", **more: Any) -> dict[str, Any]:
    """A pairwise rating: `value` 1 where `cell` is preferred."""
    return {"cell": cell, "other": other, "position": row, "value": value, "rater": rater} | more


def stars(
    cell: int, row: int, value: float, rater: str = "ada", criterion: str = "helpful", **more: Any
) -> dict[str, Any]:
    """A Likert rating of 1 to 5."""
    return {"cell": cell, "position": row, "value": value, "rater": rater, "criterion": criterion} | more
