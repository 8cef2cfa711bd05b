"""A small classification: moods of short texts, judged by a server that is wrong in known ways."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

PROMPT = """
name: mood
messages:
  - {role: user, content: "Is this good, bad or mixed? {{ text }}"}
answer: {after: "Answer:"}
"""
EXPERIMENT = """
name: moods
dataset: {name: moods}
prompts: [mood]
models: [server]
metrics: [accuracy, macro_f1]
"""
ROWS = [("fine", "good")] * 6 + [("awful", "bad")] * 4 + [("so so", "mixed")] * 2


def feels(body: dict[str, Any]) -> str:
    """Takes what is mixed for bad, and says nothing of the last good one."""
    text = body["messages"][-1]["content"]
    if "number 5" in text:
        return "Well."
    return "Answer: " + ("good" if "fine" in text else "Bad")


def add_moods(root: Path) -> None:
    """Adds the prompt, the dataset and the experiment to a workspace."""
    (root / "prompts" / "mood.yaml").write_text(PROMPT)
    (root / "experiments" / "moods.yaml").write_text(EXPERIMENT)
    folder = root / "experiments" / "datasets" / "moods"
    folder.mkdir(parents=True)
    lines = [
        {"id": f"mood-{number}", "text": f"{text}, number {number}", "answer": mood}
        for number, (text, mood) in enumerate(ROWS)
    ]
    (folder / "test.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
