"""A small workspace over a real OpenAI-compatible server that can add, sometimes."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.fake_openai import BaseUrl, openai_server
from workbench.core.document import load
from workbench.core.experiment import Experiment
from workbench.engine import Workspace

PROMPTS = {
    "direct": """
messages:
  - {role: user, content: "{{ question }}"}
answer: {after: "Answer:", type: number}
""",
    "careful": """
messages:
  - {role: user, content: "{{ question }}"}
reasoning: step_by_step
answer: {after: "Answer:", type: number}
""",
    "three-shots": """
messages:
  - {role: user, content: "{{ question }}"}
examples: {from: sums#train, count: 3}
answer: {after: "Answer:", type: number}
""",
    "vote": """
members:
  - {prompt: careful, samples: 3, sampling: {temperature: 0.7}}
""",
}
EXPERIMENT = """
name: sums
dataset: {name: sums}
prompts: [direct, careful]
models: [server]
metrics: [exact_match]
baseline: {prompt: direct, model: server}
"""


def adds(body: dict[str, Any]) -> str:
    """Right when asked to think; off by one for odd sums otherwise."""
    question = body["messages"][-1]["content"]
    numbers = [int(number) for number in re.findall(r"\d+", question)]
    total = sum(numbers)
    careful = "step by step" in question
    return f"Answer: {total if careful or total % 2 == 0 else total + 1}"


def write_workspace(root: Path, base_url: str, rows: int = 12) -> Path:
    """Prompts, one dataset of sums and one model, under `root`."""
    (root / "prompts").mkdir(parents=True)
    folder = root / "experiments" / "datasets" / "sums"
    folder.mkdir(parents=True)
    for name, text in PROMPTS.items():
        (root / "prompts" / f"{name}.yaml").write_text(f"name: {name}\n{text}")
    for split, start in (("train", 1000), ("test", 0)):
        lines = [
            {"id": f"{split}-{n}", "question": f"What is {n + start} + 7?", "answer": str(n + start + 7)}
            for n in range(rows)
        ]
        (folder / f"{split}.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    (root / "experiments" / "models.yaml").write_text(
        f"models:\n  - {{name: server, provider: openai, model: fake, base_url: '{base_url}', retries: 0,"
        " price: {prompt: 1000, completion: 1000}}\n"
    )
    (root / "experiments" / "sums.yaml").write_text(EXPERIMENT)
    return root


@pytest.fixture
def server() -> Iterator[BaseUrl]:
    """A server that adds."""
    with openai_server(answer=adds) as base_url:
        yield base_url


@pytest.fixture
def workspace(tmp_path: Path, server: BaseUrl) -> Iterator[Workspace]:
    """A workspace whose model is the server that adds."""
    opened = Workspace.open(write_workspace(tmp_path / "root", server))
    yield opened
    opened.close()


@pytest.fixture
def experiment() -> Callable[..., Experiment]:
    """The experiment `sums` with changes."""

    def build(**changes: Any) -> Experiment:
        content = load(Experiment, EXPERIMENT).model_dump(exclude_defaults=True) | changes
        return Experiment.model_validate(content)

    return build
