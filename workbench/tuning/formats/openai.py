"""OpenAI's chat format for fine-tuning: one conversation a line, of which the last answer is learnt.

{"messages": [{"role": "user", "content": "2 + 2?"}, {"role": "assistant", "content": "4"}], "tools": […]}
"""

from __future__ import annotations

from workbench.core.collection import Item, Origin
from workbench.datasets.json_rows import Row, UnusableRow
from workbench.tuning.formats.extras import extra_of, with_extra
from workbench.tuning.formats.messages import (
    COMPLETION,
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

OWN = ("messages",)


@example_format("openai", tasks=("completion",))
class OpenAiChat(ExampleFormat):
    """Earlier answers of the assistant are part of what the model is shown."""

    description = "OpenAI chat: messages."

    def recognises(self, line: Row) -> bool:
        """By its list of messages, each with a role."""
        messages = line.get("messages")
        return (
            isinstance(messages, list)
            and bool(messages)
            and all(isinstance(one, dict) and "role" in one for one in messages)
            and not line.keys() >= {"chosen", "rejected"}
            and not isinstance(line.get("label"), bool)  # a bad answer among them must not be learnt
        )

    def read(self, line: Row, origin: Origin) -> Item:
        """The last message is the completion."""
        extra = extra_of(line, OWN)
        given = message_list(line.get("messages"), "messages")
        if not given:
            raise UnusableRow("`messages` is empty; it needs a question and an answer.")
        found = understood(places(given[:-1]) | {COMPLETION: given[-1]}, extra, read_message)
        completion = answer_text(found.pop(COMPLETION), "the last message")
        return Item(checked_prompt(list(found.values())), completion, origin, extra=extra)

    def write(self, item: Item) -> Row:
        """Messages with the completion at their end."""
        extra = dict(item.extra)
        messages = as_given(
            places(item.messages) | {COMPLETION: answer(item.completion)}, extra, read_message
        )
        return with_extra({"messages": list(messages.values())}, extra, OWN)
