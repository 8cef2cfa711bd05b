"""Beginnings of prompts that were read already: few-shot examples recur in every row of a dataset."""

from __future__ import annotations

from collections.abc import Sequence

from workbench.models.local.key_values import KeyValues

KEPT = 4
SHORTEST = 16  # below this a lookup costs more than it saves


class PrefixStore:
    """The few last beginnings, each with its attention cache."""

    def __init__(self) -> None:
        self._kept: list[tuple[tuple[int, ...], KeyValues]] = []

    def keep(self, ids: tuple[int, ...], keys: KeyValues) -> None:
        """Remembers a beginning, instead of the ones that it continues."""
        others = [entry for entry in self._kept if ids[: len(entry[0])] != entry[0]]
        self._kept = [*others[-(KEPT - 1) :], (ids, keys)]

    def longest(self, ids: tuple[int, ...]) -> tuple[int, KeyValues | None]:
        """How many of these tokens were read before, and the cache of exactly those."""
        best, found = 0, None
        for entry in self._kept:
            length = common_length([ids, entry[0]], spare=0)
            if length > best:
                best, found = length, entry
        if found is None or best < SHORTEST:
            return 0, None
        self._kept.remove(found)
        self._kept.append(found)
        return best, found[1].first(best)


def common_length(prompts: Sequence[tuple[int, ...]], spare: int = 1) -> int:
    """How many tokens all prompts begin with; at least `spare` of each stay outside."""
    first, last = min(prompts), max(prompts)
    limit = min(len(prompt) for prompt in prompts) - spare
    for index in range(limit):
        if first[index] != last[index]:
            return index
    return max(limit, 0)
