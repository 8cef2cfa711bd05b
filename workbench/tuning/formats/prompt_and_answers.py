"""What TRL's formats share: a prompt and answers, as lists of messages or as texts.

    {"prompt": [{"role": "user", "content": "2 + 2?"}], "completion": [{"role": "assistant", "content": "4"}]}
    {"prompt": "2 + 2?", "completion": "4"}

A file has one shape for all its lines. Texts were meant without a chat template: items read from texts
say so under `plain_text` of their `extra`, and are written as texts again where all items of a file are such.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from workbench.core.collection import Item
from workbench.datasets.json_rows import Row, UnusableRow, json_type
from workbench.tuning.formats.extras import with_extra
from workbench.tuning.formats.messages import (
    COMPLETION,
    REJECTED,
    answer,
    answer_text,
    as_given,
    checked_prompt,
    message_list,
    places,
    read_message,
    understood,
)

PLAIN = "plain_text"
PROMPT = "prompt"


def read_parts(line: Row, keys: dict[str, str], extra: Row) -> dict[str, Any]:
    """Messages, completion and, of a preference, rejected.

    Args:
        keys: the line's key of each answer, by place: {"completion": "chosen", "rejected": "rejected"}.
        extra: what stands beside; what the parts do not hold is added to it.
    """
    prompt = line.get(PROMPT)
    answers = {place: line.get(key) for place, key in keys.items()}
    if isinstance(prompt, str) and all(isinstance(given, str) for given in answers.values()):
        extra.setdefault(PLAIN, True)
        return {"messages": ({"role": "user", "content": prompt},), **answers}
    if any(isinstance(given, list) and len(given) > 1 for given in answers.values()):
        shown, answers = _whole_conversations(answers, keys)
        if PROMPT in line and prompt != shown:
            extra[PROMPT] = prompt
    elif isinstance(prompt, str):
        shown = [{"role": "user", "content": prompt}]
    else:
        shown = message_list(prompt, PROMPT)
    given = {place: _message(one, keys[place]) for place, one in answers.items()}
    found = understood(places(shown) | given, extra, read_message)
    texts = {place: answer_text(found.pop(place), f"`{key}`") for place, key in keys.items()}
    return {"messages": checked_prompt(list(found.values())), **texts}


def all_plain(items: Sequence[Item]) -> bool:
    """Whether every item was a text and still fits one."""
    return all(
        item.extra.get(PLAIN) is True
        and len(item.messages) == 1
        and item.messages[0].keys() == {"role", "content"}
        and item.messages[0]["role"] == "user"
        for item in items
    )


def write_parts(item: Item, keys: dict[str, str], own: Collection[str], plain: bool) -> Row:
    """The line of an item; `keys` as in `read_parts`."""
    extra = dict(item.extra)
    texts = {COMPLETION: item.completion, REJECTED: item.rejected or ""}
    if plain:
        del extra[PLAIN]
        line: Row = {PROMPT: item.messages[0]["content"]}
        return with_extra(line | {key: texts[place] for place, key in keys.items()}, extra, own)
    messages = {place: answer(texts[place]) for place in keys}
    written = as_given(places(item.messages) | messages, extra, read_message)
    answers = {key: [written.pop(place)] for place, key in keys.items()}
    return with_extra({PROMPT: list(written.values()), **answers}, extra, own)


def _whole_conversations(answers: dict[str, Any], keys: dict[str, str]) -> tuple[list[Any], dict[str, Any]]:
    """The beginning that conversations share, and the last message of each."""
    lists = {place: message_list(given, keys[place]) for place, given in answers.items()}
    beginnings = [given[:-1] for given in lists.values()]
    if any(beginning != beginnings[0] for beginning in beginnings):
        raise UnusableRow(
            f"{' and '.join(f'`{key}`' for key in keys.values())} may differ in their last message only."
        )
    if len(lists) == 1:
        count = len(beginnings[0]) + 1
        raise UnusableRow(f"`{keys[COMPLETION]}` holds {count} messages, and one of the assistant is needed.")
    return beginnings[0], {place: given[-1:] for place, given in lists.items()}


def _message(given: Any, key: str) -> Any:
    if isinstance(given, str):
        return answer(given)
    if not isinstance(given, list) or len(given) != 1:
        said = "an empty list" if given == [] else json_type(given)
        raise UnusableRow(f"`{key}` is one message of the assistant or a text, and here it is {said}.")
    return given[0]
