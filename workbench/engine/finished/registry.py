"""Which format a file of finished outputs has: told by what stands in it, or named by a person.

    @finished_format("alpaca_eval", suffixes=(".json",))
    class AlpacaEval(FinishedFormat):
        description = "AlpacaEval's model outputs and annotations."

        def recognises(self, head: Head, settings: ImportSettings) -> bool: ...
        def read(self, source: Source, settings: ..., unmapped: Unmapped) -> Iterator[Finished]: ...

A file of `formats/` holds one. A package outside adds one through the entry point group
`workbench.finished_formats`, whose entry is such a class.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import ClassVar, TypeVar

from workbench.core.registry import Registry
from workbench.datasets.formats import known_suffixes
from workbench.datasets.source import Source
from workbench.engine.finished.head import Head, head_of
from workbench.engine.finished.records import Finished, ImportSettings, Unmapped
from workbench.errors import UsageError


class FinishedFormat:
    """Base of every format. `name` and `suffixes` are set by the decorator."""

    name: ClassVar[str] = ""
    suffixes: ClassVar[tuple[str, ...]] = ()
    description: ClassVar[str] = ""

    def recognises(self, head: Head, settings: ImportSettings) -> bool:
        """Whether a file that begins like this is of the format; asked where the suffix fits."""
        raise NotImplementedError

    def read(self, source: Source, settings: ImportSettings, unmapped: Unmapped) -> Iterator[Finished]:
        """What the file holds, in its order; `source.at` tells how far the reading is.

        Raises InvalidFile, DatasetError or UsageError in one sentence: `source.problem` makes one.
        """
        raise NotImplementedError


finished_formats: Registry[type[FinishedFormat]] = Registry(
    "format of finished outputs", "workbench.finished_formats", "workbench.engine.finished.formats"
)

F = TypeVar("F", bound=type[FinishedFormat])


def finished_format(name: str, suffixes: tuple[str, ...]) -> Callable[[F], F]:
    """Class decorator: makes a format available under `name` for files with these endings."""

    def register(cls: F) -> F:
        cls.name, cls.suffixes = name, suffixes
        finished_formats.add(name, cls)
        return cls

    return register


def recognise(source: Source, settings: ImportSettings) -> FinishedFormat | None:
    """The format that a file is of; None where it is none, but could be a dataset.

    Raises UsageError where it may be two; InvalidFile where its ending says one, and nothing else does.
    """
    found = []
    head: Head | None = None
    for name in finished_formats.names():
        candidate = finished_formats.get(name)()
        if source.suffix in candidate.suffixes:
            head = head or head_of(source)
            if candidate.recognises(head, settings):
                found.append(candidate)
    if len(found) > 1:
        names = " or ".join(f"--format {one.name}" for one in found)
        raise UsageError(f"{source.name} may be of several formats; say which: {names}.")
    if not found and head is not None and source.suffix not in known_suffixes():
        fitting = [
            name for name in finished_formats.names() if source.suffix in finished_formats.get(name).suffixes
        ]
        raise source.problem(
            f"it does not begin like a file of format {' or '.join(fitting)}; is it complete?"
        )
    return found[0] if found else None


def format_named(name: str, source: Source) -> FinishedFormat:
    """The format that a person named. Raises UnknownName; UsageError where the file's ending is another's."""
    chosen = finished_formats.get(name)()
    if source.suffix not in chosen.suffixes:
        raise UsageError(
            f"{source.name}: a file of format {name} ends in {', '.join(chosen.suffixes)}; "
            "name another --format, or leave it out."
        )
    return chosen
