"""TRL's datasets of completions and of preferences.

{"prompt": [{"role": "user", "content": "2 + 2?"}], "completion": [{"role": "assistant", "content": "4"}]}
{"prompt": [{"role": "user", "content": "2 + 2?"}], "chosen": [{"role": "assistant", "content": "4"}],
 "rejected": [{"role": "assistant", "content": "5"}]}

Texts in place of the lists are read too, and preferences whose prompt stands in `chosen` and `rejected`.
"""

from __future__ import annotations

from collections.abc import Sequence

from workbench.core.collection import Item, Origin
from workbench.datasets.json_rows import Row
from workbench.tuning.formats.extras import extra_of
from workbench.tuning.formats.messages import COMPLETION, REJECTED
from workbench.tuning.formats.prompt_and_answers import PROMPT, all_plain, read_parts, write_parts
from workbench.tuning.formats.registry import ExampleFormat, example_format

PAIR = {COMPLETION: "chosen", REJECTED: "rejected"}
ONE = {COMPLETION: "completion"}


@example_format("trl", tasks=("completion", "preference"))
class Trl(ExampleFormat):
    """Preferences where there are `chosen` and `rejected`, else completions."""

    description = "TRL: prompt, completion; or prompt, chosen, rejected."

    def __init__(self) -> None:
        self._plain = False

    def recognises(self, line: Row) -> bool:
        """By its keys, where they are not those of another format."""
        if line.keys() & {"instruction", "conversations"}:
            return False
        labelled = line.get("label") in (True, False)
        return _is_pair(line) or (line.keys() >= {PROMPT, "completion"} and not labelled)

    def unmistakable(self, line: Row) -> bool:
        """A prompt with a completion may be a row with its right answer."""
        return _is_pair(line) or isinstance(line.get(PROMPT), list)

    def read(self, line: Row, origin: Origin) -> Item:
        """One example."""
        keys = PAIR if _is_pair(line) else ONE
        extra = extra_of(line, (PROMPT, *keys.values()), PAIR.values())
        return Item(origin=origin, **read_parts(line, keys, extra), extra=extra)

    def begin(self, items: Sequence[Item]) -> None:
        """Lists of messages, or texts where all were."""
        self._plain = all_plain(items)

    def write(self, item: Item) -> Row:
        """One line."""
        keys = ONE if item.rejected is None else PAIR
        # `chosen` and `rejected` beside a completion would make it a preference
        return write_parts(item, keys, {PROMPT, *keys.values(), *PAIR.values()}, self._plain)


def _is_pair(line: Row) -> bool:
    return line.keys() >= {"chosen", "rejected"}
