"""What changed between two texts, word by word.

    word_diff("Give the answer.", "Give only the answer.")
    [("same", "Give "), ("added", "only "), ("same", "the answer.")]

The parts that are not `added` make up the old text exactly, those that are not `removed` the new one.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal

Change = Literal["same", "added", "removed"]
Part = tuple[Change, str]

WORDS = re.compile(r"\w+|\s+|[^\w\s]")
LARGEST = 200_000_000
"""Old pieces × new pieces that are aligned; beyond it a whole stretch counts as replaced."""


def word_diff(old: str, new: str) -> list[Part]:
    """The changes from `old` to `new` over words and whitespace, over whole lines where texts are huge."""
    if old == new:
        return [("same", old)] if old else []
    lines = _diff(old.splitlines(keepends=True), new.splitlines(keepends=True))
    parts: list[Part] = []
    for before, after, same in lines:
        if same:
            parts.append(("same", before))
        else:
            parts += _within(before, after)
    return _tidy(parts)


def _within(old: str, new: str) -> list[Part]:
    parts: list[Part] = []
    for before, after, same in _diff(WORDS.findall(old), WORDS.findall(new)):
        parts += [("same", before)] if same else [("removed", before), ("added", after)]
    return parts


def _diff(old: Sequence[str], new: Sequence[str]) -> list[tuple[str, str, bool]]:
    """(old text, new text, whether equal), with what begins and ends alike taken off first."""
    shortest = min(len(old), len(new))
    start = next((i for i in range(shortest) if old[i] != new[i]), shortest)
    end = next((i for i in range(shortest - start) if old[-1 - i] != new[-1 - i]), shortest - start)
    old_middle, new_middle = old[start : len(old) - end], new[start : len(new) - end]
    head, tail = "".join(old[:start]), "".join(old[len(old) - end :])
    return [(head, head, True), *_middle(old_middle, new_middle), (tail, tail, True)]


def _middle(old: Sequence[str], new: Sequence[str]) -> list[tuple[str, str, bool]]:
    if len(old) * len(new) > LARGEST:
        return [("".join(old), "".join(new), False)]
    from rapidfuzz.distance import LCSseq

    found: list[tuple[str, str, bool]] = []
    operations = LCSseq.opcodes(old, new)
    for place, op in enumerate(operations):
        before = "".join(old[op.src_start : op.src_end])
        after = "".join(new[op.dest_start : op.dest_end])
        # a blank alone between two changes is no common ground: marking it would tear phrases apart
        alone = before.isspace() and 0 < place < len(operations) - 1
        same = op.tag == "equal" and not alone
        if found and not same and not found[-1][2]:
            found[-1] = (found[-1][0] + before, found[-1][1] + after, False)
        else:
            found.append((before, after, same))
    return found


def _tidy(parts: list[Part]) -> list[Part]:
    """Neighbours of one kind joined; in each stretch of changes, what was removed comes first."""
    tidy: list[Part] = []
    removed = added = ""
    for kind, text in [*parts, ("same", "")]:
        if kind == "removed":
            removed += text
        elif kind == "added":
            added += text
        elif text or (removed or added):
            tidy += [part for part in (("removed", removed), ("added", added)) if part[1]]
            removed = added = ""
            if tidy and tidy[-1][0] == "same":
                tidy[-1] = ("same", tidy[-1][1] + text)
            elif text:
                tidy.append(("same", text))
    return tidy
