"""A large JSON document, member by member, in memory for one of them at a time.

    members(source, notes, streamed=("results.results",))
    ("evalId", "eval-1"), ("results.version", 3), ("results.results.[]", {…}), ("results.results.[]", {…}), …

Objects on the way to a streamed list are gone into; of everything else the whole value is given.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator
from typing import Any

from workbench.datasets.json_rows import UnusableRow, check_text, json_type
from workbench.datasets.source import Notes, Source
from workbench.datasets.text import pieces
from workbench.errors import InvalidFile

_GOES_ON = re.compile(r"[0-9.eE+-]{0,40}")
_SPACE = re.compile(r"[ \t\r\n]*")
_WORDS = ("true", "false", "null", "NaN", "-Infinity", "Infinity")
LONGEST_VALUE = 1 << 27
"""Characters; a single value beyond this is refused."""


class CutShort(InvalidFile):
    """The file ends before its JSON does: the members that were given before are whole."""


def members(
    source: Source, notes: Notes, streamed: Collection[str], nan_is_null: bool = True
) -> Iterator[tuple[str, Any]]:
    """(path, value) of a document's members, in the file's order.

    Args:
        streamed: dotted paths of the lists, or objects, whose members are given one at a time, under
            PATH.[] or PATH.KEY; "" is the document itself, which is always gone into.
        nan_is_null: NaN and Infinity, which JSON does not know, become None; else they are refused.

    Raises InvalidFile with the line where the file is no JSON or holds NUL characters, CutShort where it
    ends too early.
    """
    return _Reader(source, notes, frozenset(streamed), nan_is_null).document()


class _Reader:
    """A window over the text that grows until the value at hand is whole."""

    def __init__(self, source: Source, notes: Notes, streamed: frozenset[str], nan_is_null: bool) -> None:
        self._source = source.counted_in("line")
        self._pieces = pieces(self._source, notes)
        self._text, self._at, self._line, self._ended = "", 0, 1, False
        self._streamed = streamed
        self._ways = {path[: dot.start()] for path in streamed for dot in re.finditer(r"\.", path)}
        self._nan_is_null = nan_is_null
        self._decoder = json.JSONDecoder(parse_constant=self._constant, parse_float=self._float)

    def document(self) -> Iterator[tuple[str, Any]]:
        first = self._peek()
        if first == "":
            raise self._problem("the file is empty; it needs one JSON document.")
        if first == "{":
            yield from self._object("")
        elif first == "[":
            yield from self._list("")
        else:
            raise self._problem(f"expected a JSON object or list, found {json_type(self._value())}.")
        if self._peek():
            raise self._problem("something stands after the end of the JSON document; remove it.")

    def _member(self, path: str) -> Iterator[tuple[str, Any]]:
        first = self._peek()
        if path in self._streamed and first == "[":
            yield from self._list(path)
        elif (path in self._streamed or path in self._ways) and first == "{":
            yield from self._object(path)
        else:
            yield path, self._value()

    def _object(self, path: str) -> Iterator[tuple[str, Any]]:
        self._at += 1
        if self._peek() == "}":
            self._at += 1
            return
        while True:
            if self._peek() != '"':
                raise self._problem("not valid JSON: expected a key in double quotes.", cut=not self._peek())
            key = self._value()
            self._expect(":")
            yield from self._member(f"{path}.{key}" if path else key)
            if self._expect(",", "}") == "}":
                return

    def _list(self, path: str) -> Iterator[tuple[str, Any]]:
        self._at += 1
        if self._peek() == "]":
            self._at += 1
            return
        inside = f"{path}.[]" if path else "[]"
        while True:
            yield from self._member(inside)
            if self._expect(",", "]") == "]":
                return

    def _expect(self, *marks: str) -> str:
        found = self._peek()
        if found not in marks or not found:
            wanted = " or ".join(repr(mark) for mark in marks)
            said = "the file ends" if not found else f"found {found!r}"
            raise self._problem(
                f"not valid JSON: {said} where {wanted} is needed; is the file complete?", cut=not found
            )
        self._at += 1
        return found

    def _peek(self) -> str:
        """The next character that is no space; "" at the end."""
        while True:
            self._at = _SPACE.match(self._text, self._at).end()  # type: ignore[union-attr]
            if self._at < len(self._text):
                return self._text[self._at]
            if not self._more():
                return ""

    def _value(self) -> Any:
        """The whole value that begins here."""
        while True:
            try:
                value, end = self._decoder.raw_decode(self._text, self._at)
            except json.JSONDecodeError as error:
                if self._more():
                    continue
                line = self._line + self._text.count("\n", 0, error.pos)
                said = f"{error.msg[:1].lower()}{error.msg[1:]}"
                cut = _is_cut(error, self._text)
                raise self._problem(f"not valid JSON: {said}; is the file complete?", line, cut) from None
            except RecursionError:
                raise self._problem("the JSON is nested too deeply.") from None
            except ValueError:  # Python refuses to read integers of more than 4,300 digits
                raise self._problem("a number has too many digits.") from None
            # a number near the end of the window may go on: of "-0.5" the window may hold "-0."
            if _GOES_ON.fullmatch(self._text, end) and self._text[end - 1].isdigit() and self._more():
                continue
            written = self._text[self._at : end].lower()
            if "\\ud" in written or "\\u0000" in written:
                try:
                    check_text(value)
                except UnusableRow as error:
                    raise self._problem(str(error)) from None
            self._at = end
            return value

    def _more(self) -> bool:
        """Lets go of what was read and takes up the next piece; as much again where a value is long."""
        if self._ended:
            return False
        self._line += self._text.count("\n", 0, self._at)
        held = self._text[self._at :]
        if len(held) > LONGEST_VALUE:
            raise self._problem(f"one value is longer than {LONGEST_VALUE:,} characters.")
        taken, size = [held], 0
        while size <= len(held):
            piece = next(self._pieces, None)
            if piece is None:
                self._ended = True
                break
            taken.append(piece)
            size += len(piece)
        self._text, self._at = "".join(taken), 0
        return True

    def _constant(self, name: str) -> Any:
        if self._nan_is_null:
            return None
        raise self._problem(f"{name} is not JSON; write null for a missing value.")

    def _float(self, text: str) -> float | None:
        number = float(text)
        return number if abs(number) != float("inf") else self._constant(text[:40])

    def _problem(self, sentence: str, line: int | None = None, cut: bool = False) -> InvalidFile:
        here = line or self._line + self._text.count("\n", 0, self._at)
        return CutShort(sentence, self._source.name, here) if cut else self._source.problem(sentence, here)


def _is_cut(error: json.JSONDecodeError, text: str) -> bool:
    """Whether more text at the end could have made this JSON."""
    rest = text[error.pos :].strip()
    if not rest or error.msg.startswith("Unterminated string"):
        return True
    if error.msg.startswith("Expecting value"):
        return any(word.startswith(rest) for word in _WORDS)
    return "escape" in error.msg and len(rest) < len(r"\ud83d\ude0")
