"""What local models are asked in measurements: prompts of a known shape, the same for every contender."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path

Messages = tuple[dict[str, str], ...]

DATASET = Path(__file__).resolve().parents[1] / "experiments" / "datasets" / "word-problems"
INSTRUCTION = 'You solve arithmetic word problems. End with "Answer:" and the number.'
SHOTS = 8
SHOT_CHARACTERS = (155, 195)  # of question and reasoning: eight of them are some 600 tokens of `small`
WORDS = ("apples", "bus", "coins", "day", "five", "gives", "how", "left", "many", "red", "two")


def eight_shots(rows: int, variant: int = 0) -> list[Messages]:
    """Questions behind one system text and eight worked examples; each variant has examples of its own."""
    low, high = SHOT_CHARACTERS
    fitting = [row for row in _rows("train") if low <= len(row["question"] + row["reasoning"]) <= high]
    turns: list[dict[str, str]] = []
    for shot in random.Random(variant).sample(fitting, SHOTS):
        turns += [
            {"role": "user", "content": shot["question"]},
            {"role": "assistant", "content": f"{shot['reasoning']} Answer: {shot['answer']}"},
        ]
    return [
        ({"role": "system", "content": INSTRUCTION}, *turns, {"role": "user", "content": question})
        for question in _questions(rows, variant)
    ]


def no_shots(rows: int, variant: int = 0) -> list[Messages]:
    """Questions that share nothing but how the chat template begins."""
    return [({"role": "user", "content": question},) for question in _questions(rows, variant)]


def of_lengths(tokens: Sequence[int], count: Callable[[Messages], int], seed: int = 1) -> list[Messages]:
    """Prompts of words drawn at random, each with the tokens asked for, or a few more by its last word.

    Args:
        tokens: one length a prompt; a length under what an empty prompt takes gives a one-word prompt.
        count: the tokens of messages as the model sees them.
        seed: of the words.
    """
    draw = random.Random(seed)
    found: list[Messages] = []
    for wanted in tokens:
        words = [draw.choice(WORDS) for _ in range(wanted)]
        least, most = 1, max(1, wanted)
        while least < most:
            middle = (least + most) // 2
            if count(_said(words[:middle])) < wanted:
                least = middle + 1
            else:
                most = middle
        found.append(_said(words[:least]))
    return found


def worked_answers(rows: int) -> list[str]:
    """What a model might have answered: reasoning and answer of the word problems, no two of them equal."""
    stories = _rows("train")
    return [
        f"{(story := stories[row % len(stories)])['reasoning']} Answer: {story['answer']}"
        + (f" ({row // len(stories)})" if row >= len(stories) else "")
        for row in range(rows)
    ]


def _said(words: Sequence[str]) -> Messages:
    return ({"role": "user", "content": " ".join(words)},)


def _questions(rows: int, variant: int) -> list[str]:
    stories = _rows("test")
    found = []
    for row in range(rows):
        question = stories[(variant * rows + row) % len(stories)]["question"]
        again = row // len(stories)  # more rows than stories: a number keeps two of them from being equal
        found.append(f"{question} ({again})" if again else question)
    return found


@cache
def _rows(split: str) -> list[dict[str, str]]:
    lines = (DATASET / f"{split}.jsonl").read_text("utf-8").splitlines()
    return [json.loads(line) for line in lines]
