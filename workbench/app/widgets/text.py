"""Text that a model or a person wrote, shown as text: never as Markdown, HTML or an image.

escaped("**no** ![x](http://a/b.png)")  ->  "\\*\\*no\\*\\* \\!\\[x\\]\\(http\\://…"
word_diff("the cat sat", "the dog sat") ->  same "the ", gone "cat", new "dog", same " sat"
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal

PUNCTUATION = re.compile(r"([!-/:-@\[-`{-~])")
SELF_MADE = re.compile(r"(?<=[-<>=])(?=[-<>=])|(?<=:)(?=//)|(?<=www)(?=\.)|(?=@[\w-]+\.)", re.IGNORECASE)
TURNS = re.compile("[\u202a-\u202e\u2066-\u2069]")  # would turn round what stands after them on the line
HALVES = re.compile("[\ud800-\udfff]")
JOINER = "\u2060"  # invisible; keeps Markdown from making arrows, dashes and links of plain text
Kind = Literal["same", "added", "removed", "answer"]
MARKS = {"removed": ("red", "~~"), "added": ("green", "**"), "answer": ("blue", "***")}


def escaped(text: str) -> str:
    """Markdown that shows exactly this text on one paragraph, without signs that turn the line round."""
    return PUNCTUATION.sub(r"\\\1", SELF_MADE.sub(JOINER, TURNS.sub("", whole(text)))).replace("\n", " ")


def escaped_lines(text: str) -> str:
    """Markdown that shows exactly this text, its line breaks and indents included."""
    lines = PUNCTUATION.sub(r"\\\1", SELF_MADE.sub(JOINER, whole(text))).split("\n")
    return "  \n".join(_indented(line) for line in lines)


def whole(text: str) -> str:
    """The text with U+FFFD for halves of characters, which no browser can be sent."""
    return HALVES.sub("\ufffd", text)


def _indented(line: str) -> str:
    kept = line.lstrip(" \t")
    return "\u00a0" * (len(line) - len(kept)) + kept if kept else "\u00a0"


def short(text: str, most: int = 120) -> str:
    """One line of at most `most` characters."""
    flat = " ".join(text.split())
    return flat if len(flat) <= most else flat[: most - 1].rstrip() + "…"


def with_answer(parts: Sequence[tuple[Kind, str]], at: tuple[int, int] | None) -> list[tuple[Kind, str]]:
    """The parts of a text with the stretch `at`, counted without removed words, as a part of its own."""
    if at is None:
        return list(parts)
    found: list[tuple[Kind, str]] = []
    start = 0
    for kind, text in parts:
        if kind == "removed":
            found.append((kind, text))
            continue
        first, last = (min(max(edge - start, 0), len(text)) for edge in at)
        pieces: list[tuple[Kind, str]] = [
            (kind, text[:first]),
            ("answer", text[first:last]),
            (kind, text[last:]),
        ]
        found += [piece for piece in pieces if piece[1]]
        start += len(text)
    return found


def marked(
    parts: Sequence[tuple[Kind, str]], show: Sequence[Kind] = ("same", "added", "removed", "answer")
) -> str:
    """Markdown: removed words struck on red, added ones bold on green, the answer bold italic on blue."""
    lines: list[list[tuple[Kind, str]]] = [[]]
    for kind, text in parts:
        if kind not in show:
            continue
        first, *rest = text.split("\n")
        lines[-1].append((kind, first))
        lines.extend([(kind, line)] for line in rest)
    return "  \n".join(_marked_line(line) for line in lines)


def _seen(text: str) -> str:
    """The text, or the numbers of its characters where none of them can be seen."""
    if any(letter.isprintable() and not letter.isspace() for letter in text):
        return text
    return " ".join(f"U+{ord(letter):04X}" for letter in text)


def _marked_line(segments: list[tuple[Kind, str]]) -> str:
    pieces = []
    for kind, text in segments:
        core = text.strip()
        if not core or kind == "same":
            pieces.append(escaped(text))
            continue
        # emphasis may not touch a space, so spaces stay outside the mark
        lead, tail = text[: text.index(core)], text[text.index(core) + len(core) :]
        colour, sign = MARKS[kind]
        pieces.append(f"{lead}:{colour}-background[{sign}{escaped(_seen(core))}{sign}]{tail}")
    line = "".join(pieces)
    return _indented(line)
