"""Examples as token ids: what the model is shown, and what it learns to say after it.

{"messages": [{"role": "user", "content": "2 + 2?"}], "completion": "4"}
    ->  Encoded(prompt=(4, 21, 15, 21, 34, 5), completion=(23, 2))

Prompt and completion are cut into tokens apart from each other, as they are when the model answers: no
token reaches over the border between them, and the completion ends with what ends a turn.
"""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workbench.core.model import ChatMessage
from workbench.core.tuning import TASK_OF, Objective
from workbench.errors import TuningError
from workbench.models.local.chat import ChatTokenizer

IGNORED = -100
"""The label of a token that does not count in the loss."""


@dataclass(frozen=True, slots=True)
class Encoded:
    """One example. `rejected` of a preference, `label` of a completion said to be good or bad."""

    prompt: tuple[int, ...]
    completion: tuple[int, ...]
    rejected: tuple[int, ...] | None = None
    label: bool | None = None

    @property
    def tokens(self) -> int:
        """The longest sequence that it makes."""
        return len(self.prompt) + max(len(self.completion), len(self.rejected or ()))


def read_examples_file(file: Path, objective: Objective) -> list[dict[str, Any]]:
    """The lines of train.jsonl or validation.jsonl. Raises TuningError for what cannot be learnt."""
    task = TASK_OF[objective]
    found = []
    with file.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            try:
                row = json.loads(line)
                if not row["messages"] or not isinstance(row["completion"], str):
                    raise ValueError
            except (ValueError, TypeError, KeyError):
                raise TuningError(
                    f"{file.name}, line {number}: not an example with `messages` and `completion`; collect "
                    "the examples again."
                ) from None
            if task == "preference" and not isinstance(row.get("rejected"), str):
                raise TuningError(
                    f"{file.name}, line {number}: objective '{objective}' learns from preferences, and this "
                    "example has no `rejected`; collect pairs, or use the objective supervised."
                )
            if task == "label" and not isinstance(row.get("label"), bool):
                raise TuningError(
                    f"{file.name}, line {number}: objective '{objective}' learns from completions said to be "
                    "good or bad, and this example has no `label`; collect labels, or use another objective."
                )
            found.append(row)
    return found


def encode(chat: ChatTokenizer, row: dict[str, Any], objective: Objective) -> Encoded:
    """One example as token ids. Raises ModelRefused where the chat template does not take its messages."""
    prompt, completion = encode_answer(chat, row["messages"], row["completion"])
    task = TASK_OF[objective]
    if task == "preference":
        return Encoded(prompt, completion, encode_answer(chat, row["messages"], row["rejected"])[1])
    return Encoded(prompt, completion, label=row["label"] if task == "label" else None)


def encode_answer(
    chat: ChatTokenizer, messages: Sequence[ChatMessage], completion: str
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The prompt's tokens and the answer's, up to and with the one that ends a turn."""
    before = chat.text(messages)
    whole = chat.text([*messages, {"role": "assistant", "content": completion}], opened=False)
    # a template may write an answered conversation otherwise than an open one: then the bare answer
    after = whole[len(before) :] if whole.startswith(before) else completion
    if after.startswith(completion):  # a line break after the end of the turn is never said
        after = completion + after[len(completion) :].rstrip()
    answer = chat.encode_rendered(after)
    ended = bool(answer) and answer[-1] in chat.tokenizer.added_tokens_decoder
    if not ended and chat.end_id is not None:
        answer = (*answer, chat.end_id)
    return chat.encode_rendered(before), answer


def fitting(examples: Sequence[Encoded], longest: int | None) -> list[int]:
    """The places of the examples that are not longer than that many tokens."""
    return [place for place, one in enumerate(examples) if longest is None or one.tokens <= longest]


def columns(examples: Sequence[Encoded], objective: Objective, batch: int) -> list[dict[str, Any]]:
    """The examples as the trainer of the objective reads them.

    `batch` counts for kto alone, which holds each example's prompt against another completion of its batch.
    """
    return [
        _columns(one, objective, other) for one, other in zip(examples, _others(examples, batch), strict=True)
    ]


def shuffled(examples: Sequence[Encoded], seed: int) -> list[Encoded]:
    """The examples in another order, for the objective whose trainer reads them one after the other."""
    found = list(examples)
    random.Random(seed).shuffle(found)
    return found


def _others(examples: Sequence[Encoded], batch: int) -> list[Encoded]:
    found: list[Encoded] = []
    for start in range(0, len(examples), batch):
        together = list(examples[start : start + batch])
        found += together[-1:] + together[:-1]
    return found


def _columns(one: Encoded, objective: Objective, other: Encoded) -> dict[str, Any]:
    prompt, completion, rejected = list(one.prompt), list(one.completion), list(one.rejected or ())
    if objective == "supervised":
        return {"input_ids": prompt + completion, "labels": [IGNORED] * len(prompt) + completion}
    if objective == "dpo":
        return {"prompt_ids": prompt, "chosen_ids": completion, "rejected_ids": rejected}
    if objective == "kto":
        found = {"prompt_ids": prompt, "completion_ids": completion, "label": bool(one.label)}
        return found | {"KL_completion_ids": list(other.completion)}
    found = {"prompt_input_ids": prompt, "prompt_attention_mask": [1] * len(prompt)}
    for name, answer in (("chosen", completion), ("rejected", rejected)):
        found[f"{name}_input_ids"] = prompt + answer
        found[f"{name}_attention_mask"] = [1] * (len(prompt) + len(answer))
        found[f"{name}_labels"] = [IGNORED] * len(prompt) + answer
    return found
