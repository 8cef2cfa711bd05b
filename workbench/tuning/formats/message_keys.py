"""For formats whose messages hold a role and a text alone: what else a message has, beside them.

{"conversations": [{"from": "human", "value": "Hi."}, …], "message_keys": {"0": {"name": "ann"}}}
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from workbench.core.model import ChatMessage
from workbench.datasets.json_rows import Row, UnusableRow

MESSAGE_KEYS = "message_keys"


def without_keys(messages: Sequence[ChatMessage]) -> tuple[list[ChatMessage], Row]:
    """Messages of role and content, and the line's key that holds the rest, if there is any."""
    rest = {
        str(number): more
        for number, message in enumerate(messages)
        if (more := {key: value for key, value in message.items() if key not in ("role", "content")})
    }
    bare = [{"role": message["role"], "content": message["content"]} for message in messages]
    return bare, {MESSAGE_KEYS: rest} if rest else {}


def with_keys(messages: Sequence[ChatMessage], rest: Any) -> tuple[ChatMessage, ...]:
    """The messages with what `without_keys` took from them. Raises UnusableRow."""
    if rest is None:
        return tuple(messages)
    if not isinstance(rest, dict) or not all(
        isinstance(more, dict) and all(isinstance(value, str) for value in more.values())
        for more in rest.values()
    ):
        raise UnusableRow(f'`{MESSAGE_KEYS}` holds texts by message, such as {{"0": {{"name": "ann"}}}}.')
    strangers = rest.keys() - {str(number) for number in range(len(messages))}
    if strangers:
        raise UnusableRow(f"`{MESSAGE_KEYS}` names message {sorted(strangers)[0][:40]}, which is not there.")
    return tuple({**rest.get(str(number), {}), **message} for number, message in enumerate(messages))
