"""What a model card is made of: sections of paragraphs, lists, tables, code and charts.

Texts are plain: names and outputs that anybody may have written stand in them, and each form escapes them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A few sentences."""

    text: str


@dataclass(frozen=True, slots=True)
class Bullets:
    """A list of sentences."""

    items: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of cells under heads; `numbers`: columns that are figures, from 0."""

    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numbers: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Code:
    """Lines to be copied, in a language such as yaml."""

    text: str
    language: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a chart: (x, y) points from left to right."""

    name: str
    points: tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class LineChart:
    """Lines over a common axis; `mark`: an x that is pointed out, and the words for it."""

    title: str
    x: str
    y: str
    lines: tuple[Line, ...]
    mark: tuple[float, str] | None = None


@dataclass(frozen=True, slots=True)
class Effect:
    """A difference with its interval and what is said of it."""

    name: str
    difference: float
    low: float
    high: float
    verdict: str


@dataclass(frozen=True, slots=True)
class EffectChart:
    """Differences above each other, with the line of no difference."""

    title: str
    effects: tuple[Effect, ...]


Block = Paragraph | Bullets | Table | Code | LineChart | EffectChart


@dataclass(frozen=True, slots=True)
class Section:
    """A heading and what stands under it."""

    title: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class ModelCard:
    """A tuned model, told to whoever may use it.

    Attributes:
        model: its name; also the card's title.
        summary: one sentence: what it is, and whether it beats its base.
    """

    model: str
    tuning: str
    summary: str
    sections: tuple[Section, ...]


def facts(*pairs: tuple[str, object]) -> Table:
    """A table of names and values; what is None or empty is left out."""
    kept = [(name, str(value)) for name, value in pairs if value is not None and value != ""]
    return Table(("", ""), tuple(kept))


def section(title: str, blocks: Sequence[Block | None]) -> Section | None:
    """A section of the blocks that are there; None where none is, or all of them are empty."""
    there = tuple(
        block
        for block in blocks
        if block is not None
        and not (isinstance(block, Table) and not block.rows)
        and not (isinstance(block, Bullets) and not block.items)
    )
    return Section(title, there) if there else None
