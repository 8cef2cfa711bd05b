"""What is measured on an embedded model, as right-or-wrong columns over held-out rows.

{"word-problems/direct": [0, 0, 1, ...], "word-problems/step_by_step": [1, 0, 1, ...], ...}
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable

from workbench.models.embedded.dataset_files import Row, rows
from workbench.models.embedded.generator.labelling import SYSTEM_PROMPTS as LABEL_SYSTEM
from workbench.models.embedded.generator.reasoning import INSTRUCTIONS
from workbench.models.embedded.generator.reasoning import SYSTEM_PROMPTS as PROBLEM_SYSTEM
from workbench.models.embedded.generator.sentences import SYSTEM_PROMPT as REWRITE_SYSTEM
from workbench.models.embedded.inference import Completer, Messages

Scores = dict[str, list[float]]

REASONING = ("step_by_step", "plan_then_solve", "least_to_most", "self_check")
SHOT_COUNTS = (0, 1, 2, 4, 8)
BATCH_SECONDS = "cost/batch_seconds"
VOTES, VOTE_TEMPERATURE, VOTE_ROWS = 7, 0.7, 300


def read_number(text: str) -> str | None:
    """The number after the last `Answer:`, or None."""
    found = re.findall(r"Answer:\s*(-?\d+)", text)
    return found[-1] if found else None


def majority(answers: list[str | None]) -> str | None:
    """The most frequent answer that could be read; the earliest among equals."""
    counted = Counter(answer for answer in answers if answer is not None)
    return counted.most_common(1)[0][0] if counted else None


def problem_prompt(row: Row, technique: str, shots: list[Row] | None = None) -> Messages:
    """The chat that the workbench's own prompts send for a word problem."""
    messages = [{"role": "system", "content": PROBLEM_SYSTEM[0]}]
    for shot in shots or []:
        messages += [
            {"role": "user", "content": shot["question"]},
            {"role": "assistant", "content": f"{shot['reasoning']} Answer: {shot['answer']}"},
        ]
    asked = row["question"] if technique == "none" else f"{row['question']}\n{INSTRUCTIONS[technique][0]}"
    return [*messages, {"role": "user", "content": asked}]


def label_prompt(row: Row, shots: list[Row]) -> Messages:
    """The chat of the labelling prompts."""
    messages = [{"role": "system", "content": LABEL_SYSTEM[0]}]
    for shot in shots:
        messages += [
            {"role": "user", "content": f"{shot['text']}\nLabel:"},
            {"role": "assistant", "content": shot["label"]},
        ]
    return [*messages, {"role": "user", "content": f"{row['text']}\nLabel:"}]


def rewrite_prompt(row: Row) -> Messages:
    """The chat of the rewriting prompt."""
    return [
        {"role": "system", "content": REWRITE_SYSTEM},
        {"role": "user", "content": f"{row['instruction']}: {row['sentence']}"},
    ]


