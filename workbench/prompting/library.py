"""The prompts of a folder: one YAML file each, read strictly, saved whole, with history.

library = PromptLibrary(Path("prompts"))
library.names()                 ->  ["direct", "step-by-step", "vote-of-techniques"]
library.version("direct")       ->  "3f9c0e…"
library.broken()                ->  files that cannot be used, each with its line and remedy
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from workbench.core.document import MAX_CHARACTERS, check_name, content_hash, dump, parse, validate
from workbench.core.files import write_text
from workbench.core.prompt import AnyPrompt, Ensemble, Prompt
from workbench.errors import InvalidFile, PromptError, StorageError, UnknownName, suggestion
from workbench.prompting.closure import closure, mentioned, versions_of
from workbench.prompting.combine import combiner_names
from workbench.prompting.history import FileVersion, Version, VersionHistory
from workbench.prompting.reasoning import reasoning_names
from workbench.prompting.select import selector_names

SUFFIX = ".yaml"


def read_prompt(text: str, file: str | None = None) -> AnyPrompt:
    """YAML text as a prompt, or as an ensemble where it has `members`. Raises InvalidFile."""
    content, lines = parse(text, file)
    if not isinstance(content, dict):
        raise InvalidFile("expected `key: value` lines at the top level.", file, 1)
    record: type[Prompt] | type[Ensemble] = Ensemble if "members" in content else Prompt
    prompt: AnyPrompt = validate(record, content, file, lines)
    for path, name, known in _registered(prompt):
        if name not in known:
            problem = f"there is no '{name}'.{suggestion(name, known)}"
            raise InvalidFile(problem, file, lines.get(path), ".".join(path))
    return prompt


def _registered(prompt: AnyPrompt) -> Iterator[tuple[tuple[str, ...], str, list[str]]]:
    """What a prompt names out of a registry, which packages outside may add to: key, name, known names."""
    if isinstance(prompt, Ensemble):
        yield ("combine",), prompt.combine, combiner_names()
        return
    if prompt.examples is not None:
        yield ("examples", "select"), prompt.examples.select, selector_names()
    if isinstance(prompt.reasoning, str):
        yield ("reasoning",), prompt.reasoning, reasoning_names()


@dataclass(frozen=True, slots=True)
class _File:
    stamp: tuple[int, int, int]
    text: str
    prompt: AnyPrompt | None
    problem: InvalidFile | None


class PromptLibrary:
    """A folder of prompts.

    Args:
        folder: where the YAML files are; made when the first prompt is saved.
        history: keeps what was saved; without one only the files themselves are known.
    """

    def __init__(self, folder: Path, history: VersionHistory | None = None) -> None:
        self.folder, self._history = folder, history
        self._files: dict[str, _File] = {}

    def names(self) -> list[str]:
        """Names of the prompts that can be used, sorted."""
        return sorted(name for name, file in self._read_all().items() if file.prompt is not None)

    def broken(self) -> list[InvalidFile]:
        """What is wrong with the files that cannot be used; the others load all the same."""
        return [file.problem for _, file in sorted(self._read_all().items()) if file.problem]

    def get(self, name: str) -> AnyPrompt:
        """A prompt by name. Raises UnknownName, or InvalidFile where its file is broken."""
        file = self._file(name)
        if file.prompt is None:
            raise file.problem or UnknownName("prompt", name, self.names())
        return file.prompt

    def text(self, name: str) -> str:
        """The YAML of a prompt as it stands in its file, comments included, broken or not."""
        return self._file(name).text

    def version(self, name: str) -> str:
        """The content hash; an ensemble's depends on every prompt that it asks."""
        return versions_of(self.resolve(name))[name]

    def resolve(self, name: str) -> dict[str, AnyPrompt]:
        """The prompt and every prompt that it asks, directly or not, by name.

        Raises UnknownName for one that is missing and CyclicEnsemble for a circle.
        """
        return closure(self.get(name), self.get)

    def save(self, prompt: AnyPrompt, author: str = "", text: str | None = None) -> str:
        """Writes a prompt to its file, all or nothing, and keeps it in the history. Gives its version.

        Args:
            prompt: what to save; its name is the file's name.
            author: who saves it.
            text: its YAML where comments and order are to be kept; it must read as `prompt`.
        """
        written = dump(prompt) if text is None else text
        path = self._path(prompt.name)
        if read_prompt(written, self._shown(path)) != prompt:
            raise PromptError(f"The YAML given for '{prompt.name}' reads as another prompt; save that one.")
        version = versions_of(closure(prompt, self.get))[prompt.name]
        self._keep_the_standing(prompt.name)
        if self._history is not None:
            self._history.record(prompt.name, version, written, author)
        self._write(path, written)
        return version

    def delete(self, name: str) -> str:
        """Removes a prompt's file and gives back its text, which `save` brings back."""
        text = self._file(name).text
        self._keep_the_standing(name)
        path = self._path(name)
        try:
            path.unlink()
        except OSError as error:
            raise StorageError(f"Prompt '{name}' could not be deleted: {_reason(error)}.") from None
        self._files.pop(path.name, None)
        return text

    def rename(self, name: str, new_name: str, author: str = "") -> str:
        """Gives a prompt another name; refused while an ensemble asks it by the old one."""
        prompt, text = self.get(name), self.text(name)
        target = self._path(new_name)
        if target.exists():
            raise PromptError(f"There is a prompt '{new_name}' already; choose another name.")
        users = [other for other in self.names() if name in mentioned(self.get(other))]
        if users:
            raise PromptError(f"'{name}' is asked by {', '.join(users)}; change that first, or copy it.")
        renamed = re.sub(r"(?m)^name:.*$", lambda _: f"name: {new_name}", text, count=1)
        changed = prompt.model_copy(update={"name": new_name})
        with suppress(InvalidFile):
            if read_prompt(renamed) == changed:
                version = self.save(changed, author, renamed)
                self.delete(name)
                return version
        version = self.save(changed, author)
        self.delete(name)
        return version

    def history(self, name: str) -> Sequence[Version]:
        """Versions of a prompt, newest first; also of one that was deleted."""
        path = self._path(name)
        if self._history is not None:
            kept = self._history.versions(name)
            if kept or not path.exists():
                return kept
        prompt = self.get(name)
        changed = datetime.fromtimestamp(path.stat().st_mtime, UTC)
        version = versions_of(closure(prompt, self.get))[name]
        return [FileVersion(version, name, "", changed, self.text(name))]

    def restore(self, name: str, version: str, author: str = "") -> AnyPrompt:
        """Makes an earlier version the current one; what stands now stays in the history.

        `version` may be shortened to its first characters.
        """
        kept = self.history(name)
        found = [one for one in kept if one.version.startswith(version)] if version else []
        if not found:
            raise UnknownName(f"version of prompt '{name}'", version, {one.version[:12] for one in kept})
        if len({one.version for one in found}) > 1:
            raise PromptError(f"Several versions of '{name}' begin with '{version}'; give more of it.")
        prompt = read_prompt(found[0].text, f"{name}{SUFFIX}")
        self.save(prompt, author, found[0].text)
        return prompt

    def _keep_the_standing(self, name: str) -> None:
        """Puts the file's content into the history: it may have been edited by hand since."""
        if self._history is None:
            return
        try:
            file = self._file(name)
        except UnknownName:
            return
        version = content_hash(file.text)
        if file.prompt is not None:
            with suppress(PromptError, UnknownName, InvalidFile):
                version = self.version(name)
        kept = self._history.versions(name)
        if not kept or kept[0].text != file.text:
            self._history.record(name, version, file.text, "")

    def _path(self, name: str) -> Path:
        try:
            return self.folder / f"{check_name(name)}{SUFFIX}"
        except ValueError as error:
            raise PromptError(f"{str(error).rstrip('.')}.") from None

    def _shown(self, path: Path) -> str:
        return f"{self.folder.name}/{path.name}"

    def _write(self, path: Path, text: str) -> None:
        write_text(path, text)
        self._files.pop(path.name, None)

    def _read_all(self) -> dict[str, _File]:
        try:
            found = sorted(entry.name for entry in os.scandir(self.folder) if _is_yaml(entry.name))
        except FileNotFoundError:
            found = []
        except OSError as error:
            raise StorageError(f"The folder {self.folder} cannot be read: {_reason(error)}.") from None
        for gone in self._files.keys() - set(found):
            self._files.pop(gone, None)
        files: dict[str, _File] = {}
        for file_name in found:
            file = self._read(self.folder / file_name)
            if file is not None:
                stem, _, ending = file_name.rpartition(".")
                files[stem if f".{ending}" == SUFFIX else file_name] = file
        return files

    def _file(self, name: str) -> _File:
        file = self._read(self._path(name))
        if file is None:
            raise UnknownName("prompt", name, self.names())
        return file

    def _read(self, path: Path) -> _File | None:
        """A file as last read, read anew where it has changed; None where there is none."""
        shown, text = self._shown(path), ""
        try:
            status = path.stat()
        except FileNotFoundError:
            return None
        except OSError as error:
            return _File((0, 0, 0), "", None, InvalidFile(f"cannot be read: {_reason(error)}.", shown))
        stamp = (status.st_mtime_ns, status.st_size, status.st_ino)
        known = self._files.get(path.name)
        if known is not None and known.stamp == stamp:
            return known
        try:
            text = self._text_within(path, status.st_size)
            prompt = read_prompt(text, shown)
            _check_file_name(path.name, prompt.name, shown)
            file = _File(stamp, text, prompt, None)
        except InvalidFile as problem:
            file = _File(stamp, text, None, problem)
        except UnicodeDecodeError as error:
            no_text = InvalidFile(f"is not UTF-8 text at byte {error.start:,}; save it as UTF-8.", shown)
            file = _File(stamp, text, None, no_text)
        except OSError as error:
            return _File(stamp, text, None, InvalidFile(f"cannot be read: {_reason(error)}.", shown))
        self._files[path.name] = file
        return file

    def _text_within(self, path: Path, size: int) -> str:
        if path.is_symlink() and not path.resolve().is_relative_to(self.folder.resolve()):
            raise InvalidFile(
                "is a link that leads out of the folder; copy the file here.", self._shown(path)
            )
        if not path.is_file():
            raise InvalidFile("is not a file; move it away.", self._shown(path))
        if size > 4 * MAX_CHARACTERS:
            raise InvalidFile(f"is longer than {MAX_CHARACTERS:,} characters.", self._shown(path))
        return path.read_text(encoding="utf-8-sig")


def _is_yaml(file_name: str) -> bool:
    return file_name.lower().endswith((".yaml", ".yml")) and not file_name.startswith(".")


def _check_file_name(file_name: str, name: str, shown: str) -> None:
    if file_name != f"{name}{SUFFIX}":
        raise InvalidFile(
            f"a prompt named '{name}' belongs in {name}{SUFFIX}; rename the file, or change `name`.",
            shown,
            key="name",
        )


def _reason(error: Exception) -> str:
    return (getattr(error, "strerror", None) or str(error)).lower()
