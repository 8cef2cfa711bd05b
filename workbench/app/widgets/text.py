"""Text that a model or a person wrote, shown as text: never as Markdown, HTML or an image.

escaped("**no** ![x](http://a/b.png)")  ->  "\\*\\*no\\*\\* \\!\\[x\\]\\(http\\://…"
word_diff("the cat sat", "the dog sat") ->  same "the ", gone "cat", new "dog", same " sat"
"""

from __future__ import annotations

import difflib
import re
from typing import Literal

PUNCTUATION = re.compile(r"([!-/:-@\[-`{-~])")
SELF_MADE = re.compile(r"(?<=[-<>=.:/@w])(?=[-<>=./])|(?=@)", re.IGNORECASE)
WORDS = re.compile(r"\s+|\w+|[^\w\s]")
JOINER = "\u2060"  # invisible; keeps Markdown from making arrows and links of `->` and `www.`
LONGEST_DIFF = 4_000
Kind = Literal["same", "gone", "new"]


def escaped(text: str) -> str:
    """Markdown that shows exactly this text on one paragraph."""
    return PUNCTUATION.sub(r"\\\1", SELF_MADE.sub(JOINER, text)).replace("\n", " ")


def escaped_lines(text: str) -> str:
    """Markdown that shows exactly this text, its line breaks and indents included."""
    lines = PUNCTUATION.sub(r"\\\1", SELF_MADE.sub(JOINER, text)).split("\n")
    return "  \n".join(_indented(line) for line in lines)


def _indented(line: str) -> str:
    kept = line.lstrip(" \t")
    return "\u00a0" * (len(line) - len(kept)) + kept if kept else "\u00a0"


def short(text: str, most: int = 120) -> str:
    """One line of at most `most` characters."""
    flat = " ".join(text.split())
    return flat if len(flat) <= most else flat[: most - 1].rstrip() + "…"


def word_diff(before: str, after: str) -> list[tuple[Kind, str]]:
    """What stayed, went and came, word by word, in reading order."""
    old, new = WORDS.findall(before[:LONGEST_DIFF]), WORDS.findall(after[:LONGEST_DIFF])
    parts: list[tuple[Kind, str]] = []
    for kind, a, b, c, d in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if kind == "equal":
            parts.append(("same", "".join(old[a:b])))
            continue
        if a < b:
            parts.append(("gone", "".join(old[a:b])))
        if c < d:
            parts.append(("new", "".join(new[c:d])))
    return parts


def marked(parts: list[tuple[Kind, str]], show: tuple[Kind, ...] = ("same", "gone", "new")) -> str:
    """Markdown with gone words struck on red and new words bold on green; colour is never alone."""
    lines: list[list[tuple[Kind, str]]] = [[]]
    for kind, text in parts:
        if kind not in show:
            continue
        first, *rest = text.split("\n")
        lines[-1].append((kind, first))
        lines.extend([(kind, line)] for line in rest)
    return "  \n".join(_marked_line(line) for line in lines)


def _marked_line(segments: list[tuple[Kind, str]]) -> str:
    pieces = []
    for kind, text in segments:
        core = text.strip()
        if not core or kind == "same":
            pieces.append(escaped(text))
            continue
        # emphasis may not touch a space, so spaces stay outside the mark
        lead, tail = text[: text.index(core)], text[text.index(core) + len(core) :]
        colour, sign = ("red", "~~") if kind == "gone" else ("green", "**")
        pieces.append(f"{lead}:{colour}-background[{sign}{escaped(core)}{sign}]{tail}")
    line = "".join(pieces)
    return _indented(line)
