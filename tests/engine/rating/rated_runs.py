"""Finished runs written straight into the database, to be rated: no model, any number of cells and rows."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from workbench.core.document import content_hash
from workbench.core.run import Output
from workbench.engine import Workspace

Say = Callable[[int, int], str | None]
"""(cell, row) -> text; None: an error."""


def says(cell: int, row: int) -> str | None:
    """Each cell says something else of each row."""
    return f"answer {cell * 7 + row} from {'abcdefghij'[cell % 10]}"


def empty_workspace(root: Path, url: str | None = None) -> Workspace:
    """A workspace with nothing in it."""
    for folder in ("prompts", "experiments"):
        (root / folder).mkdir(parents=True, exist_ok=True)
    return Workspace.open(root, url)


def finished_run(
    workspace: Workspace,
    cells: int = 3,
    rows: int = 6,
    say: Say = says,
    run: str = "20261121-000000-abc123",
    repeats: int = 1,
) -> str:
    """A completed run of `cells` prompts on one model over `rows` questions, each asked `repeats` times."""
    data = [
        {"id": f"row-{n}", "question": f"What is {n}?", "made_by": "secret-model", "answer": str(n)}
        for n in range(rows)
    ]
    names = [f"prompt-{cell}" for cell in range(cells)]
    workspace.store.runs.create(
        run,
        "numbers",
        {
            "experiment": {
                "name": "numbers",
                "dataset": {"name": "numbers"},
                "prompts": names,
                "models": ["secret-model"],
                "repeats": repeats,
            },
            "cells": [
                {"index": cell, "prompt": name, "version": "v", "model": "secret-model", "sampling": {}}
                for cell, name in enumerate(names)
            ],
            "prompts": {
                name: {"name": name, "messages": [{"role": "user", "content": f"{name}: {{{{ question }}}}"}]}
                for name in names
            },
            "reference": "answer",
        },
        "numbers",
        content_hash(data),
        data,
        cells * rows * repeats,
    )
    new = []
    for cell in range(cells):
        for row in range(rows):
            text = say(cell, row)
            error = "refused" if text is None else None
            for repeat in range(repeats):
                said = f"{repeat}: {text}" if repeats > 1 else text or ""
                new.append(Output(cell, f"row-{row}", row, repeat, text=said, answer=text, error=error))
    workspace.store.outputs.add(run, new, status="completed", done=len(new))
    return run
