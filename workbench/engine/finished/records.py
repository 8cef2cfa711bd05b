"""What a file of finished outputs holds, in our words: formats yield these, `storing` makes a run of them.

FinishedOutput(row_id="17", row={"question": "…"}, prompt="direct", model="gpt-4", text="Answer: 42",
               reference="42", scores={"contains": 1.0})
FinishedPreference(row_id="17", row={…}, rater="ada", first=Side("direct", "gpt-4", "…"),
                   second=Side("direct", "claude-2", "…"), value=0.5)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from workbench.core.prompt import AnswerRule

Template = tuple[tuple[str, str], ...]
"""A prompt's messages as (role, text); the texts are templates over the row's columns."""


@dataclass(frozen=True, slots=True)
class FinishedOutput:
    """One model call that somebody else made.

    Attributes:
        row_id: names the row; outputs of one row stand beside each other.
        row: its columns, without `id` and without the reference.
        prompt: how people call the prompt; any text, of which a usable name is made.
        model: the model's name as the file has it.
        text: the whole output; "" where the call failed.
        reference: the right answer (or a list of acceptable ones), where there is one.
        repeat: which repeat of the row it is, from 0; None takes the next that is free.
        answer: what the other tool read out of the text; None: it does not say.
        error: why the call failed; None where it did not.
        scores: by metric name, what the other tool measured; None or NaN is "not scored".
        messages: the prompt as templates, where the file tells; the first output of a prompt decides.
    """

    row_id: str
    row: Mapping[str, Any]
    prompt: str
    model: str
    text: str
    reference: Any = None
    repeat: int | None = None
    answer: str | None = None
    error: str | None = None
    scores: Mapping[str, float | None] = field(default_factory=dict)
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    latency_s: float | None = None
    cost_usd: float | None = None
    messages: Template = ()


@dataclass(frozen=True, slots=True)
class Side:
    """One of two outputs that were held beside each other."""

    prompt: str
    model: str
    text: str
    messages: Template = ()


@dataclass(frozen=True, slots=True)
class FinishedPreference:
    """Which of two outputs of one row somebody preferred.

    `value`: 1 for the first, 0 for the second, 0.5 for a draw; None where the file does not say, which
    keeps the two outputs and no rating.
    """

    row_id: str
    row: Mapping[str, Any]
    rater: str
    first: Side
    second: Side
    value: float | None
    note: str = ""
    reference: Any = None


Finished = FinishedOutput | FinishedPreference


@dataclass(frozen=True, slots=True)
class ImportSettings:
    """What a person says about the files beside what stands in them.

    Attributes:
        output: the column with the outputs' texts: makes a table finished outputs.
        model, prompt, reference, row: columns of a table; None: what the format knows by itself.
        model_name: the model of every output, where no column says.
        scores: columns of a table with scores.
        lower: scores of which less is better, by their names in the file.
        answer: how answers are read out of texts, in place of those that the file gives, and of right
            answers; None keeps the file's, and takes the whole text where it has none.
    """

    output: str | None = None
    model: str | None = None
    model_name: str | None = None
    prompt: str | None = None
    reference: str | None = None
    row: str | None = None
    scores: tuple[str, ...] = ()
    lower: tuple[str, ...] = ()
    answer: AnswerRule | None = None


@dataclass
class Unmapped:
    """What in a file has no place here, each thing once, with how many times it was met."""

    counts: dict[str, int] = field(default_factory=dict)

    def add(self, what: str, times: int = 1) -> None:
        """Counts something that was left out, such as "key 'raw_response' of a response"."""
        self.counts[what] = self.counts.get(what, 0) + times

    def sentences(self) -> list[str]:
        """What was left out and how many times, as a person reads it."""
        return [what if times == 1 else f"{what} ({times:,} times)" for what, times in self.counts.items()]
