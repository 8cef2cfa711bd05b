"""A workspace of sums whose runs are finished by writing what each output says, with no model asked."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from workbench.core.experiment import Experiment
from workbench.core.rating import Rating
from workbench.core.run import Output
from workbench.engine import Workspace, create_run, report
from workbench.engine.answer_rules import answer_rule
from workbench.engine.plan import load_plan
from workbench.engine.records import get_run
from workbench.prompting.read import read_answer

PROMPTS = {
    "direct": "messages: [{role: user, content: '{{ question }}'}]\nanswer: {after: 'Answer:', type: number}",
    "careful": "messages: [{role: user, content: '{{ question }}'}]\nreasoning: step_by_step\n"
    "answer: {after: 'Answer:', type: number}",
    "plain": "messages: [{role: system, content: Add.}, {role: user, content: 'Sum: {{ question }}'}]\n"
    "answer: {type: number}",
    "shots": "messages: [{role: user, content: '{{ question }}'}]\nexamples: {from: 'sums#train', count: 2}\n"
    "answer: {after: 'Answer:', type: number}",
    "vote": "members: [{prompt: careful, samples: 3}]",
}
MODELS = """
models:
  - {name: one, provider: openai, model: m, base_url: "http://127.0.0.1:1/v1"}
  - {name: two, provider: openai, model: m, base_url: "http://127.0.0.1:1/v1"}
"""

Says = Callable[[dict[str, Any], int, int], str | dict[str, Any]]
"""What the output for (row, cell, repeat) says, or fields of the output."""


def make_workspace(root: Path, rows: int = 6) -> Workspace:
    """Prompts, two models that nobody asks, and sums to learn from apart from sums to test with."""
    (root / "prompts").mkdir(parents=True)
    for name, text in PROMPTS.items():
        (root / "prompts" / f"{name}.yaml").write_text(f"name: {name}\n{text}\n")
    for split, start in (("train", 100), ("test", 900)):
        write_split(root, "sums", split, [sum_row(start + number, split) for number in range(rows)])
    (root / "experiments" / "models.yaml").write_text(MODELS)
    return Workspace.open(root)


def sum_row(first: int, split: str) -> dict[str, Any]:
    return {
        "id": f"{split}-{first}",
        "question": f"What is {first} + 7?",
        "answer": str(first + 7),
        "parity": ("even", "odd")[first % 2],
    }


def write_split(root: Path, dataset: str, split: str, rows: list[dict[str, Any]]) -> None:
    folder = root / "experiments" / "datasets" / dataset
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{split}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))


def finished_run(workspace: Workspace, says: Says, **changes: Any) -> str:
    """A completed run of the experiment `samples`, each output as `says` has it."""
    content = {
        "name": "samples",
        "dataset": {"name": "sums", "split": "train"},
        "prompts": ["direct"],
        "models": ["one"],
        "metrics": ["exact_match"],
    }
    run = create_run(workspace, Experiment.model_validate(content | changes), owner="test")
    plan = load_plan(workspace, get_run(workspace, run))
    outputs = []
    for cell in plan.cells:
        rule = answer_rule(plan.prompts[cell.prompt], dict(plan.prompts))
        for position, row in enumerate(plan.dataset.rows):
            for repeat in range(plan.experiment.repeats):
                said = says(row, cell.index, repeat)
                values = {"text": said} if isinstance(said, str) else said
                answer = read_answer(rule, values.get("text", ""))
                values = {
                    "answer": answer,
                    "completion_tokens": len(values.get("text", "").split()),
                    **values,
                }
                outputs.append(Output(cell.index, row["id"], position, repeat, **values))
    workspace.store.outputs.add(run, outputs)
    workspace.store.runs.set(run, status="completed", done=len(outputs), total=len(outputs))
    report(workspace, run)
    return run


def rate(workspace: Workspace, run: str, *ratings: dict[str, Any]) -> None:
    """Adds ratings; each says what it is about, the rest is filled in."""
    workspace.store.ratings.add(
        [
            Rating(
                **{
                    "run": run,
                    "item": f"{run}-{number}-{one.get('rater', 'ada')}-{one}"[-40:],
                    "rater": "ada",
                    "mode": "pairwise",
                    "position": 0,
                    "repeat": 0,
                    "cell": 0,
                    **one,
                }
            )
            for number, one in enumerate(ratings)
        ]
    )