class Measurer:
    """Runs measurements on one model, over the first `limit` rows of a split."""

    def __init__(self, completer: Completer, split: str = "test", limit: int | None = None) -> None:
        self.completer, self.split, self.limit = completer, split, limit
        self.scores: Scores = {}

    def _rows(self, dataset: str) -> list[Row]:
        return list(rows(dataset, self.split))[: self.limit]

    def problems(self, dataset: str, techniques: tuple[str, ...]) -> list[list[str | None]]:
        """Greedy answers under each technique; the column `dataset/technique` for each."""
        asked = self._rows(dataset)
        told = []
        for technique in techniques:
            texts = self.completer.complete([problem_prompt(row, technique) for row in asked])
            answers = [read_number(text) for (text,) in texts]
            self.scores[f"{dataset}/{technique}"] = _right(answers, asked, "answer")
            told.append(answers)
        return told

    def worked_examples(self, shots: int = 3) -> None:
        """The first training rows as worked examples and no instruction at all."""
        asked, examples = self._rows("word-problems"), list(rows("word-problems", "train"))[:shots]
        texts = self.completer.complete([problem_prompt(row, "none", examples) for row in asked])
        self.scores[f"word-problems/{shots}_worked_examples"] = _right(
            [read_number(text) for (text,) in texts], asked, "answer"
        )

    def prompt_vote(self, answers: list[list[str | None]]) -> None:
        """A vote over the answers of several prompts, and their members' mean."""
        asked = self._rows("word-problems")
        members = [_right(column, asked, "answer") for column in answers]
        self.scores["word-problems/mean_of_prompts"] = [
            sum(row) / len(row) for row in zip(*members, strict=True)
        ]
        voted = [majority(list(row)) for row in zip(*answers, strict=True)]
        self.scores["word-problems/vote_of_prompts"] = _right(voted, asked, "answer")

    def sample_vote(self, technique: str) -> None:
        """A vote over seven samples of one prompt, and the mean of a single sample."""
        asked = self._rows("word-problems")[:VOTE_ROWS]
        texts = self.completer.complete(
            [problem_prompt(row, technique) for row in asked], VOTE_TEMPERATURE, VOTES, seed=1
        )
        answers = [[read_number(text) for text in told] for told in texts]
        self.scores[f"word-problems/{technique}_one_sample"] = [
            sum(answer == row["answer"] for answer in told) / VOTES
            for told, row in zip(answers, asked, strict=True)
        ]
        voted = [majority(told) for told in answers]
        self.scores[f"word-problems/{technique}_vote_of_samples"] = _right(voted, asked, "answer")

    def labels(self, shot_counts: tuple[int, ...] = SHOT_COUNTS) -> None:
        """The first k training rows as examples."""
        asked, examples = self._rows("team-labels"), list(rows("team-labels", "train"))
        for count in shot_counts:
            texts = self.completer.complete([label_prompt(row, examples[:count]) for row in asked])
            self.scores[f"team-labels/{count}_shots"] = _right([text for (text,) in texts], asked, "label")

    def rewriting(self) -> None:
        """Exact agreement with the one right result."""
        asked = self._rows("rewriting")
        texts = self.completer.complete([rewrite_prompt(row) for row in asked])
        self.scores["rewriting/exact"] = _right([text for (text,) in texts], asked, "reference")

    def cost(self, batches: int = 12, batch_rows: int = 16, new_tokens: int = 64) -> None:
        """Seconds of equal batches; the same batches for every model."""
        prompts = [problem_prompt(row, "step_by_step") for row in rows("word-problems", self.split)]
        self.completer.seconds_for(prompts[:batch_rows], new_tokens)
        self.scores[BATCH_SECONDS] = [
            self.completer.seconds_for(prompts[first * batch_rows : (first + 1) * batch_rows], new_tokens)
            for first in range(batches)
        ]


def _right(answers: list[str | None], asked: list[Row], column: str) -> list[float]:
    return [float(answer == row[column]) for answer, row in zip(answers, asked, strict=True)]


def measure_everything(completer: Completer, split: str = "test", limit: int | None = None) -> Scores:
    """Every column for one model in one precision."""
    measurer = Measurer(completer, split, limit)
    stages: list[Callable[[], None]] = [
        lambda: measurer.prompt_vote(measurer.problems("word-problems", REASONING)),
        measurer.labels,
        measurer.rewriting,
        measurer.cost,
    ]
    if completer.precision == "fp32":
        stages += [
            lambda: _discard(measurer.problems("word-problems", ("direct",))),
            measurer.worked_examples,
            lambda: measurer.sample_vote("step_by_step"),
            lambda: measurer.sample_vote("plan_then_solve"),
            lambda: _discard(measurer.problems("transit", ("direct", "step_by_step"))),
        ]
    for stage in stages:
        stage()
    return measurer.scores


def _discard(_: object) -> None:
    """A stage's answers are not needed beyond its scores."""
