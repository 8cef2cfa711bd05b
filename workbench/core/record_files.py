"""A folder of YAML files that each hold one named record: FOLDER/NAME.yaml with `name: NAME` inside."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Generic, TypeVar

from pydantic import BaseModel

from workbench.core.document import load
from workbench.errors import InvalidFile, UnknownName

SUFFIXES = (".yaml", ".yml")

Record = TypeVar("Record", bound=BaseModel)


class RecordFolder(Generic[Record]):
    """Reads the records of one folder; a file that cannot be read does not spoil the others.

    Args:
        kind: what a record is called in an error, such as "experiment".
        root: paths in errors are told from here.
        passed_over: names of files that hold something else.
    """

    def __init__(
        self,
        record: type[Record],
        kind: str,
        folder: Path,
        root: Path,
        passed_over: Collection[str] = (),
    ) -> None:
        self._record, self._kind = record, kind
        self._folder, self._root, self._passed_over = folder, root, passed_over

    def all(self) -> tuple[dict[str, Record], list[InvalidFile]]:
        """The records by name, and what is wrong with the files that cannot be read."""
        good: dict[str, Record] = {}
        broken: list[InvalidFile] = []
        for path in sorted(self._folder.glob("*.y*ml")):
            if path.name in self._passed_over or path.suffix not in SUFFIXES:
                continue
            try:
                good[path.stem] = self._named_as_its_file(path)
            except InvalidFile as problem:
                broken.append(problem)
        return good, broken

    def find(self, name: str | Path) -> Record:
        """A record by name, or by the path of its YAML file. Raises InvalidFile, UnknownName."""
        path = Path(name)
        if path.suffix in SUFFIXES:
            if not path.is_absolute() and not path.exists():
                path = self._root / path
            if not path.exists():
                raise UnknownName(f"{self._kind} file", str(name))
            return self._read(path)
        good, broken = self.all()
        if str(name) in good:
            return good[str(name)]
        for problem in broken:
            if problem.file and Path(problem.file).stem == str(name):
                raise problem
        raise UnknownName(self._kind, str(name), good)

    def _named_as_its_file(self, path: Path) -> Record:
        record = self._read(path)
        if getattr(record, "name", None) != path.stem:
            problem = f"the name must be the file's name: write `name: {path.stem}`."
            raise InvalidFile(problem, self._shown(path), 1, "name")
        return record

    def _read(self, path: Path) -> Record:
        shown = self._shown(path)
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            raise InvalidFile("the file is not UTF-8 text.", shown) from None
        except OSError as error:
            raise InvalidFile(f"the file cannot be read: {error.strerror}.", shown) from None
        return load(self._record, text, shown)

    def _shown(self, path: Path) -> str:
        return str(path.relative_to(self._root)) if path.is_relative_to(self._root) else str(path)
