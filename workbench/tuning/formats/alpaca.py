"""Alpaca's format, as Stanford began it and LLaMA-Factory reads it: instruction and output.

{"instruction": "Add.", "input": "2 and 2", "output": "4", "system": "You add.", "history": [["1 + 1?", "2"]]}
{"instruction": "2 + 2?", "input": "", "chosen": "4", "rejected": "5"}

The model is shown the instruction, an empty line, the input; before them the system message and the turns
of the history. The input is kept in `extra` so that it can be told from the instruction again.
"""

from __future__ import annotations

from typing import Any

from workbench.core.collection import Item, Origin
from workbench.core.model import ChatMessage
from workbench.datasets.json_rows import Row, UnusableRow, json_type
from workbench.tuning.formats.extras import extra_of, with_extra
from workbench.tuning.formats.message_keys import MESSAGE_KEYS, with_keys, without_keys
from workbench.tuning.formats.messages import text_at
from workbench.tuning.formats.registry import ExampleFormat, example_format

BETWEEN = "\n\n"
SHARED = ("instruction", "input", "system", "history", MESSAGE_KEYS)
PAIR = ("chosen", "rejected")


@example_format("alpaca", tasks=("completion", "preference"))
class Alpaca(ExampleFormat):
    """Preferences where there are `chosen` and `rejected`, else completions."""

    description = "Alpaca: instruction, input, output, system, history; or chosen, rejected for output."

    def recognises(self, line: Row) -> bool:
        """By its instruction and answers, where no list of messages stands beside."""
        if line.keys() & {"messages", "conversations", "generator"} or "instruction" not in line:
            return False
        return "output" in line or line.keys() >= set(PAIR)

    def unmistakable(self, line: Row) -> bool:
        """An instruction with an output may be a row with its right answer."""
        return line.keys() >= set(PAIR)

    def read(self, line: Row, origin: Origin) -> Item:
        """One example."""
        pair = line.keys() >= set(PAIR)
        extra = extra_of(line, (*SHARED, *(PAIR if pair else ("output",))), PAIR)
        content = text_at(line, "instruction")
        more = line.get("input")
        if more not in (None, ""):
            content += BETWEEN + text_at(line, "input")
            extra["input"] = more
        messages: list[ChatMessage] = []
        if line.get("system") not in (None, ""):
            messages.append({"role": "system", "content": text_at(line, "system")})
        for asked, said in _turns(line.get("history")):
            messages += [{"role": "user", "content": asked}, {"role": "assistant", "content": said}]
        messages.append({"role": "user", "content": content})
        return Item(
            with_keys(messages, line.get(MESSAGE_KEYS)),
            text_at(line, "chosen" if pair else "output"),
            origin,
            rejected=text_at(line, "rejected") if pair else None,
            extra=extra,
        )

    def write(self, item: Item) -> Row:
        """One line. Raises UnusableRow where it is not a system message, then user and assistant in turn."""
        messages, keys = without_keys(item.messages)
        extra = dict(item.extra)
        line: Row = _shown(messages)
        more = extra.get("input")
        if isinstance(more, str) and more and line["instruction"].endswith(BETWEEN + more):
            line["instruction"] = line["instruction"].removesuffix(BETWEEN + more)
            line["input"] = extra.pop("input")
        if item.rejected is None:
            line = {**line, "output": item.completion}
        else:
            line = {**line, "chosen": item.completion, "rejected": item.rejected}
        own = {*SHARED, *PAIR, *line}  # `chosen` and `rejected` beside an output would make it a preference
        return with_extra(line | keys, extra, own)


def _turns(history: Any) -> list[tuple[str, str]]:
    if history is None:
        return []
    if not isinstance(history, list):
        raise UnusableRow(f"`history` is a list of turns, and here it is {json_type(history)}.")
    for turn in history:
        if not (isinstance(turn, list) and len(turn) == 2 and all(isinstance(text, str) for text in turn)):
            raise UnusableRow('a turn of `history` is two texts: ["what was asked", "what was answered"].')
    return [(asked, said) for asked, said in history]


def _shown(messages: list[ChatMessage]) -> Row:
    """Instruction, system and history of what the model is shown."""
    system = messages[0]["content"] if messages[0]["role"] == "system" else None
    turns = messages[1:] if system is not None else messages
    roles = [message["role"] for message in turns]
    if system == "" or not turns or roles != (["user", "assistant"] * len(roles))[: len(roles)]:
        raise UnusableRow(
            "it has a place for one system message, then for a user's and the assistant's in turn; "
            f"these are {', '.join(message['role'][:40] for message in messages[:8])}"
            f"{', the system message empty' if system == '' else ''}; openai and trl hold them."
        )
    line: Row = {"instruction": turns[-1]["content"], "input": ""}
    if system is not None:
        line["system"] = system
    history = [message["content"] for message in turns[:-1]]
    if history:
        line["history"] = [[asked, said] for asked, said in zip(history[::2], history[1::2], strict=True)]
    return line
