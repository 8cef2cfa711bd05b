"""Which rows are read together: those whose prompts begin alike share that beginning, in work and in memory.

eight examples, question 1 ┐
eight examples, question 2 ├─ one family: the examples are read, and held, once
eight examples, question 3 ┘
hello!                      ─ no family
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from workbench.models.local.prefixes import common_length
from workbench.models.local.rows import Ids, Row

WORTH_SHARING = 256
"""Tokens that a family must save its rows; below that the extra work of every step costs more."""
WORTH_PARTING = 1024
"""Further tokens that a part of a family must save to be a family of its own."""
WORTH_A_PASS = 128
"""Padding that a longer row may bring to the others; beyond that another forward pass costs less."""


@dataclass(frozen=True, eq=False)
class Family:
    """Rows that are read together, with the beginning that they share (empty: none)."""

    beginning: Ids
    rows: list[Row]


def families(
    rows: Sequence[Row], running: Iterable[Ids] = (), parted: Callable[[Ids], Ids] = lambda ids: ()
) -> list[Family]:
    """Every row in one family.

    Args:
        rows: what enters the batch.
        running: beginnings that the batch holds already; their rows are joined where that shares no less.
        parted: the stored beginning of a prompt up to the last place where prompts parted: worth
            holding once although only one row asks for it now.
    """
    held = sorted(running, key=len, reverse=True)
    found: dict[Ids, list[Row]] = {}
    for beginning, members in _shared(list(rows), 0):
        for row in members:
            own = beginning
            if not own:
                stored = parted(row.prompt)
                own = stored if len(stored) >= WORTH_SHARING else ()
            best = next((ids for ids in held if _begins(row.prompt, ids)), ())
            found.setdefault(best if len(best) >= len(own) else own, []).append(row)
    return [Family(beginning, members) for beginning, members in found.items()]


def portions(family: Family, padded_tokens: int) -> Iterator[Family]:
    """The family in portions of about one length, each of at most `padded_tokens` unless it is one row."""
    start = len(family.beginning)
    portion: list[Row] = []
    for row in sorted(family.rows, key=lambda row: len(row.prompt)):
        if portion:
            length = len(row.prompt) - start
            added = (len(row.prompt) - len(portion[-1].prompt)) * len(portion)
            if added > WORTH_A_PASS or length * (len(portion) + 1) > padded_tokens:
                yield Family(family.beginning, portion)
                portion = []
        portion.append(row)
    if portion:
        yield Family(family.beginning, portion)


def _shared(rows: list[Row], held: int) -> Iterator[tuple[Ids, list[Row]]]:
    """The rows by what they share, where that pays; they share the first `held` tokens anyway."""
    if not rows:
        return
    common = common_length([row.prompt for row in rows])
    if (len(rows) - 1) * (common - held) >= (WORTH_PARTING if held else WORTH_SHARING):
        held = common
    by_next: dict[int, list[Row]] = {}
    for row in rows:
        by_next.setdefault(row.prompt[common], []).append(row)
    together: list[Row] = []
    for members in by_next.values():
        parts = _shared(members, held) if 1 < len(members) < len(rows) else [((), members)]
        for beginning, part in parts:
            if len(beginning) > held:
                yield beginning, part
            else:
                together.extend(part)
    if together:
        yield together[0].prompt[:held], together


def _begins(prompt: Ids, beginning: Ids) -> bool:
    return len(prompt) > len(beginning) and prompt[: len(beginning)] == beginning
