"""OpenAI's preference format: what was asked, the better answer and the worse one.

{"input": {"messages": [{"role": "user", "content": "2 + 2?"}], "tools": [], "parallel_tool_calls": true},
 "preferred_output": [{"role": "assistant", "content": "4"}],
 "non_preferred_output": [{"role": "assistant", "content": "5"}]}
"""

from __future__ import annotations

from typing import Any

from workbench.core.collection import Item, Origin
from workbench.datasets.json_rows import Row, UnusableRow, json_type
from workbench.tuning.formats.extras import extra_of, with_extra
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
from workbench.tuning.formats.registry import ExampleFormat, example_format

INPUT, BETTER, WORSE = "input", "preferred_output", "non_preferred_output"
OWN = (INPUT, BETTER, WORSE)
TOOLS = ("tools", "parallel_tool_calls")
"""Keys of `input` that other formats have beside the messages."""


@example_format("openai_preference", tasks=("preference",))
class OpenAiPreference(ExampleFormat):
    """One answer of the assistant on each side."""

    description = "OpenAI preference: input.messages, preferred_output, non_preferred_output."

    def recognises(self, line: Row) -> bool:
        """By its three keys."""
        return line.keys() >= set(OWN)

    def read(self, line: Row, origin: Origin) -> Item:
        """What stands in `input` beside the messages is kept in `extra`."""
        shown = line.get(INPUT)
        if not isinstance(shown, dict):
            raise UnusableRow(f"`input` is an object with `messages`, and here it is {json_type(shown)}.")
        extra = extra_of(line, OWN)
        beside = {key: value for key, value in shown.items() if key != "messages"}
        for key in TOOLS:
            if key in beside and key not in extra:
                extra[key] = beside.pop(key)
        if beside:
            extra[INPUT] = beside
        given = places(message_list(shown.get("messages"), "input.messages"))
        given |= {COMPLETION: _only(line, BETTER), REJECTED: _only(line, WORSE)}
        found = understood(given, extra, read_message)
        completion = answer_text(found.pop(COMPLETION), f"`{BETTER}`")
        rejected = answer_text(found.pop(REJECTED), f"`{WORSE}`")
        prompt = checked_prompt(list(found.values()))
        return Item(prompt, completion, origin, rejected=rejected, extra=extra)

    def write(self, item: Item) -> Row:
        """Tools go into `input`, as OpenAI has them."""
        extra = dict(item.extra)
        answers = {COMPLETION: answer(item.completion), REJECTED: answer(item.rejected or "")}
        messages = as_given(places(item.messages) | answers, extra, read_message)
        better, worse = messages.pop(COMPLETION), messages.pop(REJECTED)
        shown: Row = {"messages": list(messages.values())}
        beside = extra.get(INPUT)
        known = {"messages", *(key for key in TOOLS if key not in extra)}
        if isinstance(beside, dict) and beside and not known & beside.keys():
            shown |= extra.pop(INPUT)
        for key in TOOLS:
            if key in extra and key not in shown:
                shown[key] = extra.pop(key)
        return with_extra({INPUT: shown, BETTER: [better], WORSE: [worse]}, extra, OWN)


def _only(line: Row, key: str) -> Any:
    messages = message_list(line.get(key), key)
    if len(messages) != 1:
        raise UnusableRow(f"`{key}` holds {len(messages)} messages, and one of the assistant is needed.")
    return messages[0]
