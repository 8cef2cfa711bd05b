"""A finished run whose outputs were written by hand, for tests of rating: cells × rows of any text."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from workbench.core.run import Output
from workbench.engine import Workspace, create_run, rows

PROMPTS = ("direct", "step-by-step")


def rated_run(
    root: Path,
    text: Callable[[int, int], str],
    limit: int,
    prompts: Sequence[str] = PROMPTS,
    models: Sequence[str] | None = None,
) -> str:
    """The run's id; the output of a cell on a row is `text(cell, place of the row)`."""
    ws = Workspace.open(root)
    experiment = ws.experiment("quickstart")
    changed: dict[str, object] = {"prompts": tuple(prompts), "baseline": None}
    if models is not None:
        changed |= {"models": tuple(models), "quantization": ()}
    experiment = experiment.model_copy(update=changed)
    run = create_run(ws, experiment, limit=limit, owner="command")
    cells = len(experiment.model_names()) * len(prompts)
    for place, row in enumerate(rows(ws, run, limit=limit).rows):
        given = [text(cell, place) for cell in range(cells)]
        ws.store.outputs.add(
            run, [Output(cell, row.row_id, place, text=said, answer=said) for cell, said in enumerate(given)]
        )
    ws.store.runs.set(run, status="completed", done=cells * limit)
    ws.close()
    return run
