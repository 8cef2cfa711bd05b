"""Items as the lines of a file that other tools read.

write_examples(items, "kto", "label")    b'{"prompt": […], "completion": […], "label": true}\n…'
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from workbench.core.collection import Item, Task
from workbench.datasets.json_rows import UnusableRow, check_text, encode_row
from workbench.errors import CollectionError
from workbench.tuning.formats.registry import ExampleFormat, formats_for, registry, task_of

HOLDS: dict[Task, str] = {
    "completion": "completions",
    "preference": "preferences",
    "label": "completions with labels",
}


def write_examples(
    items: Sequence[Item],
    format_name: str,
    task: Task,
    *,
    as_list: bool = False,
    extra: bool = True,
    numbers: Sequence[int] | None = None,
) -> bytes:
    """A file of examples: JSON lines.

    Args:
        task: what the items teach, as their collection says.
        as_list: one JSON list in place of lines.
        extra: also what imported lines held beside the examples.
        numbers: what the items are called in errors; default: their places, from 0.

    Raises UnknownName; CollectionError where the format cannot hold the task, or one of the items.
    """
    lines = example_lines(items, format_name, task, extra=extra, numbers=numbers)
    if as_list:
        return b"[\n" + b",\n".join(line.rstrip(b"\n") for line in lines) + b"\n]\n"
    return b"".join(lines)


def example_lines(
    items: Sequence[Item],
    format_name: str,
    task: Task,
    *,
    extra: bool = True,
    numbers: Sequence[int] | None = None,
) -> Iterator[bytes]:
    """The lines of a file of examples, each with its line end; arguments and errors as `write_examples`."""
    chosen = registry.get(format_name)()
    if task not in chosen.tasks:
        held = " or ".join(HOLDS[one] for one in chosen.tasks)
        raise CollectionError(
            f"The format {format_name} holds {held}, and these are {HOLDS[task]}; "
            f"formats for them: {', '.join(formats_for(task)) or 'none'}."
        )
    if not extra:
        items = [replace(item, extra={}) for item in items]
    chosen.begin(items)
    called = range(len(items)) if numbers is None else numbers
    return _lines(zip(called, items, strict=True), chosen, task)


def why_unwritable(
    items: Sequence[Item],
    format_name: str,
    task: Task,
    *,
    extra: bool = True,
    numbers: Sequence[int] | None = None,
) -> str | None:
    """The sentence with which `write_examples` would refuse the items; None where it would not."""
    try:
        for _ in example_lines(items, format_name, task, extra=extra, numbers=numbers):
            pass
    except CollectionError as problem:
        return str(problem)
    return None


def _lines(items: Iterable[tuple[int, Item]], chosen: ExampleFormat, task: Task) -> Iterator[bytes]:
    for number, item in items:
        try:
            if task_of(item) != task:
                raise UnusableRow(f"it is none of the {HOLDS[task]} that the others are.")
            yield encode_row(chosen.write(item))
        except UnusableRow as problem:
            raise CollectionError(
                f"Item {number} cannot be written as {chosen.name}: {problem}{_remedy(item)}"
            ) from None


def _remedy(item: Item) -> str:
    """Which cleaning step makes texts of an item that no file can hold; empty where all can be held."""
    if _is_broken([item.completion, item.rejected]):
        return " The cleaning step `unicode` does that."
    if _is_broken(item.messages):
        return " The cleaning step `unicode` does that, with its setting `messages`."
    if _is_broken(item.extra):
        return " It stands beside the example: write the file without what imported lines held beside."
    return ""


def _is_broken(value: Any) -> bool:
    try:
        check_text(value)
    except UnusableRow:
        return True
    return False
