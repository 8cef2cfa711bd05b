"""ShareGPT's format: a conversation by who speaks, of which the last answer is learnt.

{"conversations": [{"from": "human", "value": "2 + 2?"}, {"from": "gpt", "value": "4"}],
 "system": "You add.", "tools": "[…]"}
{"conversations": [{"from": "human", "value": "2 + 2?"}],
 "chosen": {"from": "gpt", "value": "4"}, "rejected": {"from": "gpt", "value": "5"}}
"""

from __future__ import annotations

from typing import Any

from workbench.core.collection import Item, Origin
from workbench.core.model import ChatMessage
from workbench.datasets.json_rows import Row, UnusableRow, json_type
from workbench.tuning.formats.extras import extra_of, with_extra
from workbench.tuning.formats.message_keys import MESSAGE_KEYS, with_keys, without_keys
from workbench.tuning.formats.messages import (
    COMPLETION,
    REJECTED,
    answer,
    answer_text,
    as_given,
    checked_prompt,
    message_list,
    places,
    text_at,
    understood,
)
from workbench.tuning.formats.registry import ExampleFormat, example_format

SHARED = ("conversations", "system", MESSAGE_KEYS)
PAIR = ("chosen", "rejected")
SPEAKERS = {"user": "human", "assistant": "gpt", "system": "system", "tool": "observation"}
ROLES = {speaker: role for role, speaker in SPEAKERS.items()}
OTHER_ROLES = {
    "function_call": "assistant",
    "assistant": "assistant",
    "chatgpt": "assistant",
    "bing": "assistant",
    "bard": "assistant",
    "model": "assistant",
    "user": "user",
    "tool": "tool",
}
"""Speakers that are read as well; each is written as it was."""


@example_format("sharegpt", tasks=("completion", "preference"))
class ShareGpt(ExampleFormat):
    """Preferences where there are `chosen` and `rejected`, else completions."""

    description = "ShareGPT: conversations of from and value, system, tools; or chosen, rejected."

    def recognises(self, line: Row) -> bool:
        """By its turns, each with who speaks."""
        turns = line.get("conversations")
        return (
            isinstance(turns, list)
            and bool(turns)
            and all(isinstance(turn, dict) and "from" in turn for turn in turns)
        )

    def read(self, line: Row, origin: Origin) -> Item:
        """`system` comes before the turns."""
        turns = message_list(line.get("conversations"), "conversations")
        pair = line.keys() >= set(PAIR)
        extra = extra_of(line, (*SHARED, *PAIR) if pair else SHARED, PAIR)
        system = line.get("system")
        if system not in (None, ""):
            turns = [{"from": "system", "value": text_at(line, "system")}, *turns]
        if pair:
            given = places(turns) | {COMPLETION: _one(line["chosen"]), REJECTED: _one(line["rejected"])}
        elif turns:
            given = places(turns[:-1]) | {COMPLETION: turns[-1]}
        else:
            raise UnusableRow("`conversations` is empty; it needs a question and an answer.")
        found = understood(given, extra, read_turn)
        completion = answer_text(found.pop(COMPLETION), "`chosen`" if pair else "the last turn")
        rejected = answer_text(found.pop(REJECTED), "`rejected`") if pair else None
        messages = with_keys(list(found.values()), line.get(MESSAGE_KEYS))
        return Item(checked_prompt(messages), completion, origin, rejected=rejected, extra=extra)

    def write(self, item: Item) -> Row:
        """One line. Raises UnusableRow for a role that no speaker stands for."""
        extra = dict(item.extra)
        messages, keys = without_keys(item.messages)
        answers = {COMPLETION: answer(item.completion)}
        if item.rejected is not None:
            answers[REJECTED] = answer(item.rejected)
        turns = as_given(places(messages) | answers, extra, read_turn, _turn)
        line: Row = {"conversations": []}
        if _is_plain_system(messages[0], turns["0"]):
            line["system"] = turns.pop("0")["value"]
        if item.rejected is not None:
            line |= {"chosen": turns.pop(COMPLETION), "rejected": turns.pop(REJECTED)}
        line["conversations"] = list(turns.values())
        return with_extra(line | keys, extra, (*SHARED, *PAIR))


def read_turn(given: Any) -> tuple[ChatMessage, Row | None]:
    """A turn as role and text, and itself where it holds more. Raises UnusableRow."""
    if not isinstance(given, dict):
        raise UnusableRow(f'a turn is an object with "from" and "value", not {json_type(given)}.')
    speaker = given.get("from")
    role = ROLES.get(str(speaker)) or OTHER_ROLES.get(str(speaker))
    if role is None:
        known = ", ".join([*ROLES, *OTHER_ROLES])
        raise UnusableRow(f"`from` of a turn is {str(speaker)[:40]!r}, and should be one of {known}.")
    message = {"role": role, "content": text_at(given, "value")}
    return message, None if given.keys() == {"from", "value"} and speaker in ROLES else dict(given)


def _turn(message: ChatMessage) -> Row:
    if message["role"] not in SPEAKERS:
        raise UnusableRow(
            f"it has no speaker for the role {message['role'][:40]!r}, only for {', '.join(SPEAKERS)}; "
            "openai and trl hold it."
        )
    return {"from": SPEAKERS[message["role"]], "value": message["content"]}


def _is_plain_system(message: ChatMessage, turn: Row) -> bool:
    """Whether a line's `system` holds all of it; an empty one there means that there is none."""
    return message["role"] == "system" and bool(message["content"]) and turn.keys() == {"from", "value"}


def _one(given: Any) -> Any:
    return given[0] if isinstance(given, list) and len(given) == 1 else given
