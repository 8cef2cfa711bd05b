"""From a file of examples to items, one at a time: JSON lines, or one JSON list of objects.

file = open_examples(Path("mine.jsonl"))
file.format, file.task    ("openai", "completion")
next(iter(file))          Item(messages=…, completion=…, origin=Origin("import", file="mine.jsonl, line 1"))
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

from workbench.core.collection import Item, Origin, Task
from workbench.datasets.json_rows import UnusableRow, as_row, parse_row
from workbench.datasets.source import Notes, Source, source_of
from workbench.datasets.text import lines, pieces
from workbench.engine.finished.json_stream import members
from workbench.errors import InvalidFile, UsageError
from workbench.tuning.formats.messages import RAW
from workbench.tuning.formats.prompt_and_answers import PLAIN
from workbench.tuning.formats.registry import ExampleFormat, registry, task_of

File = Path | str | tuple[str, bytes]
"""A path; or an upload's name and content."""
Progress = Callable[[int, int], None]
"""Told (bytes read, bytes in all)."""

OF_FORMATS = frozenset({RAW, PLAIN, "input", "parallel_tool_calls", "tools"})
"""Keys of `extra` that a format knows how to write in their place."""
TEACHES: dict[Task, str] = {
    "completion": "a completion",
    "preference": "a preference",
    "label": "a completion with a label",
}


@dataclass(frozen=True, slots=True)
class ReadExamples:
    """What a file of examples held.

    Attributes:
        unmapped: keys that no format's place is for, with how often they stand in the file; their values
            are in the items' `extra`.
    """

    format: str
    task: Task
    items: list[Item]
    unmapped: list[str]


class ExampleFile:
    """A file of examples: its format and task are known from its first line, the items come as it is read."""

    def __init__(self, source: Source, found: ExampleFormat) -> None:
        self._source, self._found = source, found
        self._counts: dict[str, int] = {}
        self._items = self._read()
        self._first = next(self._items)
        self.format: str = found.name
        self.task: Task = task_of(self._first)

    def __iter__(self) -> Iterator[Item]:
        """Every item, once. Raises InvalidFile at the first line that is no example of the format."""
        yield self._first
        yield from self._items

    @property
    def unmapped(self) -> list[str]:
        """The keys that went to `extra` so far."""
        return [
            f"key '{key[:80]}' ({count:,} time{'' if count == 1 else 's'})"
            for key, count in sorted(self._counts.items())
        ]

    def _read(self) -> Iterator[Item]:
        name, unit, task = base_name(self._source.name), "line", None
        for unit, number, row in _objects(self._source):
            try:
                item = self._found.read(as_row(row), Origin("import", file=f"{name}, {unit} {number}"))
                task = task or task_of(item)
                if task_of(item) != task:
                    raise UnusableRow(
                        f"this is {TEACHES[task_of(item)]}, where those before are {TEACHES[task]}; "
                        "a file teaches one thing."
                    )
            except UnusableRow as problem:
                raise self._source.counted_in(unit).problem(str(problem), number) from None
            for key in item.extra.keys() - OF_FORMATS:
                self._counts[key] = self._counts.get(key, 0) + 1
            yield item
        if task is None:
            raise self._source.problem("the file is empty; it needs at least one example.")


def read_examples(
    file: File,
    format_name: str | None = None,
    *,
    encoding: str | None = None,
    progress: Progress | None = None,
) -> ReadExamples:
    """All examples of a file, in its order.

    Args:
        format_name: default: what stands in the file.
        encoding: default: UTF-8, or what a byte order mark says.

    Raises InvalidFile with the line, DatasetError where there is no file, UnknownName, UsageError.
    """
    opened = open_examples(file, format_name, encoding=encoding, progress=progress)
    items = list(opened)
    return ReadExamples(opened.format, opened.task, items, opened.unmapped)


def open_examples(
    file: File,
    format_name: str | None = None,
    *,
    encoding: str | None = None,
    progress: Progress | None = None,
) -> ExampleFile:
    """A file of examples to be read item by item; arguments and errors as `read_examples`."""
    source = _source(file, encoding, progress)
    if format_name is not None:
        return ExampleFile(source, registry.get(format_name)())
    found = _recognise(source, next(_objects(source), None))
    if found is None:
        raise InvalidFile(
            f"its first object is of no known format of examples; it should be one of "
            f"{', '.join(registry.names())}, or name the one that is meant (--format).",
            source.name,
        )
    return ExampleFile(source, found)


def example_format_of(file: File, encoding: str | None = None) -> tuple[str, bool] | None:
    """The format that a file of examples has, and whether it cannot be meant as a dataset; else None.

    Raises UsageError where it may be of two.
    """
    source = _source(file, encoding, None)
    try:
        first = next(_objects(source), None)
    except InvalidFile:
        return None  # whoever reads it as something else says what is wrong
    found = _recognise(source, first)
    return None if found is None or first is None else (found.name, found.unmistakable(first[2]))


def base_name(file: str) -> str:
    """A file's name without its folders."""
    return PurePosixPath(PureWindowsPath(file).as_posix()).name


def _source(file: File, encoding: str | None, progress: Progress | None) -> Source:
    source = source_of(file[1], file[0]) if isinstance(file, tuple) else source_of(file, None)
    return replace(source, encoding=encoding, progress=progress)


def _recognise(source: Source, first: tuple[str, int, Any] | None) -> ExampleFormat | None:
    if first is None or not isinstance(first[2], dict):
        return None
    found = [one for name in registry.names() if (one := registry.get(name)()).recognises(first[2])]
    if len(found) > 1:
        names = " or ".join(f"--format {one.name}" for one in found)
        raise UsageError(f"{source.name} may be of several formats; say which: {names}.")
    return found[0] if found else None


def _objects(source: Source) -> Iterator[tuple[str, int, Any]]:
    """("line" or "item", its number, its value) of every object of a file."""
    if _is_list(source):
        for number, (path, value) in enumerate(members(source, Notes(), streamed=(), nan_is_null=False), 1):
            yield "item", number, value if path == "[]" else {path: value}
        return
    for number, line in enumerate(lines(source.counted_in("line"), Notes()), 1):
        if not line.strip():
            continue
        try:
            yield "line", number, parse_row(line)
        except UnusableRow as problem:
            raise source.counted_in("line").problem(str(problem), number) from None


def _is_list(source: Source) -> bool:
    """Whether the first character that is no space opens a list."""
    for text in pieces(replace(source, progress=None), Notes()):
        if text.strip():
            return text.lstrip()[0] == "["
    raise source.problem("the file is empty; it needs at least one example.")
