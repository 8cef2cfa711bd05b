"""The beginning of a file: enough to tell its format, whatever its size.

head_of(source).keys     {"flow", "flow.nodes", "flow.nodes.[]", "flow.nodes.[].data", "cache", …}
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from workbench.datasets.source import Source
from workbench.datasets.text import BYTE_ORDER_MARKS

HEAD_BYTES = 1 << 18
DEEPEST = 4
"""Keys are told this many levels down."""
TOO_DEEP = DEEPEST + 1
"""Paths grow no longer than this, however deep a text is nested."""

_TOKEN = re.compile(r'"((?:[^"\\]|\\.)*)"(\s*:)?|[{}\[\]]')


@dataclass(frozen=True, slots=True)
class Head:
    """A file's first bytes, and the paths of the JSON keys that stand in them.

    A path is dotted, `[]` stands for the items of a list: "[].generator", "results.version". A file of
    JSON lines has the paths of its first objects.
    """

    name: str
    start: bytes
    keys: frozenset[str]

    def has(self, *paths: str) -> bool:
        """Whether every one of these paths stands in the beginning of the file."""
        return self.keys.issuperset(paths)


def head_of(source: Source) -> Head:
    """Reads the beginning of a file. Raises DatasetError where it cannot be opened."""
    with source.open() as file:
        start = file.read(HEAD_BYTES)
    mark, encoding = next((found for found in BYTE_ORDER_MARKS if start.startswith(found[0])), (b"", "utf-8"))
    text = start[len(mark) :].decode(encoding, "replace").lstrip()
    return Head(source.name, start, frozenset(_paths(text)) if text[:1] in ("{", "[") else frozenset())


def _paths(text: str) -> set[str]:
    """Paths of the keys of a JSON text that may end anywhere."""
    found: set[str] = set()
    around: list[tuple[str, tuple[str, ...]]] = []  # what is open here: its bracket and its path
    here: tuple[str, ...] = ()
    for token in _TOKEN.finditer(text):
        mark = token.group()
        if mark in ("{", "["):
            around.append((mark, here))
            here = (*here, "[]")[:TOO_DEEP] if mark == "[" else here
        elif mark in ("}", "]"):
            if around:
                around.pop()
            here = _inside(around)
        elif token.group(2) and around:
            here = (*around[-1][1], token.group(1))[:TOO_DEEP]
            if len(here) <= DEEPEST:
                found.add(".".join(here))
    return found


def _inside(around: list[tuple[str, tuple[str, ...]]]) -> tuple[str, ...]:
    if not around:
        return ()
    mark, path = around[-1]
    return (*path, "[]")[:TOO_DEEP] if mark == "[" else path
