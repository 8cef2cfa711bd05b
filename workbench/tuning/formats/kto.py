"""KTO, as TRL has it: completions, each said to be good or not.

{"prompt": [{"role": "user", "content": "2 + 2?"}], "completion": [{"role": "assistant", "content": "5"}],
 "label": false}

A conversation with a label, as LLaMA-Factory has it, is read too: its last message is the completion.

{"messages": [{"role": "user", "content": "2 + 2?"}, {"role": "assistant", "content": "5"}], "label": false}
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from workbench.core.collection import Item, Origin
from workbench.datasets.json_rows import Row, UnusableRow, json_type
from workbench.tuning.formats.extras import extra_of
from workbench.tuning.formats.messages import COMPLETION, message_list
from workbench.tuning.formats.prompt_and_answers import PROMPT, all_plain, read_parts, write_parts
from workbench.tuning.formats.registry import ExampleFormat, example_format

KEYS = {COMPLETION: "completion"}
LABEL, MESSAGES = "label", "messages"
OWN = (PROMPT, "completion", LABEL)


def is_labelled_conversation(line: Row) -> bool:
    """Whether a line is messages of which the last is said to be good or not."""
    return isinstance(line.get(MESSAGES), list) and isinstance(line.get(LABEL), bool)


@example_format("kto", tasks=("label",))
class Kto(ExampleFormat):
    """A label is true or false; 1 and 0 are read as these."""

    description = "TRL's KTO: prompt, completion, label."

    def __init__(self) -> None:
        self._plain = False

    def recognises(self, line: Row) -> bool:
        """By its three keys, or a conversation's two."""
        return is_labelled_conversation(line) or (line.keys() >= set(OWN) and line[LABEL] in (True, False))

    def unmistakable(self, line: Row) -> bool:
        """A prompt with a label may be a row with its right answer."""
        return isinstance(line.get(PROMPT), list) or is_labelled_conversation(line)

    def read(self, line: Row, origin: Origin) -> Item:
        """One completion and its label."""
        label = line.get(LABEL)
        if label not in (True, False) or isinstance(label, float):
            raise UnusableRow(f"`label` is true or false, and here it is {json_type(label)}.")
        if MESSAGES in line and PROMPT not in line:
            extra = extra_of(line, (MESSAGES, LABEL), OWN)
            given = message_list(line[MESSAGES], MESSAGES)
            line = {PROMPT: given[:-1], "completion": given[-1:]}
        else:
            extra = extra_of(line, OWN)
        parts = read_parts(line, KEYS, extra)
        return Item(origin=origin, **parts, label=bool(label), extra=extra)

    def begin(self, items: Sequence[Item]) -> None:
        """Lists of messages, or texts where all were."""
        self._plain = all_plain(items)

    def write(self, item: Item) -> Row:
        """One line, its label after the completion."""
        label = {LABEL: bool(item.label)}
        line = write_parts(replace(item, label=None), KEYS, OWN, self._plain)
        own = {key: line.pop(key) for key in (PROMPT, "completion")}
        return own | label | line
