"""The datasets that the embedded models are measured on, written by the same generator.

    {"id": "word-problems-test-0001", "question": "Ann has 12 apples. ...", "answer": "14",
     "reasoning": "Ann has 12. She buys 5, so 12 + 5 = 17. ...", "steps": 2, "kind": "change"}

Rows of `dev` and `test` come from the sixteenth of all texts that no training chunk contains.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from typing import Any

import yaml

from workbench.models.embedded.generator.labelling import labelled_text
from workbench.models.embedded.generator.reasoning import step_by_step
from workbench.models.embedded.generator.sentences import rewriting
from workbench.models.embedded.generator.stories import HARDER, Problem, any_story, word_problem
from workbench.models.embedded.generator.transit import transit_story
from workbench.models.embedded.generator.words import pseudo_words

Row = dict[str, Any]
SPLITS = ("train", "dev", "test")
SOURCE = (
    "Written by workbench.models.embedded.generator; rebuild with python -m workbench.models.embedded.build"
)

_PROBLEM_COLUMNS = {
    "id": "unique name of the row",
    "question": "the story and its question",
    "answer": "the number asked for, as text",
    "reasoning": "worked steps, without the final answer",
    "steps": "how many steps the solution takes",
    "kind": "change, compare or transit",
}
DESCRIPTIONS: dict[str, tuple[str, dict[str, str]]] = {
    "word-problems": ("Arithmetic stories of two to four steps with worked solutions.", _PROBLEM_COLUMNS),
    "transit": (
        "Arithmetic stories about buses and trams, a domain the embedded models never saw.",
        _PROBLEM_COLUMNS,
    ),
    "team-labels": (
        "Short messages with made-up codes for four topics: only examples can tell what a code means.",
        {
            "id": "unique name of the row",
            "text": "the message",
            "label": "the code the team uses",
            "meaning": "the topic that the code stands for",
        },
    ),
    "rewriting": (
        "Sentences to put into the past, the future, the negative or a question.",
        {
            "id": "unique name of the row",
            "instruction": "what to do with the sentence",
            "sentence": "the sentence",
            "reference": "the rewritten sentence",
            "kind": "past, future, negative or question",
        },
    ),
}
SIZES = {
    "word-problems": {"train": 400, "dev": 300, "test": 600},
    "team-labels": {"train": 200, "dev": 300, "test": 400},
    "rewriting": {"train": 200, "dev": 300, "test": 400},
    "transit": {"train": 400, "dev": 300, "test": 400},
}
_TEAM_TOPICS = ("delivery", "billing", "account", "hardware")


def _problem_row(problem: Problem) -> Row:
    return {
        "question": problem.question,
        "answer": str(problem.answer),
        "reasoning": step_by_step(problem),
        "steps": len(problem.steps),
        "kind": problem.kind,
    }


def _word_problem(rng: random.Random, held_out: bool, index: int) -> Row:
    return _problem_row(word_problem(rng, [2, 3, 4], held_out, partial(any_story, limits=HARDER)))


def _transit_problem(rng: random.Random, held_out: bool, index: int) -> Row:
    return _problem_row(word_problem(rng, [2, 3, 4], held_out, transit_story))


@cache
def team_codes() -> dict[str, str]:
    """The four codes, pseudo-words that training never used."""
    codes = pseudo_words(random.Random("team-labels/codes"), len(_TEAM_TOPICS), held_out=True)
    return dict(zip(_TEAM_TOPICS, codes, strict=True))


def _team_label(rng: random.Random, held_out: bool, index: int) -> Row:
    # The topics take turns, so the first four rows show every code once.
    topic = _TEAM_TOPICS[index % 4] if not held_out else rng.choice(_TEAM_TOPICS)
    return {"text": labelled_text(rng, topic, held_out), "label": team_codes()[topic], "meaning": topic}


def _rewriting(rng: random.Random, held_out: bool, index: int) -> Row:
    row = rewriting(rng, held_out, own_wording=True)
    return {
        "instruction": row.instruction,
        "sentence": row.sentence,
        "reference": row.reference,
        "kind": row.kind,
    }


_WRITERS: dict[str, tuple[Callable[[random.Random, bool, int], Row], str]] = {
    "word-problems": (_word_problem, "question"),
    "transit": (_transit_problem, "question"),
    "team-labels": (_team_label, "text"),
    "rewriting": (_rewriting, "sentence"),
}


@cache
def rows(name: str, split: str) -> tuple[Row, ...]:
    """The rows of one split, the same on every machine; no text occurs twice in a dataset."""
    writer, text_column = _WRITERS[name]
    seen = {row[text_column] for row in rows(name, "dev")} if split == "test" else set()
    rng = random.Random(f"{name}/{split}")
    written: list[Row] = []
    while len(written) < SIZES[name][split]:
        row = writer(rng, split != "train", len(written))
        if row[text_column] not in seen:
            seen.add(row[text_column])
            written.append({"id": f"{name}-{split}-{len(written) + 1:04d}", **row})
    return tuple(written)


def write_dataset(name: str, folder: Path) -> None:
    """Writes `dataset.yaml` and the three splits into `folder/name`."""
    target = folder / name
    target.mkdir(parents=True, exist_ok=True)
    for split in SPLITS:
        lines = [json.dumps(row, ensure_ascii=False) for row in rows(name, split)]
        (target / f"{split}.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    description, columns = DESCRIPTIONS[name]
    described = {
        "name": name,
        "description": description,
        "license": "Apache-2.0",
        "source": SOURCE,
        "columns": columns,
        "splits": list(SPLITS),
    }
    (target / "dataset.yaml").write_text(
        yaml.safe_dump(described, sort_keys=False, width=100), encoding="utf-8"
    )


def write_datasets(folder: Path) -> None:
    """Writes all four datasets."""
    for name in SIZES:
        write_dataset(name, folder)
