"""Recall of training text: asked the questions that were learnt, does a model answer with the learnt text?

    100 learnt questions: base gives a learnt completion for 31 %, tuned for 74 %, word for word

The base's share is what it writes by itself: of a collection of its own outputs that is much.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from workbench.core.collection import Item
from workbench.core.dataset import Dataset, DatasetCard
from workbench.core.document import content_hash
from workbench.core.experiment import Baseline, DatasetChoice, Experiment
from workbench.core.prompt import Message, Prompt
from workbench.core.run import Cell
from workbench.engine.plan import Plan
from workbench.engine.workspace import Workspace
from workbench.tuning.verdict.gaps import RunGaps
from workbench.tuning.verdict.records import RecallVerdict
from workbench.tuning.verdict.running import VerdictRuns

PURPOSE, NAME, PROMPT = "training text", "training-text", "as-learnt"
METRIC, REFERENCE = "exact_match", "learnt"
MOST_QUESTIONS = 100
MOST_TOKENS = 512
CHARACTERS_A_TOKEN = 2
"""Fewer than any usual text has, so that no completion is cut off."""


def recall_of(
    workspace: Workspace, runs: VerdictRuns, items: Sequence[Item], base: str, tuned: str, limit: int | None
) -> RecallVerdict | None:
    """Both models asked, greedily, what the tuned one has seen; None where nothing was seen.

    Args:
        items: what was learnt; of those said to be bad nothing is looked for.
        limit: at most this many questions; default: 100.

    Raises TuningCancelled, WorkbenchError.
    """
    rows = learnt_rows(items, min(limit or MOST_QUESTIONS, MOST_QUESTIONS))
    if not rows:
        return None
    plan = _plan(rows, base, tuned)
    run = runs.finished(PURPOSE, plan.experiment, lambda: plan)
    gaps = RunGaps(workspace, run, METRIC, base, tuned, 0.0)
    found = gaps.prompts(None, PROMPT)[0][0]
    return RecallVerdict(gaps.rows, run, found.base, found.tuned, found.gap)


def learnt_rows(items: Sequence[Item], most: int) -> list[dict[str, Any]]:
    """Questions as rows: a column for each message, and every completion that was learnt for it.

    The questions are those whose messages have the most usual roles, drawn by their content.
    """
    good = [item for item in items if item.label is not False]
    usual = Counter(_roles(item) for item in good if "user" in _roles(item)).most_common(1)
    learnt: dict[str, list[Item]] = {}
    for item in good:
        if usual and _roles(item) == usual[0][0]:
            learnt.setdefault(content_hash(list(item.messages)), []).append(item)
    return [
        {
            "id": key[:16],
            **{f"message_{at}": one["content"] for at, one in enumerate(learnt[key][0].messages)},
            "roles": list(_roles(learnt[key][0])),
            REFERENCE: sorted({item.completion for item in learnt[key]}),
        }
        for key in sorted(learnt)[:most]
    ]


def _roles(item: Item) -> tuple[str, ...]:
    return tuple(message["role"] for message in item.messages)


def _plan(rows: Sequence[dict[str, Any]], base: str, tuned: str) -> Plan:
    roles = rows[0]["roles"]
    longest = max(len(text) for row in rows for text in row[REFERENCE])
    messages = tuple(Message(role=role, content=f"{{{{ message_{at} }}}}") for at, role in enumerate(roles))
    prompt = Prompt(name=PROMPT, description="The messages as they were learnt.", messages=messages)
    tokens = min(MOST_TOKENS, max(16, longest // CHARACTERS_A_TOKEN))
    experiment = Experiment(
        name=NAME,
        dataset=DatasetChoice(name=NAME, split="train"),
        prompts=(PROMPT,),
        models=(base, tuned),
        sampling={"temperature": 0.0, "max_tokens": tokens},
        metrics=(METRIC,),
        baseline=Baseline(prompt=PROMPT, model=base),
    )
    dataset = Dataset(NAME, "train", tuple(rows), REFERENCE, DatasetCard(name=NAME, splits=("train",)))
    cells = tuple(Cell(at, PROMPT, prompt.version, model) for at, model in enumerate((base, tuned)))
    return Plan(experiment, dataset, cells, {PROMPT: prompt})
