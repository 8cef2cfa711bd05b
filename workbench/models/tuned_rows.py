"""The models that were tuned here, a folder each: its row, its weights, and where they came from.

STATE/models/small-quickstart/row.yaml:
  name: small-quickstart
  provider: transformers
  model: small            # an embedded model, a folder, or a hub name; whole weights: `weights`
  adapter: adapter        # the folder beside this file
STATE/models/.deleted/small-quickstart/20261121-120000/   what was deleted, so that it can come back

Paths in a row start at its folder, so that a workspace can be moved.
"""

from __future__ import annotations

from pathlib import Path

from workbench.core.document import load
from workbench.core.model import ModelSpec
from workbench.errors import InvalidFile, UnknownName, WorkbenchError
from workbench.models.embedded import embedded_path
from workbench.models.registry import find_provider

ROW = "row.yaml"
DELETED = ".deleted"
WEIGHTS = "weights"
ADAPTER = "adapter"


class TunedRows:
    """Reads the rows again whenever one has changed. Without a folder there are none."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._stamp: tuple[tuple[str, int, int], ...] = ()
        self._specs: list[ModelSpec] = []
        self._broken: list[InvalidFile] = []

    def specs(self) -> list[ModelSpec]:
        """The rows that can be used, by name."""
        self._read()
        return list(self._specs)

    def broken(self) -> list[InvalidFile]:
        """What is wrong with those that cannot."""
        self._read()
        return list(self._broken)

    def remedy(self, name: str) -> str:
        """How to get back a model that was deleted; empty where there was none of that name."""
        if self._folder is None or not name or Path(name).name != name:
            return ""
        if not any((self._folder / DELETED / name).glob(f"*/{ROW}")):
            return ""
        return f"It was tuned here and deleted; bring it back with `workbench models undelete {name}`."

    def _read(self) -> None:
        if self._folder is None:
            return
        stamp = []
        for row in sorted(self._folder.glob(f"[!.]*/{ROW}")):
            try:
                status = row.stat()
            except OSError:  # deleted between the two looks
                continue
            stamp.append((str(row), status.st_mtime_ns, status.st_size))
        if tuple(stamp) == self._stamp:
            return
        self._stamp, self._specs, self._broken = tuple(stamp), [], []
        for path, _, _ in stamp:
            try:
                self._specs.append(read_row(Path(path)))
            except InvalidFile as problem:
                self._broken.append(problem)


def read_row(file: Path) -> ModelSpec:
    """One tuned model's row, with its paths as they are on this machine. Raises InvalidFile."""
    try:
        spec = load(ModelSpec, file.read_text("utf-8"), str(file))
    except (OSError, UnicodeDecodeError) as problem:
        raise InvalidFile(f"cannot be read: {problem}.", str(file)) from None
    folder = file.parent
    if spec.name != folder.name:
        raise InvalidFile(
            f"the name must be the folder's name: write `name: {folder.name}`.", str(file), 1, "name"
        )
    try:
        find_provider(spec.provider)
    except WorkbenchError as problem:
        raise InvalidFile(str(problem), str(file), None, "provider") from None
    found = {"model": _place(folder, spec.model)}
    if spec.adapter is not None:
        found["adapter"] = _place(folder, spec.adapter)
    return spec.model_copy(update=found)


def _place(folder: Path, stated: str) -> str:
    beside = folder / stated
    if Path(stated).name == stated and beside.is_dir():
        return str(beside)
    try:
        return str(embedded_path(stated))
    except UnknownName:
        return stated
