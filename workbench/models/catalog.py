"""The models that can be named: the rows of experiments/models.yaml, the tuned and the embedded ones.

    models:
      - {name: qwen, provider: openai, model: qwen2.5:7b, base_url: http://127.0.0.1:11434/v1}
      - {name: mine, provider: transformers, model: ./models/mine, quantization: int8}

`mine@bf16` names the same row with another quantization, `mine@q8_0` the same folder as GGUF.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from workbench.core.document import Strict, parse, validate
from workbench.core.files import write_text
from workbench.core.model import Model, ModelSpec
from workbench.errors import InvalidFile, UnknownName, UsageError, WorkbenchError, suggestion
from workbench.models.embedded_rows import embedded_specs
from workbench.models.gguf.quantizations import GGUF_QUANTIZATIONS
from workbench.models.local.quantization import QUANTIZATIONS
from workbench.models.registry import ModelCheck, find_provider
from workbench.models.rows import with_row, without_row
from workbench.models.tuned_rows import TunedRows


class _Envelope(Strict):
    models: list[Any] | None = None


def _routed(spec: ModelSpec) -> ModelSpec:
    """A folder of safetensors that is to be held as GGUF holds weights is converted and run by llama.cpp."""
    ours = spec.quantization in QUANTIZATIONS  # some names, such as bf16, mean the same in both
    if spec.provider == "transformers" and spec.quantization in GGUF_QUANTIZATIONS and not ours:
        return spec.model_copy(update={"provider": "llama_cpp"})
    return spec


class Catalog:
    """Reads models.yaml again whenever the file has changed; keeps no model open.

    Args:
        models_file: the rows that a person wrote.
        tuned_dir: where the models lie that were tuned here, a folder each.
    """

    def __init__(self, models_file: Path, tuned_dir: Path | None = None) -> None:
        self.models_file = Path(models_file)
        self._tuned = TunedRows(tuned_dir)
        self._stamp: tuple[int, int] | None = None
        self._rows: dict[str, ModelSpec] = {}
        self._broken: list[InvalidFile] = []

    def names(self) -> list[str]:
        """Every usable name, the file's rows first, then what was tuned here; without quantizations."""
        return [spec.name for spec in self.specs()]

    def specs(self) -> list[ModelSpec]:
        """The good rows of the file, then the tuned and the embedded models that no row overrides."""
        self._read()
        rows = dict(self._rows)
        for spec in (*self._tuned.specs(), *embedded_specs()):
            rows.setdefault(spec.name, spec)
        return list(rows.values())

    def broken(self) -> list[InvalidFile]:
        """What is wrong with the rows that cannot be used; the others still work."""
        self._read()
        return [*self._broken, *self._tuned.broken()]

    def spec(self, name: str) -> ModelSpec:
        """The row of that name; `NAME@QUANTIZATION` is the row held otherwise. Raises UnknownName."""
        rows = {spec.name: spec for spec in self.specs()}
        if name in rows:
            return _routed(rows[name])
        base, at, quantization = name.rpartition("@")
        if at and base in rows and quantization:
            return _routed(rows[base].model_copy(update={"name": name, "quantization": quantization}))
        missing = base if base and quantization else name
        remedy = self._tuned.remedy(missing)
        if not remedy and self._broken and not suggestion(missing, rows).startswith(" Did"):
            remedy = f"Something could not be read: {self._broken[0]}"  # it may well stand there
        raise UnknownName("model", missing, rows, remedy)

    def open(self, name: str) -> Model:
        """The model of that name. Nothing is loaded or called before its first use."""
        spec = self.spec(name)
        return find_provider(spec.provider)(spec)

    def check(self, name: str) -> ModelCheck:
        """Whether the model could be used now: key, folder, quantization. Loads and calls nothing."""
        spec = self.spec(name)
        try:
            return find_provider(spec.provider).check(spec)
        except WorkbenchError as problem:
            return ModelCheck(False, str(problem))

    def add(self, spec: ModelSpec) -> None:
        """Writes the row, in place of one with its name; the file's comments stay."""
        find_provider(spec.provider)
        text = with_row(self._text(), spec, self._known_line(spec.name))
        write_text(self.models_file, text)

    def remove(self, name: str) -> None:
        """Takes the row out of the file. Raises UnknownName, or UsageError for an embedded model."""
        self._read()
        line = self._known_line(name)
        if line is None:
            if name in {spec.name for spec in self._tuned.specs()}:
                raise UsageError(f"'{name}' was tuned here; it is not a row of {self.models_file}.")
            if name in self.names():
                raise UsageError(f"'{name}' ships with the workbench; it is not a row of {self.models_file}.")
            raise UnknownName("row", name, self._rows)
        write_text(self.models_file, without_row(self._text(), line))

    def _text(self) -> str:
        try:
            return self.models_file.read_text(encoding="utf-8-sig")
        except FileNotFoundError:
            return ""
        except UnicodeDecodeError as problem:
            raise InvalidFile(
                f"the file is not UTF-8 text (byte {problem.start}); save it as UTF-8.", str(self.models_file)
            ) from None
        except OSError as problem:
            raise InvalidFile(f"cannot be read: {problem.strerror}.", str(self.models_file)) from None

    def _known_line(self, name: str) -> int | None:
        content, lines = parse(self._text(), str(self.models_file))
        rows = content.get("models") if isinstance(content, dict) else None
        for index, row in enumerate(rows or []):
            if isinstance(row, dict) and row.get("name") == name:
                return lines[("models", index)]
        return None

    def _read(self) -> None:
        try:
            status = self.models_file.stat()
            stamp = (status.st_mtime_ns, status.st_size)
        except OSError:
            stamp = (0, 0)
        if stamp == self._stamp:
            return
        self._stamp, self._rows, self._broken = stamp, {}, []
        file = str(self.models_file)
        try:
            content, lines = parse(self._text(), file)
            rows = validate(_Envelope, content or {}, file, lines).models or []
        except InvalidFile as problem:
            self._broken.append(problem)
            return
        for index, row in enumerate(rows):
            try:
                self._add_row(row, index, file, lines)
            except InvalidFile as problem:
                self._broken.append(problem)

    def _add_row(self, row: Any, index: int, file: str, lines: dict[tuple[str | int, ...], int]) -> None:
        here = ("models", index)
        line = lines.get(here)
        if not isinstance(row, dict):
            raise InvalidFile("a model is a mapping such as {name: …, provider: …, model: …}.", file, line)
        inside = {path[2:]: number for path, number in lines.items() if path[:2] == here}
        spec = validate(ModelSpec, row, file, inside)
        if spec.name in self._rows:
            raise InvalidFile(f"a model named '{spec.name}' stands above already.", file, line, "name")
        try:
            find_provider(spec.provider)
        except WorkbenchError as problem:
            at = inside.get(("provider",), line)
            raise InvalidFile(str(problem), file, at, "provider") from None
        self._rows[spec.name] = spec
