"""Chat messages of files: read to role and text, and written again as they were.

    {"role": "assistant", "content": null, "tool_calls": [{"id": "c1", "function": {…}}]}

An item's messages are texts. A message that holds more, such as the calls of tools above, is shown to
the model as text and kept as it was under `raw_messages` of the item's `extra`, by its place: "0", "1", …
for what the model is shown, "completion" and "rejected" for what it answers.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from workbench.core.model import ChatMessage
from workbench.datasets.json_rows import Row, UnusableRow, json_type

RAW = "raw_messages"
COMPLETION, REJECTED = "completion", "rejected"
ASSISTANT = "assistant"

ReadMessage = Callable[[Any], tuple[ChatMessage, Row | None]]
"""A message of a file → role and text, and the message itself where those two do not hold all of it."""


def read_message(given: Any) -> tuple[ChatMessage, Row | None]:
    """An OpenAI chat message. Raises UnusableRow."""
    if not isinstance(given, dict):
        raise UnusableRow(f'a message is an object with "role" and "content", not {json_type(given)}.')
    role = given.get("role")
    if not isinstance(role, str) or not role:
        raise UnusableRow("a message has no `role`, such as system, user or assistant.")
    text = _text(given)
    if given.get("content") == text and all(isinstance(value, str) for value in given.values()):
        return dict(given), None
    return {"role": role, "content": text}, dict(given)


def _text(given: Mapping[str, Any]) -> str:
    """What a message says: its content, or the calls of tools that stand in its place."""
    content = given.get("content")
    calls = given.get("tool_calls") or given.get("function_call")
    if isinstance(content, list):
        content = "".join(_part(part) for part in content)
    elif content is not None and not isinstance(content, str):
        raise UnusableRow(f"`content` of a message is a text, and here it is {json_type(content)}.")
    if content is None and not calls and not given.get("refusal"):
        raise UnusableRow(f"a message of role {str(given.get('role'))[:40]} has no `content`.")
    return content or (json.dumps(calls, ensure_ascii=False) if calls else str(given.get("refusal") or ""))


def _part(part: Any) -> str:
    if isinstance(part, dict) and part.get("type") == "text" and isinstance(part.get("text"), str):
        return str(part["text"])
    kind = part.get("type") if isinstance(part, dict) else json_type(part)
    raise UnusableRow(f"a part of `content` is {str(kind)[:40]!r}; only texts can be learnt from here.")


def places(messages: Sequence[Any]) -> dict[str, Any]:
    """Messages by their place, as `raw_messages` names it."""
    return {str(number): message for number, message in enumerate(messages)}


def understood(given: Mapping[str, Any], extra: Row, read: ReadMessage) -> dict[str, ChatMessage]:
    """The messages of a line by place; adds to `extra` what role and text do not hold."""
    found, raws = {}, {}
    for place, message in given.items():
        found[place], raw = _read_at(place, message, read)
        if raw is not None:
            raws[place] = raw
    if raws:
        before = extra.get(RAW, {})
        if not isinstance(before, dict):
            raise UnusableRow(f"`{RAW}` is {json_type(before)}, where an object is needed; rename the key.")
        extra[RAW] = before | raws
    return found


def as_given(
    messages: Mapping[str, ChatMessage],
    extra: Row,
    read: ReadMessage,
    write: Callable[[ChatMessage], Row] = dict,
) -> dict[str, Row]:
    """Messages as a file holds them: as they once were where they still say the same.

    Takes out of `extra` what the file then holds in its place.
    """
    raws = extra.get(RAW)
    kept = dict(raws) if isinstance(raws, dict) else {}
    written = {}
    for place, message in messages.items():
        raw = kept.get(place)
        if raw is not None and _reads_as(place, raw, message, read):
            written[place] = kept.pop(place)
        else:
            written[place] = write(message)
    if isinstance(raws, dict) and len(kept) < len(raws):
        extra.pop(RAW)
        if kept:
            extra[RAW] = kept
    return written


def answer(text: str) -> ChatMessage:
    """A completion as the message that it is."""
    return {"role": ASSISTANT, "content": text}


def checked_prompt(messages: Sequence[ChatMessage]) -> tuple[ChatMessage, ...]:
    """What the model is shown: something, and its last message not the assistant's. Raises UnusableRow."""
    if not messages:
        raise UnusableRow("there is no message before the answer; say what the model is asked.")
    if messages[-1]["role"] == ASSISTANT:
        raise UnusableRow("two messages of the assistant follow each other before the end; make them one.")
    return tuple(messages)


def answer_text(message: ChatMessage, key: str) -> str:
    """The text of the message to learn. Raises UnusableRow where it is not the assistant's."""
    if message["role"] != ASSISTANT:
        raise UnusableRow(f"{key} must be the assistant's, and here it is of role {message['role'][:40]}.")
    return message["content"]


def message_list(given: Any, key: str) -> list[Any]:
    """A list of messages under a key. Raises UnusableRow."""
    if not isinstance(given, list):
        raise UnusableRow(f"`{key}` is a list of messages, and here it is {json_type(given)}.")
    return given


def text_at(line: Mapping[str, Any], key: str) -> str:
    """A text under a key. Raises UnusableRow."""
    value = line.get(key)
    if not isinstance(value, str):
        raise UnusableRow(f"`{key}` is a text, and here it is {json_type(value)}.")
    return value


def _read_at(place: str, given: Any, read: ReadMessage) -> tuple[ChatMessage, Row | None]:
    message, raw = read(given)
    if raw is None and place in (COMPLETION, REJECTED) and message.keys() != {"role", "content"}:
        raw = dict(given)  # of what is learnt an item keeps the text alone
    return (message if raw is None else {key: message[key] for key in ("role", "content")}), raw


def _reads_as(place: str, raw: Any, message: ChatMessage, read: ReadMessage) -> bool:
    try:
        return _read_at(place, raw, read) == (message, raw)
    except UnusableRow:
        return False
