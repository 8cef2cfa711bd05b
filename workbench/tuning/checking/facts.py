"""What a collection is like for one base: how many examples, how long they are in its own tokens.

DataFacts(task="completion", examples=266, prompts=Lengths(total=19152, longest=96, most=88),
          completions=Lengths(…), lengths=(171, 148, …), context=1024)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from workbench.core.collection import Item, Task
from workbench.errors import ModelError, TuningError
from workbench.tuning.checking.base import Base
from workbench.tuning.training.examples import encode_answer

MOST = 0.95
SHOWN = 40


@dataclass(frozen=True, slots=True)
class Lengths:
    """Tokens of many texts.

    Attributes:
        most: 95 % of the texts are no longer.
    """

    total: int
    longest: int
    most: int

    @classmethod
    def of(cls, counts: Sequence[int]) -> Lengths:
        """Of no texts, all is 0."""
        if not counts:
            return cls(0, 0, 0)
        ordered = sorted(counts)
        return cls(sum(ordered), ordered[-1], ordered[min(len(ordered) - 1, int(MOST * len(ordered)))])


@dataclass(frozen=True, slots=True)
class DataFacts:
    """A collection as a base reads it, its chat template's tokens included.

    Attributes:
        prompts: what the model is shown.
        completions: what it learns to answer, to the end of the turn; of a preference, both texts.
        lengths: by item, tokens of the whole example; of a preference, of its longer text.
        context: of the base, in tokens.
    """

    task: Task
    examples: int
    prompts: Lengths
    completions: Lengths
    lengths: tuple[int, ...]
    context: int | None

    @property
    def tokens(self) -> int:
        """Tokens that one time through the data reads; a preference's prompt is read with each text."""
        return self.prompts.total * (2 if self.task == "preference" else 1) + self.completions.total

    @property
    def longest(self) -> int:
        """Tokens of the longest example."""
        return max(self.lengths, default=0)

    def longest_within(self, tokens: int | None) -> int:
        """Tokens of the longest example that has no more than `tokens`; None: of all."""
        return max((length for length in self.lengths if tokens is None or length <= tokens), default=0)

    def longer_than(self, tokens: int) -> int:
        """How many examples have more tokens."""
        return sum(length > tokens for length in self.lengths)


def asking(item: Item) -> str:
    """Words by which a person finds an item: its number in the collection is not kept with a tuning."""
    return f"that asks '{cut(item.question)}'"


def cut(text: str) -> str:
    """The beginning of a text, in one line."""
    line = " ".join(text.split())
    return line if len(line) <= SHOWN else f"{line[:SHOWN]}…"


def measure(base: Base, items: Sequence[Item], task: Task) -> DataFacts:
    """Counts every example in the base's own tokens and chat template, as training will read it.

    Raises TuningError where the base has no chat template, or it does not accept an item's messages.
    """
    try:
        chat = base.chat
    except ModelError as problem:
        raise TuningError(f"'{base.name}' cannot be tuned: {problem.problem}") from None
    prompts, completions, lengths = [], [], []
    for item in items:
        texts = (item.completion,) if item.rejected is None else (item.completion, item.rejected)
        try:
            answers = [encode_answer(chat, item.messages, text) for text in texts]
        except ModelError as problem:
            raise TuningError(
                f"'{base.name}' cannot read the item {asking(item)}: {problem.problem}"
            ) from None
        prompts.append(len(answers[0][0]))
        completions.append(sum(len(answer) for _, answer in answers))
        lengths.append(prompts[-1] + max(len(answer) for _, answer in answers))
    return DataFacts(
        task, len(items), Lengths.of(prompts), Lengths.of(completions), tuple(lengths), base.context
    )
