"""Which formats of examples there are, and what each does.

@example_format("kto", tasks=("label",))
class Kto(ExampleFormat):
    description = "TRL's unpaired preferences: prompt, completion, label."

    def recognises(self, line: Row) -> bool: ...
    def read(self, line: Row, origin: Origin) -> Item: ...
    def write(self, item: Item) -> Row: ...
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar, TypeVar

from workbench.core.collection import Item, Origin, Task
from workbench.core.registry import Registry
from workbench.datasets.json_rows import Row
from workbench.errors import CollectionError


class ExampleFormat:
    """Base of every format; an object of it reads or writes one file. `name`, `tasks`: see the decorator."""

    name: ClassVar[str] = ""
    tasks: ClassVar[tuple[Task, ...]] = ()
    description: ClassVar[str] = ""

    def recognises(self, line: Row) -> bool:
        """Whether a file whose first object is this one is of the format."""
        raise NotImplementedError

    def unmistakable(self, line: Row) -> bool:
        """Whether a recognised file cannot be meant as rows to ask models about."""
        return True

    def read(self, line: Row, origin: Origin) -> Item:
        """The item that one object holds. Raises UnusableRow in one sentence."""
        raise NotImplementedError

    def begin(self, items: Sequence[Item]) -> None:
        """Sees all items before the first is written: a file may need one shape for all."""

    def write(self, item: Item) -> Row:
        """The object of an item. Raises UnusableRow for what the format has no place for."""
        raise NotImplementedError


registry: Registry[type[ExampleFormat]] = Registry(
    "format of examples", "workbench.example_formats", "workbench.tuning.formats", CollectionError
)

USUAL: dict[Task, str] = {"completion": "openai", "preference": "openai_preference", "label": "kto"}

F = TypeVar("F", bound=type[ExampleFormat])


def example_format(name: str, tasks: tuple[Task, ...]) -> Callable[[F], F]:
    """Class decorator: makes a format available under `name` for collections of these tasks."""

    def register(cls: F) -> F:
        cls.name, cls.tasks = name, tasks
        registry.add(name, cls)
        return cls

    return register


def example_formats() -> list[str]:
    """Every format's name, sorted."""
    return registry.names()


def formats_for(task: Task) -> list[str]:
    """The formats that can hold a collection of this task."""
    return [name for name in registry.names() if task in registry.get(name).tasks]


def usual_format(task: Task) -> str:
    """The format that is meant where none is named."""
    return USUAL[task]


def task_of(item: Item) -> Task:
    """What an item teaches, told from what it holds."""
    if item.rejected is not None:
        return "preference"
    return "completion" if item.label is None else "label"
