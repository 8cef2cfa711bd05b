"""Named extensions: built-in ones are small files of one package, outside ones come by entry point.

reasonings: Registry[str] = Registry("reasoning technique", "workbench.reasoning", __name__)
reasonings.names()              ->  ["least_to_most", "plan_then_solve", ...]
reasonings.get("step_by_step")  ->  "Let's think step by step."
"""

from __future__ import annotations

import importlib
import importlib.metadata
import pkgutil
from collections.abc import Callable
from typing import Generic, TypeVar

from workbench.errors import UnknownName, WorkbenchError

Extension = TypeVar("Extension")


class Registry(Generic[Extension]):
    """Extensions of one kind by name; files and entry points are read when first asked for.

    Args:
        kind: what an extension is called in an error, such as "combiner".
        group: entry point group of packages outside; the entry point's name is the extension's.
        package: import name of the package whose files hold the built-in ones.
        error: raised for a name that stands twice, and for an entry point that cannot be imported.
    """

    def __init__(
        self, kind: str, group: str, package: str, error: type[WorkbenchError] = WorkbenchError
    ) -> None:
        self.kind, self.group, self.package, self.error = kind, group, package, error
        self._found: dict[str, Extension] = {}
        self._outside: dict[str, importlib.metadata.EntryPoint] | None = None
        self._files_read = False

    def add(self, name: str, extension: Extension) -> None:
        """Registers `extension`; a name that is taken is an error, so nothing is replaced in silence."""
        if name in self._found:
            raise self.error(f"Two {self.kind}s are named '{name}'; rename one of them.")
        self._found[name] = extension

    def register(self, name: str) -> Callable[[Extension], Extension]:
        """Decorator form of `add`."""

        def keep(extension: Extension) -> Extension:
            self.add(name, extension)
            return extension

        return keep

    def names(self) -> list[str]:
        """Every name, built-in and outside, sorted."""
        self._read_files()
        return sorted({*self._found, *self._entry_points()})

    def get(self, name: str) -> Extension:
        """The extension of that name. Raises UnknownName with the nearest one."""
        self._read_files()
        if name not in self._found:
            entry = self._entry_points().get(name)
            if entry is None:
                raise UnknownName(self.kind, name, self.names())
            self._found[name] = self._load(entry)
        return self._found[name]

    def _load(self, entry: importlib.metadata.EntryPoint) -> Extension:
        try:
            loaded: Extension = entry.load()
        except Exception as error:
            raise self.error(
                f"The {self.kind} '{entry.name}' of entry point '{entry.value}' cannot be imported: {error}."
            ) from error
        return self._found.get(entry.name, loaded)

    def _read_files(self) -> None:
        if self._files_read:
            return
        self._files_read = True
        package = importlib.import_module(self.package)
        for module in pkgutil.iter_modules(package.__path__):
            importlib.import_module(f"{self.package}.{module.name}")

    def _entry_points(self) -> dict[str, importlib.metadata.EntryPoint]:
        if self._outside is None:
            self._outside = {e.name: e for e in importlib.metadata.entry_points(group=self.group)}
        return self._outside
